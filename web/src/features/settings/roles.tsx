/** Roles: what people may do, by object and by verb, and which fields they see. */
import { Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { deleteRole, type Role, rolesKey, rolesQuery } from '~/api/people';
import { useI18n } from '~/i18n';
import { Deeds, Part, useAct } from './part';
import { RoleEditor } from './role-editor';

export function Roles() {
  const { t, format } = useI18n();
  const roles = useQuery(rolesQuery);
  const act = useAct(rolesKey);
  const [editing, setEditing] = useState<Role | 'new' | null>(null);
  if (editing) return <RoleEditor role={editing === 'new' ? null : editing} close={() => setEditing(null)} />;
  return (
    <Part
      label={t.settings.sections.roles}
      lead={t.roles.lead}
      query={roles}
      heads={[t.roles.name, t.roles.people, t.roles.may]}
      add={{ label: t.roles.add, act: () => setEditing('new') }}
      row={(role) => (
        <Table.Tr key={role.id} data-role={role.name}>
          <Table.Td>{role.name}</Table.Td>
          <Table.Td>{format.number(role.people, 0)}</Table.Td>
          <Table.Td>
            <Text size="sm" c="dimmed">
              {role.administrator ? t.roles.administrator : role.transfer ? t.roles.transfer : ''}
            </Text>
          </Table.Td>
          <Deeds
            edit={{ label: t.roles.edit(role.name), act: () => setEditing(role) }}
            remove={{
              label: t.roles.remove(role.name),
              act: () => void act(() => deleteRole(role.id), t.roles.removed(role.name)),
              disabled: role.people > 0,
            }}
          />
        </Table.Tr>
      )}
    />
  );
}
