/** Making one record of two, with the way back. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { merge } from '~/api/duplicates';
import type { ObjectFact } from '~/api/objects';
import { type Item, recordsKey } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useFields } from '../reader';
import { titleOf } from '../schema';
import { useUndo } from '../undo';
import { chosenFields, compared, type Side } from './compare';

/** What is chosen of two records, and the merge that does it. `undone` comes after a merge was taken back. */
export function useMerge(object: ObjectFact, one: Item | undefined, other: Item | undefined, undone?: () => unknown) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  const fields = useFields(object);
  const [stays, setStays] = useState<Side>('one');
  const [choices, setChoices] = useState<ReadonlyMap<string, Side>>(new Map());
  const rows = useMemo(() => (one && other ? compared(fields.values(), one, other) : []), [fields, one, other]);
  const choose = useCallback(
    (name: string, side: Side) => setChoices((known) => new Map([...known, [name, side]])),
    [],
  );
  const begin = useCallback(() => {
    setStays('one');
    setChoices(new Map());
  }, []);
  const run = async () => {
    if (!one || !other) return;
    const [winner, loser] = stays === 'one' ? [one, other] : [other, one];
    const fields = chosenFields(rows, choices, stays, one, other);
    const { batch, profiles } = await merge(object.name, winner.id, loser.id, fields);
    const back = async () => {
      await undo(batch);
      await undone?.();
    };
    const done = t.merge.done(titleOf(object, loser));
    const text = profiles ? `${done}. ${t.merge.joined}` : done;
    notice.done({ id: `batch-${batch}`, text, undo: back });
    await client.invalidateQueries({ queryKey: [...recordsKey] });
  };
  return { rows, stays, setStays, choices, choose, begin, run };
}
