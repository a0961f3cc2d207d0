/** Changes of many records that are taken back as one. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { batchesKey, recordsKey, undoBatch } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

/** Takes a batch back and tells what came of it. */
export function useUndo(): (batch: string) => Promise<void> {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  return useCallback(
    async (batch) => {
      try {
        const { undone, kept, profiles } = await undoBatch(batch);
        const back = t.table.undone(undone, format.number(undone));
        const left = kept.length === 0 ? '' : ` ${t.table.kept(kept.length, format.number(kept.length))}.`;
        const apart = profiles ? ` ${t.merge.apart}` : '';
        notice.done({ text: `${back}.${left}${apart}` });
      } catch (error) {
        notice.failed(t.table.undoFailed, error);
      }
      await Promise.all(
        [recordsKey, batchesKey].map((queryKey) => client.invalidateQueries({ queryKey: [...queryKey] })),
      );
    },
    [client, notice, t, format],
  );
}
