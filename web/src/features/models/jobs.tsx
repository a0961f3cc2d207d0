/** Trainings under way and the newest that ended, each moving by itself. */

import { Button, Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { cancelJob, jobsKey, jobsQuery, modelsKey } from '~/api/models';
import type { Job, JobList } from '~/api/schema';
import { Ago } from '~/components/ago';
import { AnchorTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { followJob } from '~/live/follow-job';
import { algorithmName, figureName } from './names';

/** Trainings that ended and are still shown. */
const ENDED_SHOWN = 2;

export function Jobs() {
  const { t } = useI18n();
  const { data } = useQuery(jobsQuery);
  const jobs = data?.jobs ?? [];
  const running = jobs.filter((job) => job.state === 'running');
  const ended = jobs.filter((job) => job.state !== 'running').slice(0, ENDED_SHOWN);
  const shown = [...running, ...ended];
  if (shown.length === 0) return null;
  return (
    <Card withBorder component="section" aria-label={t.training.title}>
      <Title order={2} size="h4" mb="xs">
        {t.training.title}
      </Title>
      <Stack gap="md">
        {shown.map((job) => (
          <Training key={job.id} job={job} />
        ))}
      </Stack>
    </Card>
  );
}

/** Puts a job's new state where the list of jobs is kept, and has the models fetched again when it has ended. */
function put(client: QueryClient, job: Job): void {
  client.setQueryData<JobList>(jobsKey, (known) => ({
    jobs: (known?.jobs ?? []).map((one) => (one.id === job.id ? job : one)),
  }));
  if (job.state !== 'running') void client.invalidateQueries({ queryKey: modelsKey });
}

function useFollowed(job: Job): void {
  const client = useQueryClient();
  const running = job.state === 'running';
  useEffect(() => {
    if (!running) return;
    const abort = new AbortController();
    // When the stream breaks, the list of jobs goes on telling, only less often.
    followJob(job.id, abort.signal, (next) => put(client, next)).catch(() => undefined);
    return () => abort.abort();
  }, [client, job.id, running]);
}

function Training({ job }: { job: Job }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const notice = useNotice();
  useFollowed(job);
  const cancel = () => cancelJob(job.id).catch((error: unknown) => notice.failed(t.training.cancelFailed, error));
  const step = job.state === 'running' ? t.training.steps[job.step] : t.training.states[job.state];
  return (
    <div data-job={job.id} data-state={job.state}>
      <Group justify="space-between" gap="xs">
        <div>
          <Text size="sm" fw={600}>
            {title(job.score)}
          </Text>
          <Text size="xs" c="dimmed" role="status">
            {step} · <Ago at={job.started_at} />
          </Text>
        </div>
        {job.state === 'running' && (
          <Button size="xs" variant="default" onClick={() => void cancel()}>
            {t.training.cancel}
          </Button>
        )}
        {job.version !== null && (
          <AnchorTo to="/models/$score/$version" params={{ score: job.score, version: String(job.version) }} size="sm">
            {t.training.made(String(job.version))}
          </AnchorTo>
        )}
      </Group>
      {job.state === 'running' && (
        <Progress.Root mt={6} size="md">
          <Progress.Section value={job.progress * 100} aria-label={t.training.progress} animated />
        </Progress.Root>
      )}
      {job.best && (
        <Text size="xs" mt={4}>
          {(job.state === 'running' ? t.training.best : t.training.result)(
            algorithmName(t, job.best.algorithm),
            figureName(t, job.best.metric),
            format.figure(job.best.value),
          )}{' '}
          {t.training.trials(job.trials, format.number(job.trials, 0))}
        </Text>
      )}
      {job.error && (
        <Text size="sm" mt={4} role="alert">
          {job.error}
        </Text>
      )}
    </div>
  );
}
