/**
 * The rows of a list of any length, of which only those near the visible ones are held.
 *
 * Pages come when their rows come near the view; those that were seen longest ago are dropped. How a page is read without
 * reading all before it: see `anchors.ts`.
 */
import { useDebouncedValue } from '@mantine/hooks';
import {
  keepPreviousData,
  type Query,
  type QueryClient,
  useQueries,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type Item, listsKey, PAGE, type Page, page, retryList, type Wanted } from '~/api/records';
import { Anchors, reversed } from './anchors';

/** Rows beyond the visible ones that are asked for. */
const AHEAD = 60;
/** While pages rush by, as under a dragged scrollbar, none is asked for. */
const SETTLED_MS = 80;
/** Pages that are held besides those in view. */
const HELD = 30;
/** How long pages of a list are held that nobody looks at. */
const FORGOTTEN_MS = 60_000;

export interface Rows {
  /** How many there are. */
  total: number;
  /** A row, if it is held. */
  at(place: number): Item | undefined;
  /** Where a record is, if it is held. */
  place(id: string): number | undefined;
  /** Those that are held and near the view, in their order; not all follow one another. */
  items: Item[];
  /** Says which rows are in view: the first, and the one behind the last. */
  show(first: number, last: number): void;
}

export function useRows(object: string, wanted: Wanted) {
  const client = useQueryClient();
  const key = useMemo(() => [...listsKey(object), wanted], [object, wanted]);
  const head = useQuery({
    queryKey: [...key, 'head'],
    queryFn: ({ signal }) => page(object, { ...wanted, expand: '*', limit: PAGE, count: true }, signal),
    placeholderData: keepPreviousData,
    retry: retryList,
  });
  // The best matches of a search are one page, and have no number.
  const total = head.data?.total ?? head.data?.records.length ?? 0;
  const anchors = useMemo(() => anchorsOf(key, total), [key, total]);
  useEffect(() => {
    if (head.data) anchors.note(0, PAGE, { backward: false, cursor: null, skip: 0, limit: PAGE }, head.data.next);
  }, [anchors, head.data]);

  const [near, setNear] = useState({ first: 0, last: 0 });
  const show = useCallback((first: number, last: number) => {
    const next = { first: pageOf(Math.max(0, first - AHEAD)), last: pageOf(last + AHEAD) };
    setNear((known) => (known.first === next.first && known.last === next.last ? known : next));
  }, []);
  const [settled] = useDebouncedValue(near, SETTLED_MS);
  const count = Math.ceil(total / PAGE);
  const numbers = range(Math.max(1, settled.first), Math.min(count, settled.last + 1));
  const isKnown = head.isSuccess && !head.isPlaceholderData && head.data.next !== null;
  const found = useQueries({
    queries: (isKnown ? numbers : []).map((number) => {
      const [from, to] = [number * PAGE, Math.min(total, (number + 1) * PAGE)];
      return {
        queryKey: [...key, 'page', total, number],
        queryFn: ({ signal }: { signal: AbortSignal }) => read(object, wanted, anchors, from, to, signal),
        gcTime: FORGOTTEN_MS,
        retry: retryList,
      };
    }),
  });
  useEffect(() => forget(client, [...key, 'page'], settled.first), [client, key, settled.first]);

  // Pages that are asked for again because the list has another length stand as they were until they come.
  const before = useRef({ key, pages: new Map<number, Page>() });
  const old = before.current.key === key ? before.current.pages : undefined;
  const pages = new Map<number, Page>();
  if (head.data) pages.set(0, head.data);
  if (isKnown) {
    numbers.forEach((number, place) => {
      const known = found[place]?.data ?? old?.get(number);
      if (known) pages.set(number, known);
    });
  }
  useEffect(() => {
    before.current = { key, pages };
  });
  const rows: Rows = {
    total,
    at: (place) => pages.get(pageOf(place))?.records[place % PAGE],
    place: (id) => placeIn(pages, id),
    items: [...pages.values()].flatMap((one) => one.records),
    show,
  };
  return { head, rows, failed: found.find((one) => one.isError) };
}

function placeIn(pages: Map<number, Page>, id: string): number | undefined {
  for (const [number, { records }] of pages) {
    const at = records.findIndex((one) => one.id === id);
    if (at >= 0) return number * PAGE + at;
  }
  return undefined;
}

/** Each list, and each length of it, has its own. */
const anchorsOf = (_list: readonly unknown[], total: number) => new Anchors(total);
const pageOf = (row: number) => Math.floor(row / PAGE);
const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);

async function read(
  object: string,
  wanted: Wanted,
  anchors: Anchors,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Page> {
  const plan = anchors.plan(from, to);
  const sort = plan.backward ? reversed(wanted.sort) : wanted.sort;
  const { cursor, limit } = plan;
  const found = await page(
    object,
    { ...wanted, sort, expand: '*', limit, cursor, skip: plan.skip || undefined },
    signal,
  );
  anchors.note(from, to, plan, found.next);
  return plan.backward ? { ...found, records: found.records.reverse() } : found;
}

/** Drops the pages that are farthest from the one in view. */
function forget(client: QueryClient, key: unknown[], near: number): void {
  const held = client.getQueryCache().findAll({ queryKey: key, type: 'inactive' });
  const distance = (query: Query) => Math.abs(Number(query.queryKey.at(-1)) - near);
  held.sort((one, other) => distance(one) - distance(other));
  for (const query of held.slice(HELD)) client.getQueryCache().remove(query);
}
