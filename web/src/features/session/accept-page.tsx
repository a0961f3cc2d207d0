/** Accepting an invitation: a name and a password make an account. Setting a forgotten password anew is the same without a name. */
import { Alert, Button, PasswordInput, Stack, TextInput, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ProblemError } from '~/api/client';
import { accept, resetPassword } from '~/api/people';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { SessionFrame } from './frame';
import { useEnter } from './sign-in-page';

/** Letters that a password must have. */
export const PASSWORD_LETTERS = 12;

export function AcceptPage() {
  const { token } = useSearch({ from: '/accept' });
  const { t } = useI18n();
  const enter = useEnter();
  const [name, setName] = useState('');
  return (
    <TokenForm
      title={t.signin.welcome}
      send={t.signin.create}
      ready={name.trim() !== ''}
      submit={async (password) => {
        await accept(token, name.trim(), password);
        await enter();
      }}
    >
      <TextInput
        label={t.signin.yourName}
        autoComplete="name"
        required
        withAsterisk={false}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </TokenForm>
  );
}

export function ResetPage() {
  const { token } = useSearch({ from: '/reset-password' });
  const { t } = useI18n();
  const navigate = useNavigate();
  const notice = useNotice();
  return (
    <TokenForm
      title={t.signin.newPassword}
      send={t.signin.setPassword}
      ready
      submit={async (password) => {
        await resetPassword(token, password);
        notice.done({ text: t.signin.passwordSet });
        await navigate({ to: '/signin' });
      }}
    />
  );
}

interface TokenFormProps {
  title: string;
  send: string;
  ready: boolean;
  submit(password: string): Promise<void>;
  children?: React.ReactNode;
}

function TokenForm({ title, send, ready, submit, children }: TokenFormProps) {
  const { t } = useI18n();
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const isUsed = error instanceof ProblemError && error.status === 401;
  const go = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await submit(password);
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <SessionFrame>
      <form onSubmit={(event) => void go(event)}>
        <Stack>
          <Title order={2} size="h4">
            {title}
          </Title>
          {children}
          <PasswordInput
            label={t.signin.password}
            description={t.signin.passwordHelp(PASSWORD_LETTERS)}
            autoComplete="new-password"
            required
            withAsterisk={false}
            minLength={PASSWORD_LETTERS}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {error && (
            <Alert color="red" title={isUsed ? t.signin.failed : undefined} role="alert">
              {isUsed ? t.signin.invitationUsed : error.message}
            </Alert>
          )}
          <Button type="submit" loading={busy} disabled={!ready}>
            {send}
          </Button>
        </Stack>
      </form>
    </SessionFrame>
  );
}
