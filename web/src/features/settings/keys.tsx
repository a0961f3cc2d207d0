/** Keys by which programs use the API. */
import { Badge, Checkbox, Select, Table, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { addKey, deleteKey, keysKey, keysQuery, rolesQuery } from '~/api/people';
import { Ago } from '~/components/ago';
import { FormDialog } from '~/components/form-dialog';
import { Secret } from '~/components/secret';
import { useI18n } from '~/i18n';
import { Deeds, Part, useAct, useRun } from './part';

export function Keys() {
  const { t, format } = useI18n();
  const keys = useQuery(keysQuery);
  const roles = useQuery(rolesQuery).data ?? [];
  const act = useAct(keysKey);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<string | null>(null);
  return (
    <Part
      label={t.settings.sections.keys}
      lead={t.keys.lead}
      query={keys}
      heads={[t.keys.name, t.users.role, t.keys.made, t.keys.used]}
      add={{ label: t.keys.add, act: () => setMaking(true) }}
      row={(key) => (
        <Table.Tr key={key.id}>
          <Table.Td>
            {key.name} {key.read_only && <Badge variant="default">{t.keys.readOnly}</Badge>}
          </Table.Td>
          <Table.Td>{roles.find((role) => role.id === key.role)?.name ?? key.role}</Table.Td>
          <Table.Td>{format.date(key.created_at)}</Table.Td>
          <Table.Td>{key.used_at ? <Ago at={key.used_at} /> : t.users.never}</Table.Td>
          <Deeds
            remove={{
              label: t.keys.remove(key.name),
              act: () => void act(() => deleteKey(key.id), t.keys.removed(key.name)),
            }}
          />
        </Table.Tr>
      )}
    >
      {made !== null && <Secret title={t.keys.isMade} help={t.keys.once} text={made} close={() => setMade(null)} />}
      {making && (
        <KeyDialog
          close={() => setMaking(false)}
          done={(key) => {
            setMaking(false);
            setMade(key);
          }}
        />
      )}
    </Part>
  );
}

function KeyDialog({ close, done }: { close(): void; done(key: string): void }) {
  const { t } = useI18n();
  const run = useRun(keysKey);
  const roles = useQuery(rolesQuery).data ?? [];
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>(null);
  const [readOnly, setReadOnly] = useState(true);
  const submit = () =>
    run(async () => done((await addKey({ name: name.trim(), role: role ?? '', read_only: readOnly })).key));
  return (
    <FormDialog
      title={t.keys.add}
      send={t.keys.add}
      failed={t.settings.failed}
      disabled={name.trim() === '' || !role}
      submit={submit}
      close={close}
    >
      <TextInput
        label={t.keys.name}
        description={t.keys.nameHelp}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={t.users.role}
        data={roles.map((one) => ({ value: one.id, label: one.name }))}
        value={role}
        onChange={setRole}
      />
      <Checkbox
        label={t.keys.readOnly}
        checked={readOnly}
        onChange={(event) => setReadOnly(event.currentTarget.checked)}
      />
    </FormDialog>
  );
}
