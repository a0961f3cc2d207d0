/** Whether some input looks as if it knew what it cannot know. */
import { Alert, List, Text } from '@mantine/core';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { type Card, type Leak, wasTested } from './card';

export function Leaks({ card }: { card: Card }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const { leaks, leak_effect: effect } = card;
  if (!wasTested(card)) return null;
  if (leaks.length === 0) {
    return (
      <Alert color="green" variant="light" title={t.model.noLeaks}>
        {t.model.noLeaksHelp}
      </Alert>
    );
  }
  return (
    <Alert color="orange" variant="light" title={t.model.leaks}>
      <List size="sm">
        {leaks.map((leak) => (
          <List.Item key={`${leak.column} ${leak.reason}`} data-leak={leak.column}>
            <Text span fw={600} size="sm">
              {title(leak.column)}
            </Text>
            {': '}
            <Why leak={leak} />
          </List.Item>
        ))}
      </List>
      {effect && (
        <Text size="sm" mt="xs">
          {(effect.left_out ? t.model.leaksOut : t.model.leaksKept)(
            format.figure(effect.with),
            format.figure(effect.without),
          )}
        </Text>
      )}
    </Alert>
  );
}

function Why({ leak }: { leak: Leak }) {
  const { t, format } = useI18n();
  const title = useTitles();
  switch (leak.reason) {
    case 'certain':
      return t.model.leakCertain(format.percent(leak.share));
    case 'part':
      return t.model.leakPart(leak.others.map(title).join(', '));
    case 'dominates':
      return t.model.leakDominates(format.percent(leak.strength), format.percent(leak.together));
    case 'name':
      return t.model.leakName(leak.word);
    default:
      return t.model.leakReasons[leak.reason];
  }
}
