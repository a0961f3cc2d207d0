/** Saved views of lists and boards. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { NewView as Kept, Shared, View, ViewChange, ViewDefinition, ViewKind } from './schema';

export type { Shared, View, ViewDefinition, ViewKind };

/** A view as it is written; what is left out of its definition is the usual. */
export type NewView = Omit<Kept, 'definition'> & { definition: Partial<ViewDefinition> };
export type Change = Partial<Omit<ViewChange, 'definition'>> & { definition?: Partial<ViewDefinition> };

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
export const changeView = (id: string, change: Change) =>
  call<View>('PATCH', `/views/${encodeURIComponent(id)}`, { body: change });
export const deleteView = (id: string) => call<void>('DELETE', `/views/${encodeURIComponent(id)}`);
