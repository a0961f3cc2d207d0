/** Oneself: name, password, second factor, where one is signed in. */
import { Badge, Button, Card, Group, PasswordInput, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import {
  type Account,
  changeAccount,
  endSession,
  meKey,
  meQuery,
  sessionsKey,
  sessionsQuery,
  setPassword,
} from '~/api/people';
import { Ago } from '~/components/ago';
import { useNotice } from '~/components/notice';
import { Failed, Waiting } from '~/components/states';
import { PASSWORD_LETTERS } from '~/features/session/accept-page';
import { useI18n } from '~/i18n';
import { Part, useAct } from './part';
import { SecondFactor } from './second-factor';
import { SignOns } from './sign-ons';

export function Profile() {
  const { t } = useI18n();
  const me = useQuery(meQuery);
  if (me.isPending) return <Waiting />;
  if (me.isError) return <Failed error={me.error} retry={() => me.refetch()} />;
  if (me.data === null) return <Text>{t.profile.nobody}</Text>;
  return (
    <Stack maw={720}>
      <About me={me.data} />
      <Password me={me.data} />
      <SecondFactor me={me.data} />
      <SignOns me={me.data} />
      <Sessions />
    </Stack>
  );
}

function About({ me }: { me: Account }) {
  const { t } = useI18n();
  const act = useAct(meKey);
  const [name, setName] = useState(me.name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void act(() => changeAccount({ name: name.trim() }), t.profile.saved);
  };
  return (
    <Card withBorder component="form" onSubmit={submit}>
      <Stack>
        <Text size="sm" c="dimmed">
          {me.email} · {me.role}
        </Text>
        <Group align="flex-end">
          <TextInput
            label={t.signin.yourName}
            autoComplete="name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" disabled={name.trim() === '' || name.trim() === me.name}>
            {t.edit.save}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function Password({ me }: { me: Account }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const [old, setOld] = useState('');
  const [next, setNext] = useState('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await setPassword(next, me.password ? old : undefined);
      setOld('');
      setNext('');
      notice.done({ text: t.profile.passwordChanged });
      await client.invalidateQueries({ queryKey: meKey });
    } catch (error) {
      notice.failed(t.settings.failed, error);
    }
  };
  return (
    <Card withBorder component="form" onSubmit={(event) => void submit(event)}>
      <Stack>
        <Title order={2} size="h4">
          {t.profile.password}
        </Title>
        {me.password && (
          <PasswordInput
            label={t.profile.oldPassword}
            autoComplete="current-password"
            value={old}
            onChange={(event) => setOld(event.currentTarget.value)}
          />
        )}
        <PasswordInput
          label={t.profile.newPassword}
          description={t.signin.passwordHelp(PASSWORD_LETTERS)}
          autoComplete="new-password"
          value={next}
          onChange={(event) => setNext(event.currentTarget.value)}
        />
        <Group>
          <Button type="submit" variant="default" disabled={next.length < PASSWORD_LETTERS}>
            {t.signin.setPassword}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function Sessions() {
  const { t } = useI18n();
  const sessions = useQuery(sessionsQuery);
  const act = useAct(sessionsKey);
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.profile.sessions}
      </Title>
      <Part
        label={t.profile.sessions}
        lead={t.profile.sessionsHelp}
        query={sessions}
        heads={[t.profile.browser, t.profile.address, t.profile.lastUsed]}
        row={(session) => (
          <Table.Tr key={session.id}>
            <Table.Td>
              <Text size="sm" lineClamp={2}>
                {session.agent ?? ''}
              </Text>
            </Table.Td>
            <Table.Td>{session.address ?? ''}</Table.Td>
            <Table.Td>
              <Ago at={session.seen_at} />
            </Table.Td>
            <Table.Td ta="right">
              {session.current ? (
                <Badge variant="default">{t.profile.thisOne}</Badge>
              ) : (
                <Button
                  size="compact-xs"
                  variant="default"
                  onClick={() => void act(() => endSession(session.id), t.profile.ended)}
                >
                  {t.profile.end}
                </Button>
              )}
            </Table.Td>
          </Table.Tr>
        )}
      />
    </Card>
  );
}
