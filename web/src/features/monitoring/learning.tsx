/** How a model that learns in service does, beside what it would do had it stayed as it was registered. */
import { Table, Text, Title } from '@mantine/core';
import type { Learning as Facts } from '~/api/schema';
import { useI18n } from '~/i18n';

export function Learning({ facts }: { facts: Facts }) {
  const { t, format } = useI18n();
  const figure = (value: number | null) => (value === null ? '–' : format.figure(value));
  const count = (value: number) => format.number(value, 0);
  const rows = [
    { name: t.monitoring.asItLearns, auc: facts.auc, loss: facts.log_loss },
    { name: t.monitoring.asRegistered, auc: facts.auc_as_registered, loss: facts.log_loss_as_registered },
    { name: t.monitoring.byShare, auc: null, loss: facts.base_log_loss },
  ];
  return (
    <div data-learning={facts.outcomes}>
      <Title order={3} size="h5">
        {t.monitoring.learning}
      </Title>
      <Text size="sm" mb="xs">
        {t.monitoring.learnt(facts.outcomes, count(facts.outcomes), count(facts.positives), count(facts.waiting))}
        {facts.unanswered > 0 && ` ${t.monitoring.unanswered(count(facts.unanswered))}`}
        {facts.passed_over > 0 && ` ${t.monitoring.passedOver(count(facts.passed_over))}`}
      </Text>
      {facts.outcomes > 0 && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.monitoring.tested}</Table.Th>
              <Table.Th ta="right">{t.models.figures.auc}</Table.Th>
              <Table.Th ta="right">{t.models.figures.log_loss}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map(({ name, auc, loss }) => (
              <Table.Tr key={name}>
                <Table.Td>{name}</Table.Td>
                <Table.Td ta="right">{figure(auc)}</Table.Td>
                <Table.Td ta="right">{figure(loss)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      <Text size="xs" c="dimmed" mt="xs">
        {t.monitoring.learningHelp}
      </Text>
    </div>
  );
}
