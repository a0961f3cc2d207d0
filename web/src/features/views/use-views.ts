/** The views of an object, which of them is looked at, and which one a list opens with. */
import { useLocalStorage } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { type View, viewsQuery } from '~/api/views';
import { EVERYTHING, type ListSearch, viewOf } from '~/features/table/search';

/** The view that an object's list opens with; each browser keeps its own. */
export function useFirstView(object: string) {
  const [first, setFirst] = useLocalStorage<string | null>({
    key: `rapport.view.${object}`,
    defaultValue: null,
    getInitialValueInEffect: false,
  });
  return { first, setFirst };
}

/** `search` is what stands in the address. */
export function useViews(object: string, search: ListSearch) {
  const found = useQuery(viewsQuery(object));
  const { first } = useFirstView(object);
  const id = viewOf(search, first);
  const views = found.data ?? NONE;
  const view = id === EVERYTHING ? undefined : views.find((one) => one.id === id);
  // Without knowing the view the list would be asked for twice, and jump.
  return { views, view, isPending: found.isPending && id !== null && id !== EVERYTHING };
}

const NONE: View[] = [];

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
