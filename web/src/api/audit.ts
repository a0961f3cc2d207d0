/** What was done by whom, over all records. */
import { infiniteQueryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { Change } from './records';

export interface AuditWanted {
  actor?: string;
  object?: string;
  batch?: string;
}

const PAGE = 100;

export function auditQuery(wanted: AuditWanted) {
  return infiniteQueryOptions({
    queryKey: ['audit', wanted],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam, signal }) =>
      call<{ changes: Change[] }>('GET', '/audit', { query: { ...wanted, before: pageParam, limit: PAGE }, signal }),
    getNextPageParam: (last) => (last.changes.length < PAGE ? null : last.changes.at(-1)?.seq),
  });
}
