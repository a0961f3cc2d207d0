/** What stands around the pages that come before the sign-in. */
import { Center, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useI18n } from '~/i18n';

export function SessionFrame({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440} shadow="sm">
        <Stack>
          <Title order={1} size="h2">
            {t.app.name}
          </Title>
          <Text>{t.signin.tagline}</Text>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
