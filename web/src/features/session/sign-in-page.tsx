/** Signing in by a one-time link, and how to get one. */
import { Alert, Center, Code, Loader, Paper, Stack, Text, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { signIn } from '~/api/queries';
import { useI18n } from '~/i18n';

export function SignInPage() {
  const { token } = useSearch({ from: '/signin' });
  const { t } = useI18n();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [failed, setFailed] = useState(false);
  const taken = useRef<string | null>(null);
  useEffect(() => {
    // A token works once: it must not be sent twice by a second run of this effect.
    if (!token || taken.current === token) return;
    taken.current = token;
    signIn(token).then(
      async () => {
        await client.resetQueries({ queryKey: ['session'] });
        await navigate({ to: '/', replace: true });
      },
      () => setFailed(true),
    );
  }, [token, client, navigate]);
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" maw={480} shadow="sm">
        <Stack>
          <Title order={1} size="h2">
            {t.app.name}
          </Title>
          <Text>{t.signin.tagline}</Text>
          {token && !failed ? (
            <Text role="status">
              <Loader size="xs" aria-hidden /> {t.signin.busy}
            </Text>
          ) : (
            <>
              {failed && (
                <Alert color="red" title={t.signin.failed} role="alert">
                  {t.signin.used}
                </Alert>
              )}
              <Text>{t.signin.how}</Text>
              <Code block>rapport link</Code>
            </>
          )}
        </Stack>
      </Paper>
    </Center>
  );
}
