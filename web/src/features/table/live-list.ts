/** Keeps a list current while others change its records: rows move where they stand, and new ones do not push them. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { type Item, listsKey, page } from '~/api/records';
import type { RecordChange } from '~/live/changes';
import { throttle } from '~/live/throttle';
import { useRecordChanges } from '~/live/use-changes';
import { patchRecords } from '~/records/cache';
import { both, withIds } from '~/records/condition';

/** A list that fits one page is asked for again at most this often. */
const AGAIN_MS = 1_000;
/** Records that are asked for at once: a condition has a limit. */
const AT_ONCE = 100;

interface Watched {
  object: string;
  filter: string;
  trash: boolean;
  items: Item[];
  /** Whether the list may be asked for as a whole: it is one page, and its top is what is seen. */
  whole: boolean;
}

/** The moves of each record since the page was opened, and how many new ones wait to be shown. */
export function useLiveList(watched: Watched): { moves: ReadonlyMap<string, number>; fresh: number; show(): void } {
  const client = useQueryClient();
  const [moves, setMoves] = useState<ReadonlyMap<string, number>>(new Map());
  const [fresh, setFresh] = useState(0);
  const { object } = watched;
  const again = useMemo(
    () => throttle(() => client.invalidateQueries({ queryKey: listsKey(object) }), AGAIN_MS),
    [client, object],
  );
  useEffect(() => again.cancel, [again]);
  const latest = useRef(watched);
  useEffect(() => {
    latest.current = watched;
  });

  const take = (changes: RecordChange[]) => {
    const { items, whole } = latest.current;
    const own = changes.filter((change) => change.object === object);
    if (own.length === 0) return;
    const versions = new Map(items.map((item) => [item.id, item.version]));
    const touched = own.filter((change) => versions.has(change.record));
    if (touched.length > 0) setMoves((known) => counted(known, touched));
    if (whole) {
      again();
      return;
    }
    setFresh((count) => count + own.filter((change) => change.op === 'create' || change.op === 'restore').length);
    // What this page has changed itself is known already.
    const unseen = touched.filter((change) => change.version > (versions.get(change.record) ?? 0));
    void refresh([...new Set(unseen.map((change) => change.record))]);
  };
  const refresh = async (ids: string[]) => {
    const { filter, trash } = latest.current;
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE);
      const found = await page(object, { filter: both(filter, withIds(some)), trash, expand: '*', limit: AT_ONCE });
      const there = new Set(found.records.map((item) => item.id));
      const gone = some.filter((id) => !there.has(id));
      patchRecords(client, object, found.records, gone);
      // What stood below has moved up.
      if (gone.length > 0) again();
    }
  };
  useRecordChanges({ onChanges: take, onResync: again });
  const show = () => {
    setFresh(0);
    void client.resetQueries({ queryKey: listsKey(object) });
  };
  return { moves, fresh, show };
}

function counted(known: ReadonlyMap<string, number>, changes: RecordChange[]): ReadonlyMap<string, number> {
  const next = new Map(known);
  for (const { record } of changes) next.set(record, (next.get(record) ?? 0) + 1);
  return next;
}
