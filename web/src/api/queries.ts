/** What the pages ask the server for, and under which keys the answers are kept. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, ProblemError, told } from './client';

export const listKey = ['customers'] as const;
export const customerKey = ['customer'] as const;
export const timelineKey = ['timeline'] as const;
const PAGE = 50;

export type SortKey = 'last_seen' | 'score';

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: () =>
    told(api.GET('/v1/session')).catch((error: unknown) => {
      if (error instanceof ProblemError && error.status === 401) return null;
      throw error;
    }),
  staleTime: 60_000,
});

export const aboutQuery = queryOptions({
  queryKey: ['about'],
  queryFn: () => told(api.GET('/v1/about')),
  staleTime: Number.POSITIVE_INFINITY,
});

export function customersQuery(q: string, sort: SortKey) {
  return infiniteQueryOptions({
    queryKey: [...listKey, q, sort],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      told(
        api.GET('/v1/customers', {
          params: { query: { limit: PAGE, sort, q: q || undefined, cursor: pageParam ?? undefined } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
    // While a search is on its way the rows of the one before stay, instead of a page that flickers.
    placeholderData: keepPreviousData,
  });
}

export function customerQuery(id: string) {
  return queryOptions({
    queryKey: [...customerKey, id],
    queryFn: ({ signal }) => told(api.GET('/v1/customers/{id}', { params: { path: { id } }, signal })),
    retry: (count, error) => !(error instanceof ProblemError && error.status === 404) && count < 3,
  });
}

export function timelineQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: [...timelineKey, id],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      told(
        api.GET('/v1/customers/{id}/timeline', {
          params: { path: { id }, query: { limit: PAGE, before: pageParam ?? undefined } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next,
  });
}

export const setAttributes = (id: string, attributes: Record<string, unknown>) =>
  told(api.PATCH('/v1/customers/{id}', { params: { path: { id } }, body: { attributes } }));
export const signIn = (token: string) => told(api.POST('/v1/session', { body: { token } }));
export const signOut = () => told(api.DELETE('/v1/session'));

/** What the pages read of a definition. The document leaves definitions open: they are checked as a whole when saved. */
interface Titled {
  name: string;
  title?: { en: string; zh: string } | null;
}

/** A score: each `event` is a moment, and whether its outcome comes `within` a span is what is predicted. */
export interface ScoreDefinition extends Titled {
  event: string;
  within: string;
  /** The feature whose ranking alone a model must beat. */
  baseline: string;
}

export interface Definitions {
  features?: Titled[];
  segments?: Titled[];
  scores?: ScoreDefinition[];
}

export const definitionsQuery = queryOptions({
  queryKey: ['definitions'],
  queryFn: () => told(api.GET('/v1/definitions')) as Promise<Definitions>,
  staleTime: 60_000,
});
