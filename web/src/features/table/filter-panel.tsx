/** The filter: rows of field, comparison and value, or the condition itself with the server's word on it. */
import { ActionIcon, Button, Group, NumberInput, Paper, Select, Stack, Text, Textarea } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import type { Related } from '~/api/records';
import { useI18n } from '~/i18n';
import { needsValue, type Operator, operatorsOf, type Row, readCondition, writeCondition } from '~/records/condition';
import { type Path, type Paths, usePaths } from '~/records/paths';
import { ValueInput } from '~/records/value-input';

interface PanelProps {
  object: ObjectFact;
  filter: string;
  /** What the server says about it, if it refuses it. */
  mistake: string | null;
  apply(filter: string): void;
}

export function FilterPanel({ object, filter, mistake, apply }: PanelProps) {
  const { t } = useI18n();
  const paths = usePaths(object);
  const read = readCondition(filter, paths.kindOf);
  const [asText, setAsText] = useState(read === null);
  const [rows, setRows] = useState<Row[]>(read && read.length > 0 ? read : [first(object)]);
  const [text, setText] = useState(filter);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    apply(asText ? text.trim() : writeCondition(rows, paths.kindOf));
  };
  const turn = () => {
    if (asText) {
      const known = readCondition(text, paths.kindOf);
      if (known) setRows(known.length > 0 ? known : [first(object)]);
      setAsText(known === null);
    } else {
      setText(writeCondition(rows, paths.kindOf));
      setAsText(true);
    }
  };
  const put = (place: number, row: Row) => setRows(rows.map((one, at) => (at === place ? row : one)));
  const complex = asText && readCondition(text, paths.kindOf) === null;
  return (
    <Paper withBorder p="sm" component="form" onSubmit={submit} aria-label={t.filter.title} role="group">
      <Stack gap="xs">
        {asText ? (
          <Textarea
            label={t.filter.text}
            description={t.filter.textHelp}
            autosize
            minRows={2}
            ff="monospace"
            value={text}
            error={mistake && text.trim() === filter ? <Mistake source={filter} detail={mistake} /> : undefined}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        ) : (
          rows.map((row, place) => (
            <RowInputs
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name than their place
              key={place}
              row={row}
              paths={paths}
              put={(next) => put(place, next)}
              remove={() => setRows(rows.filter((_, at) => at !== place))}
            />
          ))
        )}
        {complex && text.trim() !== '' && (
          <Text size="xs" c="dimmed">
            {t.filter.complex}
          </Text>
        )}
        <Group gap="xs">
          {!asText && (
            <Button
              size="xs"
              variant="default"
              leftSection={<Plus size={14} aria-hidden />}
              onClick={() => setRows([...rows, first(object)])}
            >
              {t.filter.add}
            </Button>
          )}
          <Button size="xs" variant="subtle" onClick={turn} disabled={complex && text.trim() !== ''}>
            {asText ? t.filter.asRows : t.filter.asText}
          </Button>
          <Button
            size="xs"
            variant="subtle"
            ml="auto"
            onClick={() => {
              setRows([first(object)]);
              setText('');
              apply('');
            }}
          >
            {t.filter.clear}
          </Button>
          <Button size="xs" type="submit">
            {t.filter.apply}
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}

function first(object: ObjectFact): Row {
  return { field: object.title, operator: 'has', value: '' };
}

/** What the server says, with the part of the condition that it stopped at. */
function Mistake({ source, detail }: { source: string; detail: string }) {
  const place = /line (\d+), column (\d+)/.exec(detail);
  const line = place && source.split('\n')[Number(place[1]) - 1];
  if (!place || line === undefined || line === null) return detail;
  const at = Number(place[2]) - 1;
  const letters = [...line];
  return (
    <>
      {detail}
      <Text component="span" display="block" ff="monospace" size="xs" mt={4}>
        {letters.slice(0, at).join('')}
        <mark>{letters.slice(at, at + 1).join('') || ' '}</mark>
        {letters.slice(at + 1).join('')}
      </Text>
    </>
  );
}

interface RowProps {
  row: Row;
  paths: Paths;
  put(row: Row): void;
  remove(): void;
}

function RowInputs({ row, paths, put, remove }: RowProps) {
  const { t } = useI18n();
  const [related, setRelated] = useState<Related[]>([]);
  const path = paths.at(row.field);
  const operators = path ? operatorsOf(path.field.kind.type) : [];
  const change = (field: string) => {
    const next = paths.kindOf(field);
    const known = next ? operatorsOf(next) : [];
    const operator = known.includes(row.operator) ? row.operator : (known[0] ?? 'is');
    put({ field, operator, value: '' });
  };
  return (
    <Group gap="xs" wrap="wrap" align="flex-start">
      <Select
        size="xs"
        w={220}
        searchable
        aria-label={t.filter.field}
        data={paths.groups}
        value={row.field}
        allowDeselect={false}
        onChange={(next) => next && change(next)}
      />
      <Select
        size="xs"
        w={150}
        aria-label={t.filter.operator}
        data={operators.map((one) => ({ value: one, label: t.filter.operators[one] }))}
        value={row.operator}
        allowDeselect={false}
        onChange={(next) => next && put({ ...row, operator: next as Operator })}
      />
      {path && needsValue(row.operator) && (
        <div style={{ minWidth: 180, flex: 1, maxWidth: 320 }}>
          <RowValue row={row} path={path} put={put} related={related} setRelated={setRelated} />
        </div>
      )}
      <ActionIcon variant="subtle" color="gray" aria-label={t.filter.remove} onClick={remove}>
        <X size={16} aria-hidden />
      </ActionIcon>
    </Group>
  );
}

interface RowValueProps {
  row: Row;
  path: Path;
  put(row: Row): void;
  related: Related[];
  setRelated(related: Related[]): void;
}

/** The value that a row compares with: a choice where there are choices, else a number or a text. */
function RowValue({ row, path, put, related, setRelated }: RowValueProps) {
  const { t } = useI18n();
  const { type } = path.field.kind;
  const tell = (value: unknown) => put({ ...row, value: value === null || value === undefined ? '' : String(value) });
  if (row.operator === 'last' || row.operator === 'next') {
    return <NumberInput size="xs" aria-label={t.filter.days} min={1} max={99_999} value={row.value} onChange={tell} />;
  }
  const plain = { ...path.field, required: false };
  const oneOf = { multi_choice: 'choice', relations: 'relation' } as const;
  const kind = type in oneOf ? oneOf[type as keyof typeof oneOf] : null;
  const asNumber = type === 'money' || type === 'formula' || type === 'number';
  const field = kind
    ? { ...plain, kind: { ...path.field.kind, type: kind } }
    : type === 'date_time'
      ? { ...plain, kind: { type: 'date' as const } }
      : asNumber
        ? { ...plain, kind: { type: 'number' as const } }
        : ['choice', 'relation', 'user', 'date'].includes(type)
          ? plain
          : { ...plain, kind: { type: 'text' as const } };
  const value = row.value === '' ? null : asNumber ? Number(row.value) : row.value;
  return (
    <ValueInput
      field={{ ...field, label: { en: t.filter.value, zh: t.filter.value } }}
      size="xs"
      value={value}
      related={related}
      onChange={(next, titles = []) => {
        setRelated(titles);
        tell(next);
      }}
    />
  );
}
