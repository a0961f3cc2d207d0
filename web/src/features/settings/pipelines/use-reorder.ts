/** Pipelines, or stages, in the order that the reader gives them: shown at once, written one after the other, with the way back. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { bulk, type Edit, type Item, listsKey } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { arranged, moved } from '~/records/order';
import { useUndo } from '~/records/undo';
import { OrderWriter } from './order-writer';

interface Reorder {
  /** `known` as they are shown. */
  items: Item[];
  move(from: number, to: number): Promise<void>;
}

export function useReorder(object: 'pipeline' | 'stage', known: Item[]): Reorder {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  /** The order that is on its way to the server. */
  const [order, setOrder] = useState<string[] | null>(null);
  const items = order ? arranged(known, order) : known;
  const write = async (edits: Edit[]) => {
    const { records, batch } = await bulk(object, edits);
    if (batch) notice.done({ id: `order-${object}`, text: t.pipelines.ordered, undo: () => undo(batch) });
    return records;
  };
  const latest = useRef(write);
  useEffect(() => {
    latest.current = write;
  });
  const writer = useMemo(
    () =>
      new OrderWriter(
        (edits) => latest.current(edits),
        () => client.invalidateQueries({ queryKey: listsKey(object) }),
      ),
    [client, object],
  );
  const move = async (from: number, to: number) => {
    const next = moved(items, from, to);
    setOrder(next.map((item) => item.id));
    try {
      if (await writer.put(next)) setOrder(null);
    } catch (error) {
      setOrder(null);
      notice.failed(t.settings.failed, error);
    }
  };
  return { items, move };
}
