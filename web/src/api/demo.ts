/** Demo data: whether there is some, and removing it. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { Demo } from './schema';

export type { Demo };

export const demoKey = ['demo'] as const;

/** How often is looked whether somebody has filled it in or removed it, and while it is being removed. */
const LOOK_MS = 30_000;
const WATCH_MS = 500;

export const demoQuery = queryOptions({
  queryKey: demoKey,
  queryFn: ({ signal }) => call<{ demo: Demo | null }>('GET', '/demo', { signal }),
  select: (answer) => answer.demo,
  refetchInterval: (query) => (query.state.data?.demo?.state === 'removing' ? WATCH_MS : LOOK_MS),
});

export const removeDemo = () => call<Demo>('DELETE', '/demo');
