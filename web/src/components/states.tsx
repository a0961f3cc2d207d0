/** What stands where content cannot: waiting, failed, not there. */

import { Alert, Button, Center, Loader, Stack, Text, Title } from '@mantine/core';
import { NetworkError, ProblemError } from '~/api/client';
import { ButtonTo } from '~/components/links';
import { useI18n } from '~/i18n';

export function Waiting() {
  const { t } = useI18n();
  return (
    <Center p="xl" role="status" aria-label={t.app.loading}>
      <Loader aria-hidden />
    </Center>
  );
}

export function Failed({ error, title, retry }: { error: Error; title?: string; retry?: () => unknown }) {
  const { t } = useI18n();
  const text =
    error instanceof NetworkError
      ? t.problem.network
      : error instanceof ProblemError && error.status === 401
        ? t.problem.unauthorized
        : error instanceof ProblemError
          ? error.message
          : t.problem.unknown;
  return (
    <Alert color="red" title={title ?? t.problem.unknown} m="md" role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{text}</Text>
        {retry && (
          <Button size="xs" variant="default" onClick={() => void retry()}>
            {t.app.retry}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/** A fault in the page itself, or a part of it that could not be fetched. */
export function Crashed() {
  const { t } = useI18n();
  return (
    <Alert color="red" title={t.app.crashed} m="md" role="alert">
      <Button size="xs" variant="default" onClick={() => window.location.reload()}>
        {t.app.reload}
      </Button>
    </Alert>
  );
}

export function NotFound() {
  const { t } = useI18n();
  return (
    <Center p="xl" component="main">
      <Stack align="center">
        <Title order={1} size="h3">
          {t.app.notFound}
        </Title>
        <ButtonTo to="/">{t.app.toCustomers}</ButtonTo>
      </Stack>
    </Center>
  );
}
