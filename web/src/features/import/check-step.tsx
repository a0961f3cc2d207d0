/** What the import would come to: counts, the first differences, the first mistakes. */
import { Button, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type Check, type Import, importKey, startImport, type Tally } from '~/api/imports';
import type { ObjectFact } from '~/api/objects';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { textOf } from '~/records/cell';
import { useFields, useReader, useSay } from '~/records/reader';

interface CheckProps {
  object: ObjectFact;
  work: Import;
  check: Check;
  back(): void;
}

export function CheckStep({ object, work, check, back }: CheckProps) {
  const { t } = useI18n();
  const say = useSay();
  const reader = useReader();
  const fields = useFields(object);
  const client = useQueryClient();
  const notice = useNotice();
  const start = async () => {
    try {
      client.setQueryData([...importKey, work.id], await startImport(work.id));
    } catch (error) {
      notice.failed(t.import.notStarted, error);
    }
  };
  const named = (name: string) => {
    const field = fields.get(name);
    return field ? say(field.label) : name;
  };
  const text = (name: string, value: unknown) => {
    const field = fields.get(name);
    return (field ? textOf(field, value, reader) : String(value ?? '')) || t.values.none;
  };
  const nothing = check.created + check.updated === 0;
  return (
    <Stack>
      <Title order={2} size="h4">
        {t.import.wouldBe}
      </Title>
      <Counts tally={check} />
      {check.related > 0 && <Text size="sm">{t.import.related(check.related)}</Text>}
      {check.differences.length > 0 && (
        <Table aria-label={t.import.differences}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.import.row}</Table.Th>
              <Table.Th>{t.import.differences}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {check.differences.map((one) => (
              <Table.Tr key={one.row}>
                <Table.Td>{one.row}</Table.Td>
                <Table.Td>
                  {Object.keys(one.after).map((name) => (
                    <Text key={name} size="sm">
                      {named(name)}: <del>{text(name, one.before[name])}</del> {text(name, one.after[name])}
                    </Text>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {check.mistakes.length > 0 && (
        <Table aria-label={t.import.mistakes}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.import.row}</Table.Th>
              <Table.Th>{t.edit.field}</Table.Th>
              <Table.Th>{t.import.mistakes}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {check.mistakes.map((one) => (
              <Table.Tr key={`${one.row} ${one.field}`}>
                <Table.Td>{one.row}</Table.Td>
                <Table.Td>{named(one.field)}</Table.Td>
                <Table.Td>{one.what}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Group>
        <Button variant="default" onClick={back}>
          {t.import.back}
        </Button>
        <Button disabled={nothing} onClick={() => void start()}>
          {t.import.start}
        </Button>
      </Group>
    </Stack>
  );
}

export function Counts({ tally }: { tally: Tally }) {
  const { t, format } = useI18n();
  return (
    <Group gap="lg">
      {(['created', 'updated', 'unchanged', 'failed'] as const).map((name) => (
        <div key={name} data-tally={name}>
          <Text size="xl" fw={700}>
            {format.number(tally[name], 0)}
          </Text>
          <Text size="sm">{t.import.tally[name]}</Text>
        </div>
      ))}
    </Group>
  );
}
