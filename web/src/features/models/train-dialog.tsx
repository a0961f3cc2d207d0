/** Which score to train, and how: one algorithm, or a search over them for some time. */
import { NumberInput, Select, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { jobsKey, train } from '~/api/models';
import type { ScoreDefinition } from '~/api/queries';
import { FormDialog } from '~/components/form-dialog';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { algorithmName } from './names';

/** The server chooses: what it does if nothing is said. */
const USUAL = '';
const SEARCH = 'auto';
/** Those that answer yes or no with a probability. */
const ALGORITHMS = [
  'logistic_regression',
  'linear_svm',
  'kernel_svm',
  'decision_tree',
  'random_forest',
  'gradient_boosting',
  'nearest_neighbours',
  'naive_bayes',
  'online_logistic',
];
const BUDGET_S = 60;
const BUDGET_MAX_S = 3_600;

interface Props {
  scores: ScoreDefinition[];
  /** The score that is chosen at first; empty for the first one. */
  score: string;
  close(): void;
}

export function TrainDialog({ scores, score: wanted, close }: Props) {
  const { t, format } = useI18n();
  const title = useTitles();
  const client = useQueryClient();
  const [score, setScore] = useState(scores.find((one) => one.name === wanted)?.name ?? scores[0]?.name ?? '');
  const [algorithm, setAlgorithm] = useState(USUAL);
  const [budget, setBudget] = useState<number | string>(BUDGET_S);
  const definition = scores.find((one) => one.name === score);
  const seconds = Number(budget);
  const valid = algorithm !== SEARCH || (Number.isInteger(seconds) && seconds >= 1 && seconds <= BUDGET_MAX_S);
  const submit = async () => {
    await train({
      score,
      ...(algorithm === USUAL ? {} : { algorithm }),
      ...(algorithm === SEARCH ? { budget_s: seconds } : {}),
    });
    await client.invalidateQueries({ queryKey: jobsKey });
    close();
  };
  const algorithms = [
    { value: USUAL, label: t.training.usual },
    { value: SEARCH, label: t.training.search },
    ...ALGORITHMS.map((name) => ({ value: name, label: algorithmName(t, name) })),
  ];
  return (
    <FormDialog
      title={t.models.train}
      send={t.training.start}
      failed={t.training.failed}
      disabled={!valid || score === ''}
      submit={submit}
      close={close}
    >
      <Select
        label={t.training.score}
        data={scores.map((one) => ({ value: one.name, label: title(one.name) }))}
        value={score}
        onChange={(next) => setScore(next ?? score)}
        allowDeselect={false}
        data-autofocus
      />
      {definition && (
        <Text size="sm" c="dimmed">
          {t.models.noneHelp(
            t.timeline.eventNames[definition.event] ?? definition.event,
            format.span(definition.within),
          )}
        </Text>
      )}
      <Select
        label={t.models.algorithm}
        data={algorithms}
        value={algorithm}
        onChange={(next) => setAlgorithm(next ?? USUAL)}
        allowDeselect={false}
      />
      {algorithm === SEARCH && (
        <NumberInput
          label={t.training.budget}
          description={t.training.budgetHelp}
          min={1}
          max={BUDGET_MAX_S}
          allowDecimal={false}
          value={budget}
          onChange={setBudget}
        />
      )}
    </FormDialog>
  );
}
