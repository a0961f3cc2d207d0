/** All models by the score that they compute, the trainings under way, and the ways to a new model. */
import { Alert, Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { FileUp, Play } from 'lucide-react';
import { useState } from 'react';
import { modelsQuery } from '~/api/models';
import { definitionsQuery } from '~/api/queries';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { ImportDialog } from './import-dialog';
import { Jobs } from './jobs';
import { ScoreSection } from './score-section';
import { TrainDialog } from './train-dialog';

export function ModelsPage() {
  const { t } = useI18n();
  const { train } = useSearch({ from: '/shell/models' });
  const navigate = useNavigate();
  const definitions = useQuery(definitionsQuery);
  const models = useQuery(modelsQuery);
  const [importing, setImporting] = useState(false);
  if (definitions.isPending || models.isPending) return <Waiting />;
  const failed = [definitions, models].find((query) => query.isError);
  if (failed?.error) return <Failed error={failed.error} title={t.models.failed} retry={() => failed.refetch()} />;
  const known = models.data?.models ?? [];
  const declared = definitions.data?.scores ?? [];
  // A score that is not declared any more still has its models.
  const names = [...new Set([...declared.map((score) => score.name), ...known.map((model) => model.score)])];
  const show = (open: string | undefined) => void navigate({ to: '/models', search: { train: open }, replace: true });
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h2">
            {t.models.title}
          </Title>
          <Text size="sm" c="dimmed">
            {t.models.lead}
          </Text>
        </div>
        {declared.length > 0 && (
          <Group gap="xs">
            <Button variant="default" leftSection={<FileUp size={14} aria-hidden />} onClick={() => setImporting(true)}>
              {t.models.import}
            </Button>
            <Button leftSection={<Play size={14} aria-hidden />} onClick={() => show('')}>
              {t.models.train}
            </Button>
          </Group>
        )}
      </Group>
      <Jobs />
      {names.length === 0 && <Alert title={t.models.noScores}>{t.models.noScoresHelp}</Alert>}
      {names.map((name) => (
        <ScoreSection
          key={name}
          name={name}
          definition={declared.find((score) => score.name === name)}
          models={known.filter((model) => model.score === name)}
          train={() => show(name)}
        />
      ))}
      {train !== undefined && declared.length > 0 && (
        <TrainDialog scores={declared} score={train} close={() => show(undefined)} />
      )}
      {importing && <ImportDialog scores={declared} close={() => setImporting(false)} />}
    </Stack>
  );
}
