/** Calibration week by week: what the model said beside what came. */
import { Group, Table, Text, Title } from '@mantine/core';
import type { Week } from '~/api/schema';
import { useI18n } from '~/i18n';
import { bounds } from './measures';

const WIDTH = 600;
const HEIGHT = 160;
export function Weeks({ weeks }: { weeks: Week[] }) {
  const { t, format } = useI18n();
  const [first, last] = [weeks[0], weeks.at(-1)];
  return (
    <div>
      <Title order={3} size="h5">
        {t.monitoring.weeks}
      </Title>
      {!first || !last ? (
        <Text size="sm">{t.monitoring.noWeeks}</Text>
      ) : (
        <>
          <Text size="sm" mb="xs">
            {t.monitoring.weeksHelp}
          </Text>
          <Plot weeks={weeks} />
          <Group justify="space-between" gap="xs">
            <Text size="xs">{format.date(first.from)}</Text>
            {first !== last && <Text size="xs">{format.date(last.from)}</Text>}
          </Group>
          <Group gap="md" mt={4}>
            <Key dashed label={t.monitoring.predicted} />
            <Key label={t.monitoring.observed} />
          </Group>
          <Numbers weeks={weeks} />
        </>
      )}
    </div>
  );
}

/** Weeks are evenly spaced; top and bottom say which shares they stand for. */
function Plot({ weeks }: { weeks: Week[] }) {
  const { t, format } = useI18n();
  const [bottom, top] = bounds(weeks.flatMap((week) => [week.predicted, week.observed]));
  const x = (place: number) => (weeks.length === 1 ? WIDTH / 2 : 6 + (place * (WIDTH - 12)) / (weeks.length - 1));
  const y = (value: number) => HEIGHT - 2 - ((value - bottom) / (top - bottom)) * (HEIGHT - 4);
  const line = (of: (week: Week) => number) =>
    weeks.map((week, place) => `${x(place).toFixed(1)},${y(of(week)).toFixed(1)}`).join(' ');
  const said = weeks.map((week) => week.predicted);
  const came = weeks.map((week) => week.observed);
  const told = (values: number[]) => `${format.percent(Math.min(...values))} – ${format.percent(Math.max(...values))}`;
  return (
    <div style={{ position: 'relative' }}>
      <Text size="xs" c="dimmed" pos="absolute" top={0} left={4}>
        {format.percent(top)}
      </Text>
      <Text size="xs" c="dimmed" pos="absolute" bottom={6} left={4}>
        {format.percent(bottom)}
      </Text>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width="100%" height={HEIGHT} preserveAspectRatio="none" role="img">
        <title>{t.monitoring.plot(told(said), told(came))}</title>
        <line x1={0} x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} className="axis" />
        <line x1={0} x2={WIDTH} y1={1} y2={1} className="axis" strokeDasharray="2 4" />
        <polyline points={line((week) => week.predicted)} className="plot" strokeDasharray="6 4" />
        <polyline points={line((week) => week.observed)} className="plot observed" />
        {weeks.map((week, place) => (
          // A line of no length with round ends stays a circle however the plot is stretched.
          <line
            key={week.from}
            className="plot observed dot"
            x1={x(place)}
            x2={x(place)}
            y1={y(week.observed)}
            y2={y(week.observed)}
          />
        ))}
      </svg>
    </div>
  );
}

function Key({ label, dashed = false }: { label: string; dashed?: boolean }) {
  return (
    <Group gap={6}>
      <svg width={28} height={8} aria-hidden="true">
        <line
          x1={0}
          x2={28}
          y1={4}
          y2={4}
          className={dashed ? 'plot' : 'plot observed'}
          strokeDasharray={dashed ? '6 4' : undefined}
        />
      </svg>
      <Text size="xs">{label}</Text>
    </Group>
  );
}

/** The same as numbers, for those who want them or do not see the plot. */
function Numbers({ weeks }: { weeks: Week[] }) {
  const { t, format } = useI18n();
  return (
    <details>
      <summary>
        <Text span size="sm">
          {t.monitoring.numbers}
        </Text>
      </summary>
      <Table.ScrollContainer minWidth={420} type="native" tabIndex={0}>
        <Table verticalSpacing={4} aria-label={t.monitoring.weeks}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.monitoring.week}</Table.Th>
              <Table.Th ta="right">{t.models.rows}</Table.Th>
              <Table.Th ta="right">{t.monitoring.predicted}</Table.Th>
              <Table.Th ta="right">{t.monitoring.observed}</Table.Th>
              <Table.Th ta="right">{t.models.auc}</Table.Th>
              <Table.Th ta="right">{t.models.figures.log_loss}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {weeks.map((week) => (
              <Table.Tr key={week.from}>
                <Table.Td>{format.date(week.from)}</Table.Td>
                <Table.Td className="figure">{format.number(week.rows, 0)}</Table.Td>
                <Table.Td className="figure">{format.percent(week.predicted, 1)}</Table.Td>
                <Table.Td className="figure">{format.percent(week.observed, 1)}</Table.Td>
                <Table.Td className="figure">{week.auc === null ? '–' : format.figure(week.auc)}</Table.Td>
                <Table.Td className="figure">{format.figure(week.log_loss)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </details>
  );
}
