/** Making one record of two: which of their values stay is chosen where they differ. */
import { Radio, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { merge } from '~/api/duplicates';
import type { ObjectFact } from '~/api/objects';
import { type Fields, type Item, itemQuery, type Related, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { same } from '~/records/input-value';
import { useFields, useSay, useText } from '~/records/reader';
import { RelationInput } from '~/records/relation-input';
import { held, isEditable, titleOf } from '~/records/schema';
import { useUndo } from '~/records/undo';

export function MergeDialog({ object, item, close }: { object: ObjectFact; item: Item; close(): void }) {
  const { t } = useI18n();
  const say = useSay();
  const text = useText();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  const [other, setOther] = useState<string | null>(null);
  const [related, setRelated] = useState<Related[]>([]);
  const [fromOther, setFromOther] = useState<ReadonlySet<string>>(new Set());
  const second = useQuery({ ...itemQuery(object.name, other ?? ''), enabled: other !== null }).data;
  const fields = [...useFields(object).values()].filter(isEditable);
  const differing = second
    ? fields.filter((field) => {
        const [one, two] = [held(item, field.name) ?? null, held(second, field.name) ?? null];
        return one !== null && two !== null && !same(one, two);
      })
    : [];
  const submit = async () => {
    if (!second) return;
    const chosen = differing.filter((field) => fromOther.has(field.name));
    const kept: Fields = Object.fromEntries(chosen.map((field) => [field.name, held(second, field.name)]));
    const { batch } = await merge(object.name, item.id, second.id, kept);
    close();
    await client.invalidateQueries({ queryKey: [...recordsKey] });
    notice.done({ id: `batch-${batch}`, text: t.merge.done(titleOf(object, second)), undo: () => undo(batch) });
  };
  return (
    <FormDialog
      title={t.merge.title(titleOf(object, item))}
      send={t.record.merge}
      failed={t.merge.failed}
      disabled={!second || second.id === item.id}
      submit={submit}
      close={close}
    >
      <RelationInput
        object={object.name}
        value={other}
        related={related}
        input={{ label: t.merge.other }}
        onChange={(next, titles) => {
          setOther(next as string | null);
          setRelated(titles);
          setFromOther(new Set());
        }}
      />
      <Text size="sm" c="dimmed">
        {t.merge.help}
      </Text>
      <Stack gap="sm">
        {second &&
          differing.map((field) => (
            <Radio.Group
              key={field.name}
              label={say(field.label)}
              value={fromOther.has(field.name) ? 'other' : 'this'}
              onChange={(next) => {
                const chosen = new Set(fromOther);
                if (next === 'other') chosen.add(field.name);
                else chosen.delete(field.name);
                setFromOther(chosen);
              }}
            >
              <Stack gap={4} mt={4}>
                <Radio size="xs" value="this" label={text(item, field)} />
                <Radio size="xs" value="other" label={text(second, field)} />
              </Stack>
            </Radio.Group>
          ))}
      </Stack>
    </FormDialog>
  );
}
