/** What a model looks at most, as bars. */
import { Button, Card as Frame, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { Bar } from '~/components/bar';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import type { Card } from './card';

/** Inputs shown before somebody asks for all. */
const SHOWN = 10;

export function Importance({ importance }: Pick<Card, 'importance'>) {
  const { t, format } = useI18n();
  const title = useTitles();
  const [all, setAll] = useState(false);
  const most = Math.max(...importance.map(([, fall]) => fall), 1e-9);
  return (
    <Frame withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.model.importance}
      </Title>
      <Stack gap={6}>
        {importance.slice(0, all ? undefined : SHOWN).map(([name, fall]) => (
          <div key={name} data-input={name}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Text size="sm">{title(name)}</Text>
              <Text size="xs" ff="monospace">
                {format.figure(fall, 4)}
              </Text>
            </Group>
            <Bar share={Math.max(fall, 0) / most} />
          </div>
        ))}
      </Stack>
      <Text size="xs" c="dimmed" mt="xs">
        {importance.length === 0 ? t.model.noImportance : t.model.importanceHelp}
      </Text>
      {importance.length > SHOWN && (
        <Button mt="xs" size="xs" variant="default" onClick={() => setAll(!all)} aria-expanded={all}>
          {all ? t.model.fewer : t.model.more(format.number(importance.length - SHOWN, 0))}
        </Button>
      )}
    </Frame>
  );
}
