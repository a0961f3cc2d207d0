/** What a model was made from, and how to make it again. */
import { Card as Frame, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ModelDetail } from '~/api/schema';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { algorithmName } from '../models/names';
import { type Card, type Learner, wasTested } from './card';

export function Facts({ model, card }: { model: ModelDetail; card: Card }) {
  const { t, format } = useI18n();
  const range = model.training_range;
  const count = (value: number) => format.number(value, 0);
  const origins = { trained: t.model.byPerson, retrained: t.models.retrained, imported: t.models.imported };
  const facts: [string, ReactNode][] = [
    [t.model.origin, origins[model.origin]],
    [t.model.made, format.dateTime(model.created_at)],
    [t.model.program, card.program],
  ];
  if (model.rows > 0) facts.push([t.models.rows, count(model.rows)]);
  if (card.groups !== null) facts.push([t.model.customers, count(card.groups)]);
  if (range) facts.push([t.model.history, t.model.fromTo(format.date(range.from), format.date(range.to))]);
  if (wasTested(card)) {
    facts.push(
      [t.model.tested, t.model.testedOn(count(card.train_rows), count(card.test_rows))],
      [t.model.split, t.model.splits[card.split] ?? card.split],
      [t.model.trials, count(card.trials)],
      [t.model.seed, String(card.seed)],
    );
  }
  if (card.calibration !== null) facts.push([t.model.calibration, card.calibration]);
  return (
    <Frame withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.model.facts}
      </Title>
      <Rows label={t.model.facts} rows={facts} />
      <Stack gap={4} mt="xs">
        {card.learners.map((one, place) => (
          // The same algorithm may stand in a blend more than once; the order is that of the artifact.
          // biome-ignore lint/suspicious/noArrayIndexKey: the list of an artifact never changes
          <Settings key={place} learner={one} alone={card.learners.length === 1} />
        ))}
        <Inputs card={card} />
      </Stack>
    </Frame>
  );
}

function Rows({ label, rows }: { label: string; rows: [string, ReactNode][] }) {
  return (
    <Table verticalSpacing={4} layout="fixed" aria-label={label}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th fw={500} w="45%">
              {name}
            </Table.Th>
            <Table.Td>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** An algorithm's settings, named as in the program. */
function Settings({ learner: { learner, weight }, alone }: { learner: Learner; alone: boolean }) {
  const { t, format } = useI18n();
  const [algorithm, settings] = Object.entries(learner)[0] ?? ['', {}];
  const name = algorithmName(t, algorithm);
  const rows = Object.entries(settings).map(([key, value]): [string, string] => [
    key.replace(/_/g, ' '),
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return (
    <details>
      <summary>
        <Text span size="sm">
          {alone ? t.model.settings(name) : t.model.part(name, format.percent(weight))}
        </Text>
      </summary>
      <Rows label={name} rows={rows} />
    </details>
  );
}

function Inputs({ card }: { card: Card }) {
  const { t, format } = useI18n();
  const title = useTitles();
  return (
    <details>
      <summary>
        <Text span size="sm">
          {t.model.inputs(format.number(card.inputs.length, 0))}
        </Text>
      </summary>
      <Text size="sm">{card.inputs.map((input) => title(input.name)).join(' · ')}</Text>
      {card.left_out.length > 0 && (
        <Text size="sm" mt={4}>
          {t.model.leftOut}{' '}
          {card.left_out.map(([name, why]) => `${title(name)} (${t.model.leftOutWhy[why]})`).join(' · ')}
        </Text>
      )}
    </details>
  );
}
