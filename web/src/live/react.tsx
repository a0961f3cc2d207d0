/** The live hub for components: state, changes, and what keeps the query cache current. */
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { listKey } from '~/api/queries';
import type { CustomerChange } from './batch';
import type { LiveState } from './connection';
import { LiveHub } from './hub';
import { patchCustomers, patchList } from './patch';
import { throttle } from './throttle';

/** After "resync" everything shown is fetched again, but not more often than this. */
const RESYNC_PACE_MS = 2_000;

const HubContext = createContext<LiveHub | null>(null);

/** Holds the connection open while it is mounted, so below the sign-in. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [hub] = useState(() => new LiveHub());
  useEffect(() => {
    const refetch = throttle(() => queryClient.invalidateQueries(), RESYNC_PACE_MS);
    const ends = [
      hub.onChanges((changes) => {
        patchList(queryClient, listKey, changes);
        patchCustomers(queryClient, changes);
      }),
      hub.onResync(refetch),
      hub.onState(() => {
        if (hub.state.kind === 'signed_out') void queryClient.invalidateQueries({ queryKey: ['session'] });
      }),
    ];
    hub.start();
    return () => {
      for (const end of ends) end();
      refetch.cancel();
      hub.stop();
    };
  }, [hub, queryClient]);
  return <HubContext value={hub}>{children}</HubContext>;
}

export function useLiveHub(): LiveHub {
  const hub = useContext(HubContext);
  if (!hub) throw new Error('useLiveHub needs a LiveProvider above it');
  return hub;
}

export function useLiveState(): LiveState {
  const hub = useLiveHub();
  return useSyncExternalStore(hub.onState, () => hub.state);
}

/** Calls `listener` with the changes of each frame, after the query cache has them. */
export function useLiveChanges(listener: (changes: CustomerChange[]) => void): void {
  const hub = useLiveHub();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => hub.onChanges((changes) => latest.current(changes)), [hub]);
}
