/** All customers, live: rows change as effects come, and a second later they stand where they belong. */
import { Badge, Button, Code, Group, SegmentedControl, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { customersQuery, listKey, type SortKey } from '~/api/queries';
import type { CustomerRow } from '~/api/schema';
import { Ago } from '~/components/ago';
import { ScoreBar } from '~/components/score-bar';
import { Failed, Waiting } from '~/components/states';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';
import { useLiveChanges } from '~/live/react';
import { throttle } from '~/live/throttle';

/** The list is fetched again at most this often while customers move. */
const REORDER_MS = 1_000;
/** Segments that a row shows. */
const SEGMENTS_SHOWN = 3;

export function CustomersPage() {
  const { q = '', sort = 'last_seen' } = useSearch({ from: '/shell/' });
  const { t, format } = useI18n();
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const client = useQueryClient();
  const list = useInfiniteQuery(customersQuery(q, sort));
  const search = (next: { q?: string; sort?: SortKey }) => void navigate({ to: '/', search: next, replace: true });
  const find = useDebouncedCallback((wanted: string) => search({ q: wanted.trim(), sort }), 200);
  const reorder = useMemo(() => throttle(() => client.invalidateQueries({ queryKey: listKey }), REORDER_MS), [client]);
  useEffect(() => reorder.cancel, [reorder]);
  useLiveChanges(reorder);

  const rows = list.data?.pages.flatMap((page) => page.customers) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <div>
          <Title order={1} size="h2">
            {t.customers.title}
          </Title>
          <Text size="sm" c="dimmed" data-testid="total">
            {list.data && (q === '' ? t.customers.total : t.customers.found)(total, format.number(total, 0))}
          </Text>
        </div>
        <Group>
          <SegmentedControl
            aria-label={t.customers.sort}
            value={sort}
            onChange={(next) => search({ q, sort: next as SortKey })}
            data={[
              { value: 'last_seen', label: t.customers.sortLastSeen },
              { value: 'score', label: t.customers.sortScore },
            ]}
          />
          <TextInput
            type="search"
            aria-label={t.customers.search}
            placeholder={t.customers.searchHint}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              find(event.currentTarget.value);
            }}
          />
        </Group>
      </Group>
      {list.isPending && <Waiting />}
      {list.isError && <Failed error={list.error} title={t.customers.failed} retry={() => list.refetch()} />}
      {list.isSuccess && rows.length === 0 && (q === '' ? <Empty /> : <Text>{t.customers.nothingFound(q)}</Text>)}
      {rows.length > 0 && <Rows rows={rows} />}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t.customers.more(total - rows.length)}
        </Button>
      )}
    </Stack>
  );
}

function Rows({ rows }: { rows: CustomerRow[] }) {
  const { t } = useI18n();
  return (
    <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
      <Table highlightOnHover verticalSpacing="xs" aria-label={t.customers.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.customers.name}</Table.Th>
            <Table.Th>{t.customers.score}</Table.Th>
            <Table.Th>{t.customers.segments}</Table.Th>
            <Table.Th ta="right">{t.customers.events}</Table.Th>
            <Table.Th>{t.customers.lastSeen}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ row }: { row: CustomerRow }) {
  const { t, format } = useI18n();
  const title = useTitles();
  const navigate = useNavigate();
  const open = () => void navigate({ to: '/customers/$id', params: { id: row.id } });
  return (
    <Table.Tr
      className="row"
      tabIndex={0}
      data-customer={row.id}
      onClick={open}
      onKeyDown={(event) => {
        const rows = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' } as const;
        if (event.key === 'Enter') open();
        const towards = rows[event.key as keyof typeof rows];
        if (!towards) return;
        event.preventDefault();
        (event.currentTarget[towards] as HTMLElement | null)?.focus();
      }}
    >
      <Table.Td>
        <Text fw={500} size="sm">
          {row.name ?? row.id.replace(/^user:/, '')}
        </Text>
        <Text size="xs" c="dimmed">
          {row.known ? (row.country ?? row.id) : t.customers.anonymous}
        </Text>
      </Table.Td>
      <Table.Td>
        {row.score ? (
          <ScoreBar value={row.score.value} label={title(row.score.name)} />
        ) : (
          <Text size="sm" c="dimmed" title={t.customers.noScoreHelp}>
            {t.customers.noScore}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {row.segments.slice(0, SEGMENTS_SHOWN).map((segment) => (
            <Badge key={segment} variant="light" tt="none" size="sm">
              {title(segment)}
            </Badge>
          ))}
          {row.segments.length > SEGMENTS_SHOWN && (
            <Text size="xs">{t.customers.more(row.segments.length - SEGMENTS_SHOWN)}</Text>
          )}
        </Group>
      </Table.Td>
      <Table.Td className="figure">{format.number(row.events, 0)}</Table.Td>
      <Table.Td>
        <Text size="sm">
          <Ago at={row.last_seen} />
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** Nobody yet: how the first customer comes. */
function Empty() {
  const { t } = useI18n();
  const body = '{"userId":"ada","event":"Order Completed","properties":{"total":42}}';
  return (
    <Stack>
      <Title order={2} size="h4">
        {t.empty.title}
      </Title>
      <Text>{t.empty.lead}</Text>
      <Code
        block
      >{`curl ${window.location.origin}/v1/track -u WRITE_KEY: -H 'Content-Type: application/json' -d '${body}'`}</Code>
      <Text size="sm">
        {t.empty.key} {t.empty.sdkNote}
      </Text>
      <Text size="sm" role="status">
        {t.empty.waiting}
      </Text>
    </Stack>
  );
}
