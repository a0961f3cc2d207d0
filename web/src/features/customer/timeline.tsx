/** The customer's events, newest first. */
import { Button, Card, Code, Stack, Text, Title } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { timelineQuery } from '~/api/queries';
import type { TimelineItem } from '~/api/schema';
import { Ago } from '~/components/ago';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';

export function TimelineCard({ id }: { id: string }) {
  const { t } = useI18n();
  const timeline = useInfiniteQuery(timelineQuery(id));
  const items = timeline.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.timeline.title}
      </Title>
      {timeline.isPending && <Waiting />}
      {timeline.isError && <Failed error={timeline.error} title={t.timeline.failed} retry={() => timeline.refetch()} />}
      {timeline.isSuccess && items.length === 0 && <Text size="sm">{t.timeline.none}</Text>}
      <Stack
        component="ol"
        gap="xs"
        m={0}
        p={0}
        mah={480}
        aria-label={t.timeline.label}
        style={{ overflowY: 'auto', listStyle: 'none' }}
      >
        {items.map((item) => (
          <Item key={`${item.partition}-${item.offset}`} item={item} />
        ))}
      </Stack>
      {timeline.hasNextPage && (
        <Button
          mt="xs"
          size="xs"
          variant="default"
          loading={timeline.isFetchingNextPage}
          onClick={() => void timeline.fetchNextPage()}
        >
          {t.timeline.older}
        </Button>
      )}
    </Card>
  );
}

function Item({ item }: { item: TimelineItem }) {
  const { t, format } = useI18n();
  const kind = t.timeline.kinds[item.kind] ?? item.kind;
  const total = item.properties.total;
  return (
    <li data-event={item.message_id} className="moved">
      <details>
        <summary>
          <Text span size="sm" fw={500}>
            {item.name ? (t.timeline.eventNames[item.name] ?? item.name) : kind}
          </Text>
          {typeof total === 'number' && (
            <Text span size="sm">
              {' '}
              {format.number(total)}
            </Text>
          )}
          <Text span size="xs" c="dimmed">
            {' · '}
            <Ago at={item.at} />
          </Text>
        </summary>
        <Code block mah={240} style={{ overflow: 'auto' }} tabIndex={0}>
          {JSON.stringify(item.properties, null, 2)}
        </Code>
        <Text size="xs" c="dimmed">
          {t.timeline.messageId} {item.message_id} · {t.timeline.placeOf(String(item.partition), String(item.offset))}
        </Text>
      </details>
    </li>
  );
}
