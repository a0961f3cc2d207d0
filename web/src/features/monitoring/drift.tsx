/** How far inputs and score have moved since the training, by the population stability index. */
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { Watched } from '~/api/schema';
import { Bar } from '~/components/bar';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { type Band, band, CHANGED, MOVED } from './measures';

/** A bar is full at this index; one beyond it says so by its number. */
const FULL = 0.5;
/** Inputs shown before somebody asks for all. */
const SHOWN = 8;
/** A share of missing values that rose by more than this is told. */
const MISSING_TOLD = 0.05;

const COLORS: Record<Band, string> = {
  stable: 'var(--mantine-color-teal-filled)',
  moved: 'var(--mantine-color-yellow-filled)',
  changed: 'var(--mantine-color-red-filled)',
};

export function Drift({ watched }: { watched: Watched }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const [all, setAll] = useState(false);
  const { inputs, score_psi: own } = watched;
  return (
    <div>
      <Title order={3} size="h5">
        {t.monitoring.drift}
      </Title>
      <Text size="sm" mb="sm">
        {watched.drift === null ? t.monitoring.driftUnknown : t.monitoring.bands[band(watched.drift)]}
      </Text>
      <Stack gap={6}>
        {own !== null && <Line name={t.monitoring.scoreItself} psi={own} />}
        {inputs.slice(0, all ? undefined : SHOWN).map((input) => (
          <Line
            key={input.feature}
            name={title(input.feature)}
            psi={input.psi}
            note={
              Math.abs(input.missing_now - input.missing_then) > MISSING_TOLD
                ? t.monitoring.missing(format.percent(input.missing_then), format.percent(input.missing_now))
                : undefined
            }
          />
        ))}
      </Stack>
      {inputs.length > SHOWN && (
        <Button mt="xs" size="xs" variant="default" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t.model.fewer : t.model.more(format.number(inputs.length - SHOWN, 0))}
        </Button>
      )}
      <Text size="xs" c="dimmed" mt="xs">
        {t.monitoring.driftHelp}
      </Text>
    </div>
  );
}

function Line({ name, psi, note }: { name: string; psi: number; note?: string }) {
  const { t, format } = useI18n();
  const where = band(psi);
  return (
    <div data-band={where}>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-end">
        <Text size="sm">
          {name}
          {note && (
            <Text span size="xs" c="dimmed">
              {' '}
              · {note}
            </Text>
          )}
        </Text>
        <Text size="xs" style={{ whiteSpace: 'nowrap' }}>
          {t.monitoring.band[where]} {format.figure(psi)}
        </Text>
      </Group>
      <Bar share={psi / FULL} color={COLORS[where]} marks={[MOVED / FULL, CHANGED / FULL]} />
    </div>
  );
}
