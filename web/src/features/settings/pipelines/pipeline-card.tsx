/** One pipeline: its name and its stages. */
import { ActionIcon, Badge, Button, Group, Text, Title } from '@mantine/core';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import type { Item } from '~/api/records';
import { OrderList } from '~/components/order-list';
import { useI18n } from '~/i18n';
import { useFields, useObjects, useText } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { EditDialog } from './edit-dialog';
import { RemoveDialog } from './remove-dialog';
import { useReorder } from './use-reorder';

interface CardProps {
  pipeline: Item;
  stages: Item[];
  /** The other pipelines. */
  others: Item[];
  allStages: Item[];
}

const nameOf = (item: Item) => String(item.fields.name ?? item.id);

export function PipelineCard({ pipeline, stages, others, allStages }: CardProps) {
  const { t } = useI18n();
  const objects = useObjects();
  const [object, ofStages] = ['pipeline', 'stage'].map((name) => objects.find((one) => one.name === name));
  const { items, move } = useReorder('stage', stages);
  const [edited, setEdited] = useState<Item | null>(null);
  const [removed, setRemoved] = useState<Item | null>(null);
  const [adding, setAdding] = useState(false);
  if (!object || !ofStages) return null;
  const title = nameOf(pipeline);
  // Deals go to another stage of the pipeline; those of a pipeline to a stage of another one.
  const targets = (item: Item) =>
    item === pipeline
      ? allStages.filter((stage) => others.some((one) => one.id === stage.fields.pipeline))
      : stages.filter((stage) => stage !== item);
  return (
    <>
      <Group justify="space-between" mb="xs">
        <Group gap={4}>
          <Title order={2} size="h4">
            {title}
          </Title>
          {object.may.update && (
            <Action label={t.pipelines.edit(title)} act={() => setEdited(pipeline)}>
              <Pencil size={14} aria-hidden />
            </Action>
          )}
          {object.may.delete && targets(pipeline).length > 0 && (
            <Action label={t.pipelines.remove(title)} act={() => setRemoved(pipeline)}>
              <Trash2 size={14} aria-hidden />
            </Action>
          )}
        </Group>
        {ofStages.may.create && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<Plus size={14} aria-hidden />}
            onClick={() => setAdding(true)}
          >
            {t.pipelines.addStage}
          </Button>
        )}
      </Group>
      <OrderList
        label={t.pipelines.stagesOf(title)}
        items={items}
        nameOf={nameOf}
        move={stages.length > 1 && ofStages.may.update ? move : null}
        row={(stage) => (
          <Stage
            stage={stage}
            object={ofStages}
            edit={() => setEdited(stage)}
            remove={targets(stage).length > 0 ? () => setRemoved(stage) : null}
          />
        )}
      />
      {edited && (
        <EditDialog
          object={edited === pipeline ? object : ofStages}
          item={edited}
          fields={edited === pipeline ? ['name'] : ['name', 'probability', 'outcome', 'rotting_days']}
          close={() => setEdited(null)}
        />
      )}
      {removed && (
        <RemoveDialog
          object={removed === pipeline ? object : ofStages}
          item={removed}
          stages={removed === pipeline ? stages : []}
          targets={targets(removed)}
          pipelines={others}
          close={() => setRemoved(null)}
        />
      )}
      {adding && (
        <RecordDialog
          object={ofStages}
          given={{ pipeline: pipeline.id, position: stages.length + 1, outcome: 'open' }}
          related={{ pipeline: [{ id: pipeline.id, object: 'pipeline', title }] }}
          close={() => setAdding(false)}
        />
      )}
    </>
  );
}

interface StageProps {
  stage: Item;
  object: ObjectFact;
  edit(): void;
  /** None for the last one: deals need a stage. */
  remove: (() => void) | null;
}

const COLORS: Record<string, string> = { won: 'green', lost: 'red' };

function Stage({ stage, object, edit, remove }: StageProps) {
  const { t, format } = useI18n();
  const text = useText();
  const outcome = useFields(object).get('outcome');
  const name = nameOf(stage);
  const { probability, rotting_days: days } = stage.fields;
  return (
    <Group flex={1} justify="space-between" gap="xs" wrap="nowrap" data-stage={stage.id}>
      <Text size="sm">{name}</Text>
      <Group gap="xs" wrap="nowrap">
        {typeof days === 'number' && (
          <Text size="xs" c="dimmed" visibleFrom="sm">
            {t.pipelines.rots(days, format.number(days, 0))}
          </Text>
        )}
        {typeof probability === 'number' && (
          <Text size="sm" className="figure">
            {format.percent(probability / 100)}
          </Text>
        )}
        {outcome && (
          <Badge variant="dot" w={96} color={COLORS[String(stage.fields.outcome)] ?? 'gray'} tt="none">
            {text(stage, outcome)}
          </Badge>
        )}
        {object.may.update && (
          <Action label={t.pipelines.edit(name)} act={edit}>
            <Pencil size={14} aria-hidden />
          </Action>
        )}
        {object.may.delete && (
          <Action label={t.pipelines.remove(name)} act={remove}>
            <Trash2 size={14} aria-hidden />
          </Action>
        )}
      </Group>
    </Group>
  );
}

function Action({ label, act, children }: { label: string; act: (() => void) | null; children: React.ReactNode }) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={label} disabled={!act} onClick={() => act?.()}>
      {children}
    </ActionIcon>
  );
}
