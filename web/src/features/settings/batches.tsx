/** What was done to many records at once, and taking it back. */
import { Badge, Button, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Undo2 } from 'lucide-react';
import { batchesQuery } from '~/api/records';
import { Ago } from '~/components/ago';
import { useI18n } from '~/i18n';
import { usePerson } from '~/records/reader';
import { useUndo } from '~/records/undo';
import { Part } from './part';

/** Demo data has a button of its own, on every page. */
const APART = new Set(['demo', 'demo_removal']);

export function Batches() {
  const { t, format } = useI18n();
  const batches = useQuery(batchesQuery);
  const person = usePerson();
  const undo = useUndo();
  return (
    <Part
      label={t.settings.sections.undo}
      lead={t.batches.lead}
      query={batches}
      heads={[t.batches.what, t.batches.records, t.audit.who, t.audit.when]}
      row={(batch) => (
        <Table.Tr key={batch.id} data-batch={batch.id}>
          <Table.Td>
            <Text size="sm">{batch.title}</Text>
            <Text size="xs" c="dimmed">
              {t.batches.kinds[batch.kind] ?? batch.kind}
            </Text>
          </Table.Td>
          <Table.Td>{format.number(batch.changes, 0)}</Table.Td>
          <Table.Td>{person(batch.actor)}</Table.Td>
          <Table.Td>
            <Ago at={batch.at} />
          </Table.Td>
          <Table.Td ta="right">
            {batch.undone_by ? (
              <Badge variant="default">{t.batches.undone}</Badge>
            ) : (
              !APART.has(batch.kind) && (
                <Button
                  size="compact-xs"
                  variant="default"
                  leftSection={<Undo2 size={14} aria-hidden />}
                  onClick={() => void undo(batch.id)}
                >
                  {t.app.undo}
                </Button>
              )
            )}
          </Table.Td>
        </Table.Tr>
      )}
    />
  );
}
