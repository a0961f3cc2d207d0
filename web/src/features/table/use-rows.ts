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
import { pageOf, placeIn, recordsNear, wantedPages } from './pages';

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
  /** Those that are held; not all follow one another. */
  items: Item[];
  /** Those of them that are near the view, in their order. */
  near: Item[];
  /** Says which rows are in view: the first, and the one behind the last. */
  show(first: number, last: number): void;
  /** Says which row is held wherever the view is, as while it is edited. */
  keep(row: number | null): void;
}

/** The first page, with what comes with each answer of it and is gone with it. */
interface Head extends Page {
  /** When it came; changes that are put into it later leave it as it is. */
  came: number;
  /** Where the pages after it begin: as the list was then. */
  anchors: Anchors;
}

export function useRows(object: string, wanted: Wanted) {
  const client = useQueryClient();
  const key = useMemo(() => [...listsKey(object), wanted], [object, wanted]);
  const head = useQuery({
    queryKey: [...key, 'head'],
    queryFn: ({ signal }) => begin(object, wanted, signal),
    placeholderData: keepPreviousData,
    retry: retryList,
  });
  // The best matches of a search are one page, and have no number.
  const total = totalOf(head.data);

  const [near, setNear] = useState({ first: 0, last: 0 });
  const show = useCallback((first: number, last: number) => {
    const next = { first: pageOf(Math.max(0, first - AHEAD)), last: pageOf(last + AHEAD) };
    setNear((known) => (known.first === next.first && known.last === next.last ? known : next));
  }, []);
  const [settled] = useDebouncedValue(near, SETTLED_MS);
  const [kept, keep] = useState<number | null>(null);
  const numbers = wantedPages(settled, kept, total);
  const known = head.isSuccess && !head.isPlaceholderData && head.data.next !== null ? head.data : undefined;
  const later = ({ came, anchors }: Head, number: number) => {
    const [from, to] = [number * PAGE, Math.min(total, (number + 1) * PAGE)];
    return {
      queryKey: [...key, 'page', came, number],
      queryFn: ({ signal }: { signal: AbortSignal }) => read(object, wanted, anchors, from, to, signal),
      gcTime: FORGOTTEN_MS,
      // Another answer of the first page brings other pages; these are never asked for again.
      staleTime: 'static' as const,
      retry: retryList,
    };
  };
  const found = useQueries({ queries: known ? numbers.map((number) => later(known, number)) : [] });
  const came = known?.came;
  useEffect(() => forget(client, [...key, 'page'], came, settled.first), [client, key, came, settled.first]);

  // Pages that are asked for again along with the first one stand as they were until they come.
  const before = useRef({ key, pages: new Map<number, Page>() });
  const old = before.current.key === key ? before.current.pages : undefined;
  const pages = new Map<number, Page>();
  if (head.data) pages.set(0, head.data);
  if (known) {
    numbers.forEach((number, place) => {
      const one = found[place]?.data ?? old?.get(number);
      if (one) pages.set(number, one);
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
    near: recordsNear(pages, near),
    show,
    keep,
  };
  return { head, rows, failed: found.find((one) => one.isError) };
}

const totalOf = (head: Page | undefined): number => head?.total ?? head?.records.length ?? 0;

async function begin(object: string, wanted: Wanted, signal: AbortSignal): Promise<Head> {
  const found = await page(object, { ...wanted, expand: '*', limit: PAGE, count: true }, signal);
  const anchors = new Anchors(totalOf(found));
  anchors.note(0, PAGE, { backward: false, cursor: null, skip: 0, limit: PAGE }, found.next);
  return { ...found, came: Date.now(), anchors };
}

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

/** Drops the pages that came with another answer of the first one, and those that are farthest from the one in view. */
function forget(client: QueryClient, key: unknown[], came: number | undefined, near: number): void {
  const cache = client.getQueryCache();
  const held = cache.findAll({ queryKey: key, type: 'inactive' });
  const [own, others] = [[] as Query[], [] as Query[]];
  for (const query of held) (query.queryKey.at(-2) === came ? own : others).push(query);
  const distance = (query: Query) => Math.abs(Number(query.queryKey.at(-1)) - near);
  own.sort((one, other) => distance(one) - distance(other));
  for (const query of [...others, ...own.slice(HELD)]) cache.remove(query);
}
