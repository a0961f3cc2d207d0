/** A score with everything that a number owes its reader: age, cause, model, calibration, reasons, its way. */
import { Card, Group, Stack, Text, Title } from '@mantine/core';
import type { Customer, ReasonFact, ScoreFact } from '~/api/schema';
import { Ago } from '~/components/ago';
import { probability } from '~/components/probability';
import { Sparkline } from '~/components/sparkline';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { useLiveHub } from '~/live/react';

export function ScoreCard({ score, customer }: { score: ScoreFact; customer: Customer }) {
  const { t, format } = useI18n();
  const hub = useLiveHub();
  const title = useTitles();
  const values = hub.history.values(customer.id, score.name);
  const percent = probability(format, score.value);
  // What the page has seen, and not the score's own: a score that is fetched again does not tell where it came from.
  const moved = score.value - (values.at(-2) ?? score.value);
  const first = values[0];
  return (
    <Card withBorder data-testid="score-card">
      <Title order={2} size="h4">
        {title(score.name)}
      </Title>
      <Group align="baseline" gap="xs">
        <Text key={percent} className="moved" fz={40} fw={700} data-testid="score-value">
          {percent}
        </Text>
        {moved !== 0 && (
          <Text size="sm">{moved > 0 ? t.score.up(format.points(moved)) : t.score.down(format.points(moved))}</Text>
        )}
      </Group>
      {values.length > 1 && first !== undefined ? (
        <Sparkline
          values={values}
          label={t.score.historyLabel(format.percent(first), percent, format.number(values.length, 0))}
        />
      ) : (
        <Text size="xs" c="dimmed">
          {t.score.historyNone}
        </Text>
      )}
      <Text size="sm" mt="xs">
        <Ago at={score.computed_at} /> · {t.score.model(String(score.model_version))}
      </Text>
      {score.calibration && (
        <Text size="xs" c="dimmed">
          {t.score.calibration(format.points(score.calibration.ece))}{' '}
          {t.score.baseRateOf(format.percent(score.calibration.base_rate))}.
        </Text>
      )}
      <Reasons reasons={score.reasons} />
    </Card>
  );
}

function Reasons({ reasons }: { reasons: ReasonFact[] }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const most = Math.max(...reasons.map((reason) => Math.abs(reason.contribution)), 1e-9);
  if (reasons.length === 0) return <Text size="sm">{t.reasons.none}</Text>;
  return (
    <Stack gap={6} mt="md">
      <Title order={3} size="h6">
        {t.reasons.title}
      </Title>
      {reasons.map((reason) => {
        const share = (Math.abs(reason.contribution) / most) * 50;
        const raises = reason.contribution >= 0;
        const value = typeof reason.value === 'number' ? format.number(reason.value, 1) : t.features.missing;
        return (
          <div key={reason.feature} data-reason={reason.feature}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Text size="sm">{t.reasons.plain(title(reason.feature), value)}</Text>
              <Text size="xs" ff="monospace">
                {format.signed(reason.contribution)}
              </Text>
            </Group>
            <svg viewBox="0 0 100 4" width="100%" height={6} preserveAspectRatio="none" aria-hidden="true">
              <rect x={49.8} y={0} width={0.4} height={4} fill="var(--mantine-color-dimmed)" />
              <rect
                x={raises ? 50 : 50 - share}
                y={0}
                width={share}
                height={4}
                fill={raises ? 'var(--mantine-color-teal-filled)' : 'var(--mantine-color-orange-filled)'}
              />
            </svg>
          </div>
        );
      })}
      <Text size="xs" c="dimmed">
        {t.reasons.logOdds('±')}
      </Text>
    </Stack>
  );
}
