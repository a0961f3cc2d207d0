/** What the pages ask the server for, and under which keys the answers are kept. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { call, ProblemError } from './client';
import type { About, Customer, CustomerList, Definitions, Json, Session, SortKey, Timeline } from './types';

export const listKey = ['customers'] as const;
export const customerKey = ['customer'] as const;
export const timelineKey = ['timeline'] as const;
const PAGE = 50;

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    try {
      return await call<Session>('GET', '/v1/session');
    } catch (error) {
      if (error instanceof ProblemError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const aboutQuery = queryOptions({
  queryKey: ['about'],
  queryFn: () => call<About>('GET', '/v1/about'),
  staleTime: Number.POSITIVE_INFINITY,
});

export function customersQuery(text: string, sort: SortKey) {
  return infiniteQueryOptions({
    queryKey: [...listKey, text, sort],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ limit: String(PAGE), sort });
      if (text) query.set('q', text);
      if (pageParam !== null) query.set('cursor', pageParam);
      return call<CustomerList>('GET', `/v1/customers?${query}`);
    },
    getNextPageParam: (page) => page.next,
  });
}

const path = (id: string) => `/v1/customers/${encodeURIComponent(id)}`;

export function customerQuery(id: string) {
  return queryOptions({
    queryKey: [...customerKey, id],
    queryFn: () => call<Customer>('GET', path(id)),
    retry: (count, error) => !(error instanceof ProblemError && error.status === 404) && count < 3,
  });
}

export function timelineQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: [...timelineKey, id],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ limit: String(PAGE) });
      if (pageParam !== null) query.set('before', pageParam);
      return call<Timeline>('GET', `${path(id)}/timeline?${query}`);
    },
    getNextPageParam: (page) => page.next,
  });
}

export const setAttributes = (id: string, attributes: Record<string, Json>) =>
  call<{ message_id: string }>('PATCH', path(id), { attributes });
export const signIn = (token: string) => call<Session>('POST', '/v1/session', { token });
export const signOut = () => call<null>('DELETE', '/v1/session');

export const definitionsQuery = queryOptions({
  queryKey: ['definitions'],
  queryFn: () => call<Definitions>('GET', '/v1/definitions'),
  staleTime: 60_000,
});
