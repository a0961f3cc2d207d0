/** One customer, live: who it is, the score with its reasons, features, attributes, timeline. */

import { Badge, Card, Grid, Group, Stack, Table, Text, Title } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { ProblemError } from '~/api/client';
import type { Customer, FeatureFact } from '~/api/schema';
import { Ago } from '~/components/ago';
import { AnchorTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { Attributes } from './attributes';
import { ScoreCard } from './score-card';
import { TimelineCard } from './timeline';
import { useCustomer } from './use-customer';

export function CustomerPage() {
  const { id } = useParams({ from: '/shell/customers/$id' });
  const { t } = useI18n();
  const customer = useCustomer(id);
  if (customer.isPending) return <Waiting />;
  if (customer.isError) {
    const missing = customer.error instanceof ProblemError && customer.error.status === 404;
    return missing ? (
      <Missing id={id} />
    ) : (
      <Failed error={customer.error} title={t.customer.failed} retry={() => customer.refetch()} />
    );
  }
  return <Known customer={customer.data} id={id} />;
}

function Missing({ id }: { id: string }) {
  const { t } = useI18n();
  return (
    <Stack align="flex-start">
      <Title order={1} size="h3">
        {t.customer.notFound}
      </Title>
      <Text>{t.customer.notFoundHelp(id)}</Text>
      <AnchorTo to="/">{t.customer.back}</AnchorTo>
    </Stack>
  );
}

function Known({ customer, id }: { customer: Customer; id: string }) {
  const { t } = useI18n();
  return (
    <Stack>
      <AnchorTo to="/" size="sm">
        {t.customer.back}
      </AnchorTo>
      <Head customer={customer} />
      <Grid>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack>
            {customer.scores.length === 0 && (
              <Card withBorder>
                <Text fw={600}>{t.score.none}</Text>
                <Text size="sm">{t.score.noneHelp}</Text>
              </Card>
            )}
            {customer.scores.map((score) => (
              <ScoreCard key={score.name} score={score} customer={customer} />
            ))}
            <Attributes customer={customer} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack>
            <TimelineCard id={id} />
            <Features features={customer.features} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Head({ customer }: { customer: Customer }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const known = customer.id.startsWith('user:');
  return (
    <div>
      <Group gap="xs">
        <Title order={1} size="h2">
          {customer.name ?? customer.id.replace(/^user:/, '')}
        </Title>
        <Badge variant="default" tt="none">
          {known ? t.customer.known : t.customer.anonymous}
        </Badge>
        {customer.segments.map((segment) => (
          <Badge key={segment} variant="light" tt="none" data-segment={segment}>
            {title(segment)}
          </Badge>
        ))}
      </Group>
      <Text size="sm" c="dimmed">
        {customer.ids.join(' · ')}
      </Text>
      <Text size="sm">
        {t.customer.lastSeen} <Ago at={customer.last_seen} /> · {t.customer.firstSeen}{' '}
        {format.date(customer.first_seen)} · {t.customer.events}{' '}
        <span data-testid="events">{format.number(customer.events, 0)}</span>
      </Text>
    </div>
  );
}

function Features({ features }: { features: FeatureFact[] }) {
  const { t } = useI18n();
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.features.title}
      </Title>
      <Table.ScrollContainer minWidth={300} type="native" tabIndex={0}>
        <Table verticalSpacing={4} aria-label={t.features.title}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.features.name}</Table.Th>
              <Table.Th>{t.features.aggregate}</Table.Th>
              <Table.Th ta="right">{t.features.value}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {features.map((feature) => (
              <FeatureRow key={feature.name} feature={feature} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function FeatureRow({ feature }: { feature: FeatureFact }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const { value, window, aggregate } = feature;
  const when =
    window === 'lifetime'
      ? t.features.lifetime
      : 'sliding' in window
        ? t.features.sliding(format.span(window.sliding))
        : t.features.session(format.span(window.session));
  const inDays = aggregate === 'recency' || aggregate === 'age';
  const text =
    value === null
      ? t.features.missing
      : typeof value === 'number'
        ? inDays
          ? t.features.days(value, format.number(value, 1))
          : format.number(value)
        : Array.isArray(value)
          ? value.map(String).join(', ')
          : String(value);
  return (
    <Table.Tr>
      <Table.Td>{title(feature.name)}</Table.Td>
      <Table.Td>
        <Text size="xs" c="dimmed">
          {t.features.aggregates[aggregate] ?? aggregate}, {when}
        </Text>
      </Table.Td>
      <Table.Td ta="right" data-feature={feature.name}>
        {text}
      </Table.Td>
    </Table.Tr>
  );
}
