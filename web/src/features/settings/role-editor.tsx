/** One role: a line for each object, a column for each verb. */
import { Alert, Button, Checkbox, Group, MultiSelect, Select, Stack, Table, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { addRole, type Grant, type Reach, type Role, type RoleDefinition, rolesKey, saveRole } from '~/api/people';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useObjects, useSay } from '~/records/reader';
import { grantOf, NOTHING, nameOf, REACHES, type ReachName, reachOf, withGrant, withoutGrant } from './grants';
import { useRun } from './part';

const FRESH: RoleDefinition = { name: '', administrator: false, transfer: false, objects: {}, other: NOTHING };

export function RoleEditor({ role: known, close }: { role: Role | null; close(): void }) {
  const { t } = useI18n();
  const run = useRun(rolesKey);
  const notice = useNotice();
  const objects = useObjects();
  const [role, setRole] = useState<RoleDefinition>(() => {
    if (!known) return FRESH;
    const { id: _, people: __, ...definition } = known;
    return definition;
  });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await run(() => (known ? saveRole(known.id, role) : addRole(role)));
      notice.done({ text: t.roles.saved(role.name) });
      close();
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <Title order={2} size="h4">
          {known ? t.roles.edit(known.name) : t.roles.add}
        </Title>
        <TextInput
          label={t.roles.name}
          maw={320}
          value={role.name}
          onChange={(event) => setRole({ ...role, name: event.currentTarget.value })}
        />
        <Checkbox
          label={t.roles.administrator}
          checked={role.administrator}
          onChange={(event) => setRole({ ...role, administrator: event.currentTarget.checked })}
        />
        <Checkbox
          label={t.roles.transfer}
          checked={role.transfer}
          onChange={(event) => setRole({ ...role, transfer: event.currentTarget.checked })}
        />
        {!role.administrator && <Matrix role={role} objects={objects} setRole={setRole} />}
        {error && (
          <Alert color="red" title={t.settings.failed} role="alert">
            {error.message}
          </Alert>
        )}
        <Group gap="xs">
          <Button type="submit" loading={busy} disabled={role.name.trim() === ''}>
            {t.edit.save}
          </Button>
          <Button variant="default" onClick={close}>
            {t.app.cancel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface MatrixProps {
  role: RoleDefinition;
  objects: ObjectFact[];
  setRole(role: RoleDefinition): void;
}

function Matrix({ role, objects, setRole }: MatrixProps) {
  const { t } = useI18n();
  const say = useSay();
  const lines = [null, ...objects];
  return (
    <Table.ScrollContainer minWidth={900} type="native" tabIndex={0}>
      <Table aria-label={t.roles.may} verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.roles.object}</Table.Th>
            <Table.Th>{t.roles.read}</Table.Th>
            <Table.Th>{t.roles.create}</Table.Th>
            <Table.Th>{t.roles.update}</Table.Th>
            <Table.Th>{t.roles.delete}</Table.Th>
            <Table.Th>{t.roles.hidden}</Table.Th>
            <Table.Th>{t.roles.locked}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map((object) => {
            const name = object?.name ?? null;
            const own = name === null || name in role.objects;
            return (
              <Line
                key={name ?? ''}
                title={object ? say(object.plural) : t.roles.others}
                object={object}
                grant={grantOf(role, name)}
                own={own}
                set={(grant) => setRole(withGrant(role, name, grant))}
                reset={name !== null && own ? () => setRole(withoutGrant(role, name)) : null}
              />
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface LineProps {
  title: string;
  object: ObjectFact | null;
  grant: Grant;
  /** Whether the object has a grant of its own. */
  own: boolean;
  set(grant: Grant): void;
  reset: (() => void) | null;
}

function Line({ title, object, grant, own, set, reset }: LineProps) {
  const { t } = useI18n();
  const say = useSay();
  const fields = (object?.fields ?? [])
    .filter((field) => !field.retired && field.name !== object?.title)
    .map((field) => ({ value: field.name, label: say(field.label) }));
  const reach = (verb: 'read' | 'update' | 'delete') => (
    <Table.Td>
      <ReachInput
        label={`${title}, ${t.roles[verb]}`}
        reach={grant[verb]}
        set={(next) => set({ ...grant, [verb]: next })}
      />
    </Table.Td>
  );
  const several = (part: 'hidden' | 'locked') => (
    <Table.Td>
      {object && (
        <MultiSelect
          size="xs"
          searchable
          aria-label={`${title}, ${t.roles[part]}`}
          data={fields}
          value={grant[part]}
          onChange={(next) => set({ ...grant, [part]: next })}
        />
      )}
    </Table.Td>
  );
  return (
    <Table.Tr opacity={own ? 1 : 0.75}>
      <Table.Th fw={own ? 600 : 400}>
        {title}
        {reset && (
          <Button size="compact-xs" variant="subtle" onClick={reset}>
            {t.roles.asOthers}
          </Button>
        )}
      </Table.Th>
      {reach('read')}
      <Table.Td>
        <Checkbox
          aria-label={`${title}, ${t.roles.create}`}
          checked={grant.create}
          onChange={(event) => set({ ...grant, create: event.currentTarget.checked })}
        />
      </Table.Td>
      {reach('update')}
      {reach('delete')}
      {several('hidden')}
      {several('locked')}
    </Table.Tr>
  );
}

function ReachInput({ label, reach, set }: { label: string; reach: Reach; set(reach: Reach): void }) {
  const { t } = useI18n();
  return (
    <Stack gap={4}>
      <Select
        size="xs"
        w={150}
        aria-label={label}
        data={REACHES.map((name) => ({ value: name, label: t.roles.reaches[name] }))}
        value={nameOf(reach)}
        allowDeselect={false}
        onChange={(next) => next && set(reachOf(next as ReachName, reach))}
      />
      {typeof reach !== 'string' && (
        <TextInput
          size="xs"
          ff="monospace"
          aria-label={`${label}: ${t.filter.text}`}
          value={reach.condition}
          onChange={(event) => set({ condition: event.currentTarget.value })}
        />
      )}
    </Stack>
  );
}
