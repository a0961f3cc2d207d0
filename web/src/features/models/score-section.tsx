/** One score: the model in service, the one on trial beside it, and all versions. */

import { Button, Card, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { modelQuery } from '~/api/models';
import type { ScoreDefinition } from '~/api/queries';
import type { Model } from '~/api/schema';
import { Ago } from '~/components/ago';
import { AnchorTo, ButtonTo } from '~/components/links';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { cardOf } from '../model/card';
import { RollBack } from './actions';
import { useLife } from './life';
import { algorithmName, figure } from './names';
import { Status } from './status';

interface Props {
  name: string;
  /** None if the score is not declared any more. */
  definition: ScoreDefinition | undefined;
  models: Model[];
  train(): void;
}

export function ScoreSection({ name, definition, models, train }: Props) {
  const { t } = useI18n();
  const title = useTitles();
  const live = models.find((model) => model.active);
  const challenger = models.find((model) => model.trial);
  return (
    <Card withBorder data-score={name} component="section" aria-label={title(name)}>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {title(name)}
        </Title>
        {live && (
          <Group gap="xs">
            <ButtonTo to="/models/$score/monitoring" params={{ score: name }} size="xs" variant="default">
              {t.models.monitoring}
            </ButtonTo>
            {models.length > 1 && <RollBack live={live} />}
          </Group>
        )}
      </Group>
      {models.length === 0 ? (
        <NoModel definition={definition} train={train} />
      ) : (
        <Stack gap="sm">
          {live ? <Live model={live} definition={definition} /> : <Text size="sm">{t.models.noneLive}</Text>}
          {challenger && <OnTrial model={challenger} />}
          <Versions models={models} label={title(name)} />
        </Stack>
      )}
    </Card>
  );
}

function NoModel({ definition, train }: { definition: ScoreDefinition | undefined; train(): void }) {
  const { t, format } = useI18n();
  return (
    <Stack gap="xs" align="flex-start">
      <Text fw={600}>{t.models.none}</Text>
      {definition && (
        <Text size="sm">
          {t.models.noneHelp(
            t.timeline.eventNames[definition.event] ?? definition.event,
            format.span(definition.within),
          )}
        </Text>
      )}
      <Button size="xs" onClick={train}>
        {t.models.train}
      </Button>
    </Stack>
  );
}

/** The figure that people ask for first, and never without what simple means reach. */
function Live({ model, definition }: { model: Model; definition: ScoreDefinition | undefined }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const detail = useQuery(modelQuery(model.score, model.version)).data;
  const auc = figure(model, 'auc');
  const alone = detail && cardOf(detail).baselines.find((one) => one.name === definition?.baseline)?.metrics.auc;
  return (
    <Group gap="xl" align="flex-start">
      {auc !== undefined && (
        <div>
          <Text size="xs" c="dimmed">
            {t.models.auc}
          </Text>
          <Text fz={32} fw={700} lh={1.2} data-testid="live-auc">
            {format.figure(auc)}
          </Text>
          <Text size="xs" c="dimmed">
            {alone !== undefined && definition
              ? t.models.baselines(title(definition.baseline), format.figure(alone))
              : t.models.chance}
          </Text>
        </div>
      )}
      <div style={{ flex: '1 1 240px' }}>
        <Text size="xs" c="dimmed">
          {t.models.inService}
        </Text>
        <Text fw={600}>{t.models.named(algorithmName(t, model.algorithm), String(model.version))}</Text>
        <Text size="sm">
          {model.rows > 0 && `${t.models.trainedOn(model.rows, format.number(model.rows, 0))} · `}
          <Ago at={model.created_at} />
        </Text>
        {model.training_range && (
          <Text size="xs" c="dimmed">
            {t.models.range(format.date(model.training_range.from), format.date(model.training_range.to))}
          </Text>
        )}
      </div>
    </Group>
  );
}

function OnTrial({ model }: { model: Model }) {
  const { t } = useI18n();
  const life = useLife(model.score);
  const { trial } = model;
  if (!trial) return null;
  return (
    <Group justify="space-between" gap="xs" data-testid="trial">
      <Text size="sm">
        {trial.mode === 'shadow'
          ? t.models.inShadow(String(model.version))
          : t.models.asCanary(String(model.version), String(trial.percent ?? ''))}{' '}
        · <Ago at={trial.since} />
      </Text>
      <Button size="xs" variant="default" onClick={() => void life.end(model.version, trial)}>
        {t.life.endTrial}
      </Button>
    </Group>
  );
}

function Versions({ models, label }: { models: Model[]; label: string }) {
  const { t, format } = useI18n();
  const number = (value: number | undefined) => (value === undefined ? '–' : format.figure(value));
  return (
    <Table.ScrollContainer minWidth={640} type="native" tabIndex={0}>
      <Table verticalSpacing={6} aria-label={t.models.versionsOf(label)}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.models.version}</Table.Th>
            <Table.Th>{t.models.algorithm}</Table.Th>
            <Table.Th ta="right">{t.models.auc}</Table.Th>
            <Table.Th ta="right">{t.models.figures.log_loss}</Table.Th>
            <Table.Th ta="right">{t.models.rows}</Table.Th>
            <Table.Th>{t.models.trained}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {models.map((model) => (
            <Table.Tr key={model.version} data-version={model.version}>
              <Table.Td miw={150}>
                <Group gap="xs">
                  <AnchorTo
                    to="/models/$score/$version"
                    params={{ score: model.score, version: String(model.version) }}
                    size="sm"
                    fw={600}
                  >
                    {t.models.versionOf(String(model.version))}
                  </AnchorTo>
                  <Status model={model} />
                </Group>
              </Table.Td>
              <Table.Td>{algorithmName(t, model.algorithm)}</Table.Td>
              <Table.Td className="figure">{number(figure(model, 'auc'))}</Table.Td>
              <Table.Td className="figure">{number(figure(model, 'log_loss'))}</Table.Td>
              <Table.Td className="figure">{model.rows > 0 ? format.number(model.rows, 0) : '–'}</Table.Td>
              <Table.Td>
                <Ago at={model.created_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
