/** The pipelines with their stages: named, put in order, added and taken away. */
import { Button, Card, Group, Stack, Text } from '@mantine/core';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { Item } from '~/api/records';
import { OrderList } from '~/components/order-list';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { usePipelines } from '~/records/pipelines';
import { useObjects } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { PipelineCard } from './pipeline-card';
import { useReorder } from './use-reorder';

export function Pipelines() {
  const { t } = useI18n();
  const { all, stages, isPending, error } = usePipelines();
  const object = useObjects().find((one) => one.name === 'pipeline');
  const { items, move } = useReorder('pipeline', all);
  const [adding, setAdding] = useState(false);
  if (error) return <Failed error={error} />;
  if (isPending || !object) return <Waiting />;
  const nameOf = (pipeline: Item) => String(pipeline.fields.name ?? pipeline.id);
  return (
    <Stack maw={860}>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" maw={640}>
          {t.pipelines.lead}
        </Text>
        {object.may.create && (
          <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={() => setAdding(true)}>
            {t.pipelines.add}
          </Button>
        )}
      </Group>
      <OrderList
        label={t.settings.sections.pipelines}
        items={items}
        nameOf={nameOf}
        move={all.length > 1 && object.may.update ? move : null}
        row={(pipeline) => (
          <Card withBorder flex={1} component="section" aria-label={nameOf(pipeline)} data-pipeline={pipeline.id}>
            <PipelineCard
              pipeline={pipeline}
              stages={stages.filter((stage) => stage.fields.pipeline === pipeline.id)}
              others={all.filter((one) => one.id !== pipeline.id)}
              allStages={stages}
            />
          </Card>
        )}
      />
      {adding && <RecordDialog object={object} given={{ position: all.length + 1 }} close={() => setAdding(false)} />}
    </Stack>
  );
}
