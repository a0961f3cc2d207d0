/** Who changed what, over all records. */
import { Button, Group, Select, Stack, Table, Text } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { type AuditWanted, auditQuery } from '~/api/audit';
import { colleaguesQuery } from '~/api/people';
import type { Change } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useObjects, usePerson, useSay } from '~/records/reader';

export function Audit() {
  const { t } = useI18n();
  const say = useSay();
  const objects = useObjects();
  const people = useQuery(colleaguesQuery).data ?? [];
  const [wanted, setWanted] = useState<AuditWanted>({});
  const audit = useInfiniteQuery(auditQuery(wanted));
  const changes = audit.data?.pages.flatMap((page) => page.changes) ?? [];
  return (
    <Stack>
      <Group gap="xs">
        <Select
          size="xs"
          clearable
          searchable
          aria-label={t.audit.who}
          placeholder={t.audit.anybody}
          data={[
            ...people.map((person) => ({ value: `user:${person.id}`, label: person.name })),
            { value: 'events', label: t.records.actors.events ?? 'events' },
            { value: 'demo', label: t.records.actors.demo ?? 'demo' },
            { value: 'system', label: t.records.actors.system ?? 'system' },
          ]}
          value={wanted.actor ?? null}
          onChange={(actor) => setWanted({ ...wanted, actor: actor ?? undefined })}
        />
        <Select
          size="xs"
          clearable
          searchable
          aria-label={t.audit.what}
          placeholder={t.audit.anything}
          data={objects.map((object) => ({ value: object.name, label: say(object.plural) }))}
          value={wanted.object ?? null}
          onChange={(object) => setWanted({ ...wanted, object: object ?? undefined })}
        />
      </Group>
      {audit.isPending && <Waiting />}
      {audit.isError && <Failed error={audit.error} retry={() => audit.refetch()} />}
      {audit.isSuccess && changes.length === 0 && <Text>{t.audit.nothing}</Text>}
      {changes.length > 0 && (
        <Table.ScrollContainer minWidth={700} type="native" tabIndex={0}>
          <Table verticalSpacing={4} aria-label={t.settings.sections.audit}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t.audit.when}</Table.Th>
                <Table.Th>{t.audit.who}</Table.Th>
                <Table.Th>{t.audit.what}</Table.Th>
                <Table.Th>{t.audit.fields}</Table.Th>
                <Table.Th>{t.audit.from}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changes.map((change) => (
                <Row key={change.seq} change={change} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {audit.hasNextPage && (
        <Button
          size="xs"
          variant="default"
          loading={audit.isFetchingNextPage}
          onClick={() => void audit.fetchNextPage()}
        >
          {t.history.older}
        </Button>
      )}
    </Stack>
  );
}

function Row({ change }: { change: Change }) {
  const { t, format } = useI18n();
  const say = useSay();
  const person = usePerson();
  const object = useObjects().find((one) => one.name === change.object);
  const label = (name: string) => {
    const field = object?.fields.find((one) => one.name === name);
    return field ? say(field.label) : (t.records.system[name] ?? name);
  };
  const names = [...new Set([...Object.keys(change.before), ...Object.keys(change.after)])];
  const title = object && (change.after[object.title] ?? change.before[object.title]);
  const what = typeof title === 'string' ? title : change.record;
  return (
    <Table.Tr data-change={change.op} data-of={change.object}>
      <Table.Td style={{ whiteSpace: 'nowrap' }}>{format.dateTime(change.at)}</Table.Td>
      <Table.Td>
        {person(change.actor)} {t.history.ops[change.op]}
      </Table.Td>
      <Table.Td>
        {object ? (
          <>
            <Text size="xs" c="dimmed">
              {say(object.label)}
            </Text>
            <AnchorTo size="sm" to="/objects/$object/$id" params={{ object: object.name, id: change.record }}>
              {what}
            </AnchorTo>
          </>
        ) : (
          `${t.audit.kinds[change.object] ?? change.object} ${what}`
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{names.map(label).join(', ')}</Text>
      </Table.Td>
      <Table.Td>
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
          {change.origin ?? ''}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}
