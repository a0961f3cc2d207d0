/** Champion against challenger over the same moments, with what chance could explain. */

import { Card, Group, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import type { Comparison } from '~/api/schema';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';

interface Props {
  comparison: Comparison;
  champion: number;
  challenger: number;
}

export function ComparisonCard({ comparison, champion, challenger }: Props) {
  const { score } = useParams({ from: '/shell/models/$score/monitoring' });
  const { t, format } = useI18n();
  const { gain, gain_low: low, gain_high: high, better } = comparison;
  const auc = (value: number | null) => (value === null ? '–' : format.figure(value));
  return (
    <Card withBorder component="section" aria-label={t.monitoring.comparison} data-better={better}>
      <Title order={2} size="h4">
        {t.monitoring.comparison}
      </Title>
      <Text fw={600} my={4}>
        {t.monitoring.better[better]}
      </Text>
      <Text size="sm">{t.monitoring.gain(format.signed(gain, 4), format.signed(low, 4), format.signed(high, 4))}</Text>
      <Range low={low} value={gain} high={high} label={t.monitoring.gainLabel} />
      <Group justify="space-between" gap="xs">
        <Text size="xs">{t.monitoring.championSide}</Text>
        <Text size="xs">{t.monitoring.challengerSide}</Text>
      </Group>
      <Text size="sm" mt="xs">
        {t.monitoring.aucs(
          String(champion),
          auc(comparison.champion_auc),
          String(challenger),
          auc(comparison.challenger_auc),
        )}{' '}
        {t.monitoring.moments(comparison.rows, format.number(comparison.rows, 0))}
      </Text>
      <AnchorTo to="/models/$score/$version" params={{ score: score, version: String(challenger) }} size="sm">
        {t.monitoring.toChallenger}
      </AnchorTo>
    </Card>
  );
}

/** An interval around a value, on a scale with 0 in its middle: what crosses the middle may be chance. */
function Range({ low, value, high, label }: { low: number; value: number; high: number; label: string }) {
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-9) * 1.1;
  const x = (at: number) => 50 + (at / reach) * 50;
  return (
    <svg viewBox="0 0 100 24" width="100%" height={24} preserveAspectRatio="none" role="img">
      <title>{label}</title>
      <line x1={50} x2={50} y1={0} y2={24} className="axis" />
      <line x1={x(low)} x2={x(high)} y1={12} y2={12} className="plot" />
      <line x1={x(low)} x2={x(low)} y1={7} y2={17} className="plot" />
      <line x1={x(high)} x2={x(high)} y1={7} y2={17} className="plot" />
      <line x1={x(value)} x2={x(value)} y1={12} y2={12} className="plot dot" />
    </svg>
  );
}
