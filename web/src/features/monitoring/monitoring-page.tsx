/** How the models of a score do on the newest history: drift, calibration week by week, champion against challenger, what
 *  was learned in service. */

import { Alert, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { ProblemError } from '~/api/client';
import { monitorQuery } from '~/api/models';
import type { Monitoring, Watched } from '~/api/schema';
import { AnchorTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { ComparisonCard } from './comparison-card';
import { Drift } from './drift';
import { Learning } from './learning';
import { Weeks } from './weeks';

export function MonitoringPage() {
  const { score } = useParams({ from: '/shell/models/$score/monitoring' });
  const { t, format } = useI18n();
  const title = useTitles();
  const monitoring = useQuery(monitorQuery(score));
  const until = monitoring.data?.until;
  return (
    <Stack>
      <AnchorTo to="/models" size="sm">
        {t.model.back}
      </AnchorTo>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h2">
            {t.monitoring.title(title(score))}
          </Title>
          {until && (
            <Text size="sm" c="dimmed">
              {t.monitoring.until(format.dateTime(until))}
            </Text>
          )}
        </div>
        <Button
          variant="default"
          size="xs"
          leftSection={<RotateCw size={14} aria-hidden />}
          loading={monitoring.isFetching}
          onClick={() => void monitoring.refetch()}
        >
          {t.monitoring.again}
        </Button>
      </Group>
      {monitoring.isPending && (
        <Card withBorder>
          <Waiting />
          <Text size="sm" ta="center">
            {t.monitoring.measuring}
          </Text>
        </Card>
      )}
      {monitoring.isError && <Refused error={monitoring.error} retry={() => monitoring.refetch()} />}
      {monitoring.data && <Measured monitoring={monitoring.data} />}
    </Stack>
  );
}

/** That nothing can be measured is no fault: the server says what is missing. */
function Refused({ error, retry }: { error: Error; retry(): unknown }) {
  const { t } = useI18n();
  if (!(error instanceof ProblemError && error.status === 409)) {
    return <Failed error={error} title={t.monitoring.failed} retry={retry} />;
  }
  return (
    <Alert title={t.monitoring.nothing} role="status">
      {error.message}
    </Alert>
  );
}

function Measured({ monitoring }: { monitoring: Monitoring }) {
  const { t } = useI18n();
  const { champion, challenger, comparison } = monitoring;
  if (!champion) {
    return (
      <Alert title={t.monitoring.nothing} role="status">
        {t.monitoring.noChampion}
      </Alert>
    );
  }
  return (
    <Stack>
      {challenger &&
        (comparison ? (
          <ComparisonCard comparison={comparison} champion={champion.version} challenger={challenger.version} />
        ) : (
          <Alert title={t.monitoring.comparison}>{t.monitoring.noComparison}</Alert>
        ))}
      <OfModel watched={champion} name={t.monitoring.champion(String(champion.version))} />
      {challenger && <OfModel watched={challenger} name={t.monitoring.challenger(String(challenger.version))} />}
    </Stack>
  );
}

function OfModel({ watched, name }: { watched: Watched; name: string }) {
  return (
    <Card withBorder component="section" aria-label={name} data-watched={watched.version}>
      <Title order={2} size="h4" mb="xs">
        {name}
      </Title>
      <Stack gap="xl">
        {watched.learning && <Learning facts={watched.learning} />}
        <Weeks weeks={watched.weeks} />
        <Drift watched={watched} />
      </Stack>
    </Card>
  );
}
