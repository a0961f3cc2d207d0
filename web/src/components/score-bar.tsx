/** A probability as a bar with its number. It glows when it moves. */
import { Group, Progress, Text } from '@mantine/core';
import { useI18n } from '~/i18n';
import { probability } from './probability';

export function ScoreBar({ value, label }: { value: number; label: string }) {
  const { format } = useI18n();
  const text = probability(format, value);
  return (
    <Group
      gap="xs"
      wrap="nowrap"
      key={text}
      className="moved"
      data-testid="score"
      aria-label={`${label}: ${text}`}
      role="img"
    >
      <Progress value={value * 100} w={64} size="sm" aria-label={label} aria-hidden />
      <Text size="sm" ff="monospace" w={52} ta="right">
        {text}
      </Text>
    </Group>
  );
}
