/** Records: lists, one, its history, and changes of them. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { addressOf, call, ProblemError } from './client';
import type { Batch, Change, Found as Hit, Op, Undone } from './schema';

export type { Change, Op };

export type Fields = Record<string, unknown>;

export interface Related {
  id: string;
  object: string;
  title: string;
}

export interface Item {
  id: string;
  version: number;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
  owner: string | null;
  team: string | null;
  deleted_at?: string;
  fields: Fields;
  /** What the records are called that the fields name. */
  related?: Record<string, Related | Related[]>;
}

export interface Page {
  records: Item[];
  next: string | null;
  total?: number | null;
}

/** Which records, in which order. */
export interface Wanted {
  filter?: string;
  sort?: string;
  /** Words for the search; the order is then by relevance. */
  q?: string;
  trash?: boolean;
}

export type Edit =
  | { op: 'create'; fields: Fields }
  | { op: 'update'; id: string; fields: Fields; version?: number }
  | { op: 'delete'; id: string }
  | { op: 'restore'; id: string };

export interface Done {
  records: Item[];
  batch: string;
}

export interface BoardColumn {
  value: unknown;
  /** What people read above it, where the value is a record. */
  title: string | null;
  count: number;
  /** Of money by currency. */
  sums: Record<string, number>;
  records: Item[];
  next: string | null;
}

export const recordsKey = ['records'] as const;
export const listsKey = (object: string) => [...recordsKey, object, 'list'] as const;
export const itemKey = (object: string, id: string) => [...recordsKey, object, 'one', id] as const;
export const boardKey = (object: string) => [...recordsKey, object, 'board'] as const;

/** Records of a page of the table. */
export const PAGE = 100;
/** Cards that each column of a board begins with, and the most that it can have. */
export const CARDS = 25;
export const CARDS_MOST = 100;

const of = (object: string, id?: string) =>
  `/objects/${encodeURIComponent(object)}/records${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

export const page = (object: string, query: Parameters<typeof addressOf>[1], signal?: AbortSignal) =>
  call<Page>('GET', of(object), { query, signal });

/** A wrong filter stays wrong; a server that is away may come back. */
export const retryList = (count: number, error: Error) =>
  !(error instanceof ProblemError && error.status < 500) && count < 2;

/** A few records, newest first, and how many there are. */
export function fewQuery(object: string, filter: string, limit: number, sort?: string) {
  return queryOptions({
    queryKey: [...listsKey(object), 'few', filter, limit, sort],
    queryFn: ({ signal }) => page(object, { filter, sort, limit, count: true, expand: '*' }, signal),
  });
}

export function itemQuery(object: string, id: string) {
  return queryOptions({
    queryKey: itemKey(object, id),
    queryFn: ({ signal }) => call<Item>('GET', of(object, id), { query: { expand: '*' }, signal }),
    retry: retryList,
  });
}

export function historyQuery(object: string, id: string) {
  return infiniteQueryOptions({
    queryKey: [...itemKey(object, id), 'history'],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam, signal }) =>
      call<{ changes: Change[] }>('GET', `${of(object, id)}/history`, {
        query: { before: pageParam, limit: 50 },
        signal,
      }),
    getNextPageParam: (last) => (last.changes.length < 50 ? null : last.changes.at(-1)?.seq),
  });
}

/** A board: a column for each value of the field `group`. */
export interface BoardWanted {
  group: string;
  sum?: string;
  filter?: string;
  /** Cards of each column. */
  limit: number;
}

export function boardQuery(object: string, wanted: BoardWanted) {
  return queryOptions({
    queryKey: [...boardKey(object), wanted],
    queryFn: ({ signal }) =>
      call<{ columns: BoardColumn[] }>('GET', `/objects/${encodeURIComponent(object)}/board`, {
        query: { ...wanted },
        signal,
      }),
    placeholderData: keepPreviousData,
    retry: retryList,
  });
}

export const create = (object: string, fields: Fields) => call<Item>('POST', of(object), { body: { fields } });
export const update = (object: string, id: string, fields: Fields, version?: number) =>
  call<Item>('PATCH', of(object, id), { body: { fields }, version });
export const remove = (object: string, id: string) => call<void>('DELETE', of(object, id));
export const restore = (object: string, id: string) => call<Item>('POST', `${of(object, id)}/restore`);
export const emptyTrash = (object: string) =>
  call<{ gone: number }>('DELETE', `/objects/${encodeURIComponent(object)}/trash`);
export const bulk = (object: string, edits: Edit[]) =>
  call<Done>('POST', `/objects/${encodeURIComponent(object)}/bulk`, { body: { edits } });

export function searchQuery(q: string, objects: string, limit: number) {
  return queryOptions({
    queryKey: ['search', q, objects, limit],
    queryFn: ({ signal }) => call<{ hits: Hit[] }>('GET', '/search', { query: { q, objects, limit }, signal }),
    select: (answer) => answer.hits,
    placeholderData: keepPreviousData,
  });
}

/** Where a list is as a file. */
export const exportAddress = (object: string, format: 'csv' | 'xlsx' | 'jsonl', wanted: Wanted & { fields?: string }) =>
  addressOf(`/objects/${encodeURIComponent(object)}/export`, { ...wanted, format });

export const batchesKey = ['batches'] as const;
export const batchesQuery = queryOptions({
  queryKey: batchesKey,
  queryFn: ({ signal }) => call<{ batches: Batch[] }>('GET', '/batches', { signal }),
  select: (answer) => answer.batches,
});

export const undoBatch = (id: string) => call<Undone>('POST', `/batches/${encodeURIComponent(id)}/undo`);
