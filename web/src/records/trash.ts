/** Putting records into the trash and taking them out of it, each with the way back. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ObjectFact } from '~/api/objects';
import { type Item, recordsKey, remove, restore } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { titleOf } from './schema';

/** Deletes a record; `done` comes before lists are asked for again, so that the page can leave it. */
export function useDelete(object: ObjectFact): (item: Item, done?: () => unknown) => Promise<void> {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  return useCallback(
    async (item, done) => {
      const title = titleOf(object, item);
      const again = () => client.invalidateQueries({ queryKey: [...recordsKey, object.name] });
      const back = async () => {
        try {
          await restore(object.name, item.id);
          notice.done({ text: t.table.restored(title) });
        } catch (error) {
          notice.failed(t.table.undoFailed, error);
        }
        await again();
      };
      try {
        await remove(object.name, item.id);
        notice.done({ id: `delete-${item.id}`, text: t.record.deleted(title), undo: back });
        await done?.();
        await again();
      } catch (error) {
        notice.failed(t.record.notDeleted(title), error);
      }
    },
    [client, notice, object, t],
  );
}
