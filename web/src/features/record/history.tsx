/** Who changed what of a record, from what to what, with the way back for each value. */
import { ActionIcon, Button, Group, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { RotateCcw } from 'lucide-react';
import type { ObjectFact, SeenField } from '~/api/objects';
import { type Change, historyQuery, type Item } from '~/api/records';
import { Ago } from '~/components/ago';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { relatedOf, textOf } from '~/records/cell';
import { useSave } from '~/records/edit';
import { same } from '~/records/input-value';
import { useFields, usePerson, useReader, useSay } from '~/records/reader';
import { held, isEditable } from '~/records/schema';

export function History({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const history = useInfiniteQuery(historyQuery(object.name, item.id));
  if (history.isPending) return <Waiting />;
  if (history.isError) {
    return <Failed error={history.error} title={t.history.failed} retry={() => history.refetch()} />;
  }
  const changes = history.data.pages.flatMap((page) => page.changes);
  return (
    <>
      <ol className="past" aria-label={t.history.label}>
        {changes.map((change) => (
          <Entry key={change.seq} object={object} item={item} change={change} />
        ))}
      </ol>
      {history.hasNextPage && (
        <Button
          mt="xs"
          size="xs"
          variant="default"
          loading={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          {t.history.older}
        </Button>
      )}
    </>
  );
}

function Entry({ object, item, change }: { object: ObjectFact; item: Item; change: Change }) {
  const { t } = useI18n();
  const person = usePerson();
  const fields = useFields(object);
  // What a new record began with says more than that each of it was nothing before.
  const names = Object.keys(change.after).concat(Object.keys(change.before).filter((name) => !(name in change.after)));
  return (
    <li data-change={change.op}>
      <Text size="sm">
        <b>{person(change.actor)}</b> {t.history.ops[change.op]}{' '}
        <Text span size="xs" c="dimmed">
          <Ago at={change.at} />
        </Text>
      </Text>
      {names.map((name) => {
        const field = fields.get(name);
        return field && <Value key={name} object={object} item={item} field={field} change={change} />;
      })}
    </li>
  );
}

interface ValueProps {
  object: ObjectFact;
  item: Item;
  field: SeenField;
  change: Change;
}

function Value({ object, item, field, change }: ValueProps) {
  const { t } = useI18n();
  const say = useSay();
  const reader = useReader();
  const save = useSave(object);
  const [before, after] = [change.before[field.name] ?? null, change.after[field.name] ?? null];
  const text = (value: unknown) => textOf(field, value, reader, relatedOf(item, field.name)) || t.values.none;
  const mayRestore =
    change.op === 'update' &&
    object.may.update &&
    !item.deleted_at &&
    isEditable(field) &&
    !same(held(item, field.name), before);
  return (
    <Group gap={6} wrap="nowrap" justify="space-between">
      <Text size="sm" data-field={field.name}>
        {say(field.label)}: {change.op === 'update' && <del>{text(before)}</del>} <ins>{text(after)}</ins>
      </Text>
      {mayRestore && (
        <ActionIcon
          variant="subtle"
          size="sm"
          aria-label={t.history.restore(say(field.label), text(before))}
          title={t.history.restore(say(field.label), text(before))}
          onClick={() => void save(item, field, before)}
        >
          <RotateCcw size={14} aria-hidden />
        </ActionIcon>
      )}
    </Group>
  );
}
