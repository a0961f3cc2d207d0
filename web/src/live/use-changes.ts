/** Changes of records for components. */
import { useEffect, useRef } from 'react';
import { type ChangesListener, changesFeed } from './changes';

/** Calls `listener` while the component is mounted and `wanted`; the newest one counts. */
export function useRecordChanges(listener: ChangesListener, wanted = true): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    if (!wanted) return;
    return changesFeed.listen({
      onChanges: (changes) => latest.current.onChanges(changes),
      onResync: () => latest.current.onResync(),
    });
  }, [wanted]);
}
