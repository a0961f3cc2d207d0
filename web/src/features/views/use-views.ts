/** The views of an object, and which of them is looked at. */
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { type View, viewsQuery } from '~/api/views';
import { EVERYTHING, type ListSearch, viewOf } from '~/features/table/search';

/** `search` is what stands in the address. */
export function useViews(object: string, search: ListSearch) {
  const found = useQuery(viewsQuery(object));
  const views = found.data ?? NONE;
  const first = views.find((one) => one.first)?.id ?? null;
  const id = viewOf(search, first);
  const view = id === EVERYTHING ? undefined : views.find((one) => one.id === id);
  // Without knowing the view the list would be asked for twice, and jump.
  const isAsked = viewOf(search, UNKNOWN) !== null && id !== EVERYTHING;
  return { views, view, isPending: found.isPending && isAsked };
}

const NONE: View[] = [];
/** Stands for the first view while it is not known which one that is. */
const UNKNOWN = 'unknown';

/** Goes where a view is shown: as a table or as a board. */
export function useOpenView(object: string): (view: View | undefined, kind?: 'table' | 'board') => void {
  const navigate = useNavigate();
  return useCallback(
    (view, kind = 'table') => {
      const isBoard = (view?.definition.kind ?? kind) === 'board';
      void navigate({
        to: isBoard ? '/objects/$object/board' : '/objects/$object',
        params: { object },
        search: { view: view?.id ?? EVERYTHING },
      });
    },
    [navigate, object],
  );
}
