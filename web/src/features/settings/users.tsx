/** Who uses Rapport: inviting, roles, teams, letting out. */
import { ActionIcon, Badge, Group, Menu, MultiSelect, Select, Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Ellipsis } from 'lucide-react';
import { useState } from 'react';
import {
  changeUser,
  clearSecondFactor,
  invite,
  passwordLink,
  rolesQuery,
  teamsQuery,
  type User,
  usersKey,
  usersQuery,
} from '~/api/people';
import { Ago } from '~/components/ago';
import { FormDialog } from '~/components/form-dialog';
import { Secret } from '~/components/secret';
import { useI18n } from '~/i18n';
import { Part, useAct } from './part';

export function Users() {
  const { t } = useI18n();
  const users = useQuery(usersQuery);
  const [inviting, setInviting] = useState(false);
  const [link, setLink] = useState<string | null>(null);
  return (
    <Part
      label={t.settings.sections.users}
      lead={t.users.lead}
      query={users}
      heads={[t.users.person, t.users.role, t.users.teams, t.users.seen]}
      add={{ label: t.users.invite, act: () => setInviting(true) }}
      row={(user) => <UserRow key={user.id} user={user} show={setLink} />}
    >
      {link !== null && <Secret title={t.users.link} help={t.users.linkHelp} text={link} close={() => setLink(null)} />}
      {inviting && (
        <InviteDialog
          close={() => setInviting(false)}
          done={(made) => {
            setInviting(false);
            setLink(made);
          }}
        />
      )}
    </Part>
  );
}

function UserRow({ user, show }: { user: User; show(link: string): void }) {
  const { t } = useI18n();
  const roles = useQuery(rolesQuery).data ?? [];
  const teams = useQuery(teamsQuery).data ?? [];
  const act = useAct(usersKey);
  const change = (changes: Parameters<typeof changeUser>[1]) =>
    void act(() => changeUser(user.id, changes), t.users.changed(user.name));
  return (
    <Table.Tr data-user={user.email} opacity={user.active ? 1 : 0.7}>
      <Table.Td>
        <Text size="sm" fw={500}>
          {user.name}
        </Text>
        <Group gap={4}>
          <Text size="xs" c="dimmed">
            {user.email}
          </Text>
          {!user.active && <Badge variant="default">{t.users.inactive}</Badge>}
          {user.second_factor && <Badge variant="default">{t.users.twoFactors}</Badge>}
        </Group>
      </Table.Td>
      <Table.Td>
        <Select
          size="xs"
          aria-label={t.users.roleOf(user.name)}
          data={roles.map((role) => ({ value: role.id, label: role.name }))}
          value={user.role}
          allowDeselect={false}
          onChange={(role) => role && change({ role })}
        />
      </Table.Td>
      <Table.Td>
        <MultiSelect
          size="xs"
          aria-label={t.users.teamsOf(user.name)}
          data={teams.map((team) => ({ value: team.id, label: team.name }))}
          value={user.teams}
          onChange={(next) => change({ teams: next })}
        />
      </Table.Td>
      <Table.Td>{user.last_seen ? <Ago at={user.last_seen} /> : t.users.never}</Table.Td>
      <Table.Td>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t.users.actionsOf(user.name)}>
              <Ellipsis size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => change({ active: !user.active })}>
              {user.active ? t.users.deactivate : t.users.activate}
            </Menu.Item>
            <Menu.Item
              onClick={() => void act(async () => show(window.location.origin + (await passwordLink(user.id)).path))}
            >
              {t.users.passwordLink}
            </Menu.Item>
            {user.second_factor && (
              <Menu.Item onClick={() => void act(() => clearSecondFactor(user.id), t.users.changed(user.name))}>
                {t.users.clearFactor}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </Table.Td>
    </Table.Tr>
  );
}

function InviteDialog({ close, done }: { close(): void; done(link: string): void }) {
  const { t } = useI18n();
  const roles = useQuery(rolesQuery).data ?? [];
  const teams = useQuery(teamsQuery).data ?? [];
  const [email, setEmail] = useState('');
  // Most people are members: the role that may do least comes only by choice, and so does the one that may do all.
  const usual = roles.find((role) => role.name === 'Member') ?? roles[0];
  const [role, setRole] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string[]>([]);
  const given = role ?? usual?.id ?? '';
  const submit = async () => {
    const { path } = await invite(email.trim(), given, chosen);
    done(window.location.origin + path);
  };
  return (
    <FormDialog
      title={t.users.invite}
      send={t.users.makeLink}
      failed={t.users.notInvited}
      disabled={email.trim() === '' || given === ''}
      submit={submit}
      close={close}
    >
      <TextInput
        label={t.signin.email}
        type="email"
        data-autofocus
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <Select
        label={t.users.role}
        data={roles.map((one) => ({ value: one.id, label: one.name }))}
        value={given}
        allowDeselect={false}
        onChange={setRole}
      />
      <MultiSelect
        label={t.users.teams}
        data={teams.map((one) => ({ value: one.id, label: one.name }))}
        value={chosen}
        onChange={setChosen}
      />
    </FormDialog>
  );
}
