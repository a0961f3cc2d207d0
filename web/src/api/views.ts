/** Saved views of lists and boards. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';

export type Shared = 'private' | 'team' | 'all';

export interface ViewDefinition {
  filter?: string;
  sort?: string;
  columns?: string[];
  kind: 'table' | 'board';
  group?: string;
}

/** A view as it is written. */
export interface NewView {
  object: string;
  name: string;
  shared: Shared;
  team?: string | null;
  definition: ViewDefinition;
}

export interface View extends NewView {
  id: string;
  /** Whether the reader may change it. */
  editable: boolean;
}

export const viewsKey = ['views'] as const;

export function viewsQuery(object: string) {
  return queryOptions({
    queryKey: [...viewsKey, object],
    queryFn: ({ signal }) => call<{ views: View[] }>('GET', '/views', { query: { object }, signal }),
    select: (answer) => answer.views,
    staleTime: 30_000,
  });
}

export const saveView = (view: NewView) => call<View>('POST', '/views', { body: view });
export const changeView = (id: string, changes: Partial<Omit<NewView, 'object'>>) =>
  call<View>('PATCH', `/views/${encodeURIComponent(id)}`, { body: changes });
export const deleteView = (id: string) => call<void>('DELETE', `/views/${encodeURIComponent(id)}`);
