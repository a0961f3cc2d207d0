/** Takes a stage or a pipeline away, and asks where what stands in it goes. */
import { Select, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { batchesKey, type Item, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { linksTo } from '~/features/record/links';
import { useI18n } from '~/i18n';
import { useObjects } from '~/records/reader';
import { Occupied, removeStages, standing } from './removal';

interface RemoveProps {
  object: ObjectFact;
  item: Item;
  /** Of a pipeline: its stages. */
  stages: Item[];
  /** The stages to which everything can go. */
  targets: Item[];
  /** The pipelines of the targets, if they are others. */
  pipelines: Item[];
  close(): void;
}

export function RemoveDialog({ object, item, stages, targets, pipelines, close }: RemoveProps) {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const links = linksTo(useObjects(), 'stage').filter((link) => link.field.kind.type === 'relation');
  const removed = object.name === 'pipeline' ? stages : [item];
  const count = useQuery({
    queryKey: [...recordsKey, 'standing', item.id],
    queryFn: ({ signal }) => standing({ stages: removed, links }, signal),
    gcTime: 0,
  });
  const [target, setTarget] = useState<string | null>(null);
  const title = String(item.fields[object.title] ?? item.id);
  const again = () =>
    Promise.all([recordsKey, batchesKey].map((queryKey) => client.invalidateQueries({ queryKey: [...queryKey] })));
  /** Records have come since they were counted: now it is asked where they go. */
  const asked = async (error: unknown): Promise<never> => {
    if (!(error instanceof Occupied)) throw error;
    await count.refetch();
    throw new Error(t.pipelines.occupied);
  };
  const submit = async () => {
    const kind = object.name === 'pipeline' ? 'pipeline' : 'stage';
    const back = await removeStages({ object: kind, item, stages: removed, links, target }).catch(asked);
    close();
    await again();
    const undo = async () => {
      try {
        await back();
        notice.done({ text: t.table.restored(title) });
      } catch (error) {
        notice.failed(t.table.undoFailed, error);
      }
      await again();
    };
    notice.done({ id: `remove-${item.id}`, text: t.pipelines.removed(title), undo });
  };
  const nameOf = (stage: Item) => String(stage.fields.name ?? stage.id);
  const groups = pipelines.map((pipeline) => ({
    group: nameOf(pipeline),
    items: targets
      .filter((stage) => stage.fields.pipeline === pipeline.id)
      .map((stage) => ({ value: stage.id, label: nameOf(stage) })),
  }));
  const own = targets.map((stage) => ({ value: stage.id, label: nameOf(stage) }));
  return (
    <FormDialog
      title={t.pipelines.remove(title)}
      send={t.table.remove}
      failed={t.settings.failed}
      disabled={count.data === undefined || (count.data > 0 && target === null)}
      submit={submit}
      close={close}
    >
      <Text size="sm">
        {count.data !== undefined && t.pipelines.standing(count.data, format.number(count.data, 0))}
      </Text>
      {count.data !== undefined && count.data > 0 && (
        <Select
          label={t.pipelines.goesTo}
          data={object.name === 'pipeline' ? groups : own}
          value={target}
          allowDeselect={false}
          onChange={setTarget}
        />
      )}
    </FormDialog>
  );
}
