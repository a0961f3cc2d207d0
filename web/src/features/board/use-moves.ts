/** Moving cards: shown at once, sent, and taken back with one click. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ObjectFact } from '~/api/objects';
import { type BoardColumn, boardKey, update } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { patchRecords } from '~/records/cache';
import { titleOf } from '~/records/schema';
import { findCard, keyOf, moveCard } from './moves';

type Board = { columns: BoardColumn[] };

export function useMoves(
  object: ObjectFact,
  group: string,
  sum: string | undefined,
  nameOf: (column: BoardColumn) => string,
) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  return useCallback(
    async function move(columns: BoardColumn[], id: string, to: string, undoing = false): Promise<void> {
      const found = findCard(columns, id);
      const target = columns.find((column) => keyOf(column) === to);
      if (!found || !target || target === found.column) return;
      const from = keyOf(found.column);
      const title = titleOf(object, found.item);
      client.setQueriesData<Board>({ queryKey: boardKey(object.name) }, (board) =>
        board ? { ...board, columns: moveCard(board.columns, id, to, group, sum) } : board,
      );
      try {
        const after = await update(object.name, id, { [group]: target.value }, found.item.version);
        if (after) patchRecords(client, object.name, [after]);
        const back = () => {
          // The board may have moved on since.
          const now = client.getQueriesData<Board>({ queryKey: boardKey(object.name) });
          const [, board] = now.find(([, known]) => known && findCard(known.columns, id)) ?? [];
          return board ? move(board.columns, id, from, true) : undefined;
        };
        const text = t.board.moved(title, nameOf(target));
        notice.done({ id: `move-${id}`, text, undo: undoing ? undefined : back });
      } catch (error) {
        notice.failed(t.board.notMoved(title), error);
      }
      await client.invalidateQueries({ queryKey: boardKey(object.name) });
    },
    [client, group, nameOf, notice, object, sum, t],
  );
}
