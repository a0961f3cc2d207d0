/** Where the columns go. The server has guessed; its guesses stand beside the first values of each column. */
import { Alert, Button, Checkbox, Group, Select, Stack, Table, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import {
  type Check,
  type Column,
  checkImport,
  type DateOrder,
  type Import,
  importKey,
  type Mapping,
  mapImport,
} from '~/api/imports';
import type { ObjectFact } from '~/api/objects';
import { useI18n } from '~/i18n';
import { useFields, useObjects, useSay } from '~/records/reader';
import { type Choice, choicesOf, keyOf, targetOf } from './targets';

/** Values of a column that are shown. */
const SAMPLES = 3;

interface MappingProps {
  object: ObjectFact;
  work: Import;
  checked(check: Check): void;
}

export function MappingStep({ object, work, checked }: MappingProps) {
  const { t } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const objects = useObjects();
  const fields = useFields(object);
  const [mapping, setMapping] = useState<Mapping>(work.mapping);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const choices = choicesOf(fields.values(), objects);
  const name = (choice: Choice) => {
    if (!choice.more) return say(choice.field.label);
    const there = objects.find((one) => one.name === choice.field.kind.object);
    const field = there?.fields.find((one) => one.name === choice.more);
    const parts: Record<string, string> = { ...t.values.address, amount: t.import.amount, currency: t.values.currency };
    const more = field ? say(field.label) : (parts[choice.more] ?? choice.more);
    return `${say(choice.field.label)}: ${more}`;
  };
  const data = [
    { value: 'skip', label: t.import.skip },
    { value: 'id', label: t.import.id },
    ...choices.map((choice) => ({ value: choice.value, label: name(choice) })),
  ];
  const keys = [
    { value: 'id', label: t.import.id },
    ...object.fields
      .filter((field) => !field.retired && ['text', 'email', 'phone'].includes(field.kind.type))
      .map((field) => ({ value: field.name, label: say(field.label) })),
  ];
  const put = (place: number, column: Column) =>
    setMapping({ ...mapping, columns: mapping.columns.map((one, at) => (at === place ? column : one)) });
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      const mapped = await mapImport(work.id, mapping);
      client.setQueryData([...importKey, work.id], mapped);
      checked(await checkImport(work.id));
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <Stack>
      <Table.ScrollContainer minWidth={760} type="native" tabIndex={0}>
        <Table aria-label={t.import.mapping} verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.import.column}</Table.Th>
              <Table.Th>{t.import.values}</Table.Th>
              <Table.Th>{t.import.goesTo}</Table.Th>
              <Table.Th>{t.import.written}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {mapping.columns.map((column, place) => (
              <ColumnRow
                key={column.name}
                column={column}
                samples={work.about.sample.map((row) => row[place] ?? '').filter(Boolean)}
                data={data}
                kind={choices.find((choice) => choice.value === keyOf(column.target))?.field.kind.type}
                put={(next) => put(place, next)}
              />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Select
        maw={360}
        clearable
        label={t.import.key}
        description={t.import.keyHelp}
        data={keys}
        value={mapping.key}
        onChange={(key) => setMapping({ ...mapping, key })}
      />
      {mapping.key && (
        <Checkbox
          label={t.import.clear}
          checked={mapping.clear}
          onChange={(event) => setMapping({ ...mapping, clear: event.currentTarget.checked })}
        />
      )}
      {error && (
        <Alert color="red" title={t.import.notChecked} role="alert">
          {error.message}
        </Alert>
      )}
      <Group>
        <Button loading={busy} onClick={() => void submit()}>
          {t.import.check}
        </Button>
      </Group>
    </Stack>
  );
}

interface ColumnProps {
  column: Column;
  samples: string[];
  data: { value: string; label: string }[];
  /** What the field holds that the column goes to. */
  kind: string | undefined;
  put(column: Column): void;
}

function ColumnRow({ column, samples, data, kind, put }: ColumnProps) {
  const { t } = useI18n();
  const { target, style } = column;
  const orders: DateOrder[] = ['year_month_day', 'day_month_year', 'month_day_year'];
  return (
    <Table.Tr data-import-column={column.name}>
      <Table.Th>{column.name}</Table.Th>
      <Table.Td>
        <Text size="xs" c="dimmed" lineClamp={2}>
          {samples.slice(0, SAMPLES).join(' · ')}
        </Text>
      </Table.Td>
      <Table.Td>
        <Select
          size="xs"
          searchable
          aria-label={t.import.goesToOf(column.name)}
          data={data}
          value={keyOf(target)}
          allowDeselect={false}
          onChange={(next) => next && put({ ...column, target: targetOf(next) })}
        />
        {target.to === 'relation' && target.by !== 'id' && (
          <Checkbox
            size="xs"
            mt={4}
            label={t.import.makeMissing}
            checked={target.create ?? false}
            onChange={(event) => put({ ...column, target: { ...target, create: event.currentTarget.checked } })}
          />
        )}
      </Table.Td>
      <Table.Td>
        {(kind === 'date' || kind === 'date_time') && (
          <Select
            size="xs"
            aria-label={t.import.writtenOf(column.name)}
            data={orders.map((order) => ({ value: order, label: t.import.orders[order] }))}
            value={style.dates}
            allowDeselect={false}
            onChange={(next) => next && put({ ...column, style: { ...style, dates: next as DateOrder } })}
          />
        )}
        {(kind === 'number' || kind === 'money') && (
          <Checkbox
            size="xs"
            label="1.234,50"
            checked={style.decimal_comma}
            onChange={(event) => put({ ...column, style: { ...style, decimal_comma: event.currentTarget.checked } })}
          />
        )}
      </Table.Td>
    </Table.Tr>
  );
}
