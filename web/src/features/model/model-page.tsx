/** One model: where it stands, how good it is, what it is made of, and what can be done with it. */

import { Button, Card as Frame, Grid, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { ProblemError } from '~/api/client';
import { modelQuery, modelsQuery } from '~/api/models';
import type { ModelDetail } from '~/api/schema';
import { Ago } from '~/components/ago';
import { AnchorTo, ButtonTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { MakeLive, RollBack, Try } from '../models/actions';
import { useLife } from '../models/life';
import { algorithmName } from '../models/names';
import { Status } from '../models/status';
import { cardOf } from './card';
import { Documents } from './documents';
import { Facts } from './facts';
import { FiguresTable } from './figures-table';
import { Importance } from './importance';
import { Leaks } from './leaks';

export function ModelPage() {
  const params = useParams({ from: '/shell/models/$score/$version' });
  const version = Number(params.version);
  const { t } = useI18n();
  const model = useQuery(modelQuery(params.score, version));
  if (model.isPending) return <Waiting />;
  if (model.isError) {
    const missing = model.error instanceof ProblemError && [400, 404].includes(model.error.status);
    return missing ? (
      <Missing version={params.version} />
    ) : (
      <Failed error={model.error} title={t.model.failed} retry={() => model.refetch()} />
    );
  }
  return <Known model={model.data} />;
}

function Missing({ version }: { version: string }) {
  const { t } = useI18n();
  return (
    <Stack align="flex-start">
      <Title order={1} size="h3">
        {t.model.notFound}
      </Title>
      <Text>{t.model.notFoundHelp(version)}</Text>
      <AnchorTo to="/models">{t.model.back}</AnchorTo>
    </Stack>
  );
}

function Known({ model }: { model: ModelDetail }) {
  const { t } = useI18n();
  const card = cardOf(model);
  return (
    <Stack>
      <AnchorTo to="/models" size="sm">
        {t.model.back}
      </AnchorTo>
      <Head model={model} />
      <Grid>
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <Frame withBorder>
              <Title order={2} size="h4" mb="xs">
                {t.model.evaluation}
              </Title>
              <FiguresTable card={card} />
            </Frame>
            <Leaks card={card} />
            <Documents model={model} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack>
            <Facts model={model} card={card} />
            <Importance importance={card.importance} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Head({ model }: { model: ModelDetail }) {
  const { t } = useI18n();
  const title = useTitles();
  return (
    <Group justify="space-between" align="flex-start">
      <div>
        <Group gap="xs">
          <Title order={1} size="h2">
            {t.model.title(title(model.score), String(model.version))}
          </Title>
          <Status model={model} />
        </Group>
        <Text size="sm">
          {algorithmName(t, model.algorithm)} · <Ago at={model.created_at} />
        </Text>
      </div>
      <Actions model={model} />
    </Group>
  );
}

function Actions({ model }: { model: ModelDetail }) {
  const { t } = useI18n();
  const life = useLife(model.score);
  const models = useQuery(modelsQuery).data?.models.filter((one) => one.score === model.score) ?? [];
  const live = models.find((one) => one.active);
  const other = models.find((one) => one.trial && one.version !== model.version);
  const { trial } = model;
  return (
    <Group gap="xs">
      {!model.active && <MakeLive model={model} live={live} />}
      {!model.active && live && !trial && <Try model={model} other={other} />}
      {trial && (
        <Button size="xs" variant="default" onClick={() => void life.end(model.version, trial)}>
          {t.life.endTrial}
        </Button>
      )}
      {model.active && models.length > 1 && <RollBack live={model} />}
      {(model.active || trial) && (
        <ButtonTo to="/models/$score/monitoring" params={{ score: model.score }} size="xs" variant="default">
          {t.models.monitoring}
        </ButtonTo>
      )}
    </Group>
  );
}
