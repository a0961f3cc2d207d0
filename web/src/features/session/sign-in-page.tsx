/** Signing in by e-mail address and password, with a code where there is a second factor; or by a one-time link. */
import { Alert, Button, Code, Divider, Loader, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ProblemError } from '~/api/client';
import { signInWith } from '~/api/people';
import { signIn } from '~/api/queries';
import { useI18n } from '~/i18n';
import { SessionFrame } from './frame';
import { SignOnButtons, SignOnRefused } from './sign-on';

export function SignInPage() {
  const { token, from, refused, provider } = useSearch({ from: '/signin' });
  const { t } = useI18n();
  const enter = useEnter(from);
  const [failed, setFailed] = useState(false);
  const taken = useRef<string | null>(null);
  useEffect(() => {
    // A token works once: it must not be sent twice by a second run of this effect.
    if (!token || taken.current === token) return;
    taken.current = token;
    signIn(token).then(enter, () => setFailed(true));
  }, [token, enter]);
  if (token && !failed) {
    return (
      <SessionFrame>
        <Text role="status">
          <Loader size="xs" aria-hidden /> {t.signin.busy}
        </Text>
      </SessionFrame>
    );
  }
  return (
    <SessionFrame>
      {failed && (
        <Alert color="red" title={t.signin.failed} role="alert">
          {t.signin.used}
        </Alert>
      )}
      {refused && <SignOnRefused reason={refused} provider={provider ?? ''} />}
      <SignOnButtons from={from} />
      <PasswordForm enter={enter} />
    </SessionFrame>
  );
}

/** Goes to the pages once there is a session: to where one wanted to go, or to the first. */
export function useEnter(from = '/'): () => Promise<void> {
  const navigate = useNavigate();
  const client = useQueryClient();
  const entering = useRef(async () => {
    // What was asked before is another person's, or nobody's.
    client.clear();
    await navigate({ href: from, replace: true });
  });
  return entering.current;
}

function PasswordForm({ enter }: { enter(): Promise<void> }) {
  const { t } = useI18n();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [needsCode, setNeedsCode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setWrong(null);
    try {
      await signInWith(email.trim(), password, needsCode ? code.trim() : undefined);
      await enter();
      return;
    } catch (error) {
      const problem = error instanceof ProblemError ? error.problem?.code : undefined;
      if (problem === 'second_factor' && !needsCode) setNeedsCode(true);
      else if (problem === 'sign_in') setWrong(needsCode ? t.signin.wrongCode : t.signin.wrong);
      else if (problem === 'sign_in_rate') setWrong(t.signin.tooMany);
      else setWrong(error instanceof ProblemError ? error.message : t.problem.network);
    }
    setBusy(false);
  };
  return (
    <Stack>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t.signin.email}
            type="email"
            autoComplete="username"
            required
            withAsterisk={false}
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
          />
          <PasswordInput
            label={t.signin.password}
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {needsCode && (
            <TextInput
              label={t.signin.code}
              description={t.signin.codeHelp}
              autoComplete="one-time-code"
              required
              withAsterisk={false}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
            />
          )}
          {wrong && (
            <Alert color="red" role="alert">
              {wrong}
            </Alert>
          )}
          <Button type="submit" loading={busy}>
            {t.signin.signIn}
          </Button>
        </Stack>
      </form>
      <Divider label={t.signin.byLink} />
      <Text size="sm">{t.signin.how}</Text>
      <Code block>rapport link</Code>
    </Stack>
  );
}
