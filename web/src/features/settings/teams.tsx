/** Teams, whose records their people reach. */
import { Table, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { addTeam, deleteTeam, saveTeam, type Team, teamsKey, teamsQuery } from '~/api/people';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { usePerson } from '~/records/reader';
import { Deeds, Part, useAct, useRun } from './part';

export function Teams() {
  const { t } = useI18n();
  const teams = useQuery(teamsQuery);
  const person = usePerson();
  const act = useAct(teamsKey);
  const [editing, setEditing] = useState<Team | 'new' | null>(null);
  return (
    <Part
      label={t.settings.sections.teams}
      lead={t.teams.lead}
      query={teams}
      heads={[t.teams.name, t.teams.people]}
      add={{ label: t.teams.add, act: () => setEditing('new') }}
      row={(team) => (
        <Table.Tr key={team.id}>
          <Table.Td>{team.name}</Table.Td>
          <Table.Td>
            <Text size="sm">{team.people.map(person).join(', ')}</Text>
          </Table.Td>
          <Deeds
            edit={{ label: t.teams.rename(team.name), act: () => setEditing(team) }}
            remove={{
              label: t.teams.remove(team.name),
              act: () => void act(() => deleteTeam(team.id), t.teams.removed(team.name)),
            }}
          />
        </Table.Tr>
      )}
    >
      {editing && <TeamDialog team={editing === 'new' ? null : editing} close={() => setEditing(null)} />}
    </Part>
  );
}

function TeamDialog({ team, close }: { team: Team | null; close(): void }) {
  const { t } = useI18n();
  const run = useRun(teamsKey);
  const [name, setName] = useState(team?.name ?? '');
  const submit = async () => {
    const wanted = name.trim();
    await run(() => (team ? saveTeam(team.id, wanted) : addTeam(wanted)));
    close();
  };
  return (
    <FormDialog
      title={team ? t.teams.rename(team.name) : t.teams.add}
      send={t.edit.save}
      failed={t.settings.failed}
      disabled={name.trim() === ''}
      submit={submit}
      close={close}
    >
      <TextInput
        label={t.teams.name}
        data-autofocus
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
