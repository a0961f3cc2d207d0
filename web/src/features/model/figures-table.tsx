/** The figures of the evaluation with their intervals, and beside them what simple means reach on the same rows. */
import { Table, Text } from '@mantine/core';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { figureName } from '../models/names';
import type { Baseline, Card } from './card';

/** In the order in which people ask for them; those of which more is better. */
const SHOWN = ['auc', 'average_precision', 'log_loss', 'brier', 'ece_equal_count', 'ece', 'ks'];
const MORE_IS_BETTER = new Set(['auc', 'average_precision', 'ks']);

export function FiguresTable({ card }: { card: Card }) {
  const { t, format } = useI18n();
  const title = useTitles();
  // Both are calibration errors; one says it all.
  const hidden = card.metrics.ece_equal_count === undefined ? '' : 'ece';
  const names = SHOWN.filter((name) => card.metrics[name] !== undefined && name !== hidden);
  if (names.length === 0) return <Text size="sm">{t.model.noFigures}</Text>;
  const baselineName = ({ name }: Baseline) => (name === 'base_rate' ? t.model.baseRate : t.model.alone(title(name)));
  return (
    <>
      <Table.ScrollContainer minWidth={320 + 90 * card.baselines.length} type="native" tabIndex={0}>
        <Table verticalSpacing={6} aria-label={t.model.evaluation}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.model.figure}</Table.Th>
              <Table.Th ta="right">{t.model.thisModel}</Table.Th>
              {card.baselines.map((one) => (
                <Table.Th key={one.name} ta="right">
                  {baselineName(one)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {names.map((name) => (
              <Table.Tr key={name} data-figure={name}>
                <Table.Td miw={130}>
                  <Text size="sm">{figureName(t, name)}</Text>
                  <Text size="xs" c="dimmed">
                    {MORE_IS_BETTER.has(name) ? t.model.higher : t.model.lower}
                  </Text>
                </Table.Td>
                <Table.Td className="figure">
                  <Text size="sm" fw={600}>
                    {format.figure(card.metrics[name] ?? Number.NaN)}
                  </Text>
                  {card.intervals[name] && (
                    <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
                      {format.figure(card.intervals[name].low)} – {format.figure(card.intervals[name].high)}
                    </Text>
                  )}
                </Table.Td>
                {card.baselines.map((one) => (
                  <Table.Td key={one.name} className="figure">
                    {one.metrics[name] === undefined ? '–' : format.figure(one.metrics[name])}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed" mt="xs">
        {t.model.heldOut(format.number(card.test_rows, 0))}{' '}
        {Object.keys(card.intervals).length > 0 && t.model.intervals}
      </Text>
    </>
  );
}
