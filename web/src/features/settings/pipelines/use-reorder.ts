/** Writes the order of pipelines, or of stages, with the way back. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { bulk, type Edit, type Item, listsKey } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { patchRecords } from '~/records/cache';
import { renumbered } from '~/records/order';
import { useUndo } from '~/records/undo';

export function useReorder(object: 'pipeline' | 'stage'): (items: Item[]) => Promise<void> {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  return useCallback(
    async (items) => {
      const places = renumbered(items, (item) => Number(item.fields.position ?? 0));
      if (places.length === 0) return;
      const edits = places.map(
        ({ item, position }): Edit => ({ op: 'update', id: item.id, fields: { position }, version: item.version }),
      );
      try {
        const { records, batch } = await bulk(object, edits);
        patchRecords(client, object, records);
        if (batch) notice.done({ id: `order-${object}`, text: t.pipelines.ordered, undo: () => undo(batch) });
      } catch (error) {
        notice.failed(t.settings.failed, error);
      }
      await client.invalidateQueries({ queryKey: listsKey(object) });
    },
    [client, notice, object, t, undo],
  );
}
