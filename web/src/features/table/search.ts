/** What a list shows, as it stands in the page's address. Pure. */
import type { View } from '~/api/views';

/** The address of no view, where another one would come first. */
export const EVERYTHING = 'all';

export interface ListSearch {
  /** A saved view, or everything; what else stands here takes the place of the view's own. */
  view?: string;
  filter?: string;
  sort?: string;
  q?: string;
  /** Names with commas between them. */
  columns?: string;
  trash?: true;
  /** Of a board: the field whose values are its columns. */
  group?: string;
  /** Of a board of stages: the pipeline that they are of. */
  pipeline?: string;
}

const TEXTS = ['view', 'filter', 'sort', 'q', 'columns', 'group', 'pipeline'] as const;

export function readSearch(search: Record<string, unknown>): ListSearch {
  const result: ListSearch = {};
  for (const name of TEXTS) {
    const value = search[name];
    // An empty filter takes the place of the view's: it is kept. A number was a text before the router read it.
    if (typeof value === 'string' || typeof value === 'number') result[name] = String(value);
  }
  if (search.trash === true) result.trash = true;
  return result;
}

/** The view that an address is looked at with; the first one comes where nothing else is asked for. */
export function viewOf(search: ListSearch, first: string | null): string | null {
  if (search.view !== undefined) return search.view;
  return Object.values(search).some((part) => part !== undefined) ? null : first;
}

/** The address after a change: it names the view in which the change was made. */
export function changed(search: ListSearch, next: Partial<ListSearch>, view: string | undefined): ListSearch {
  return { view: view ?? EVERYTHING, ...search, ...next };
}

/** What is shown: the address, then the view, then nothing. */
export function effective(search: ListSearch, view: View | undefined) {
  const definition = view?.definition;
  return {
    filter: search.filter ?? definition?.filter ?? '',
    sort: search.sort ?? definition?.sort ?? '',
    columns: search.columns?.split(',').filter(Boolean) ?? (definition?.columns.length ? definition.columns : null),
    group: search.group ?? definition?.group ?? '',
    q: search.q ?? '',
    trash: search.trash === true,
  };
}
