/** Sign-on by a provider on the sign-in page: a button for each, and why one did not work. */
import { Alert, Button, Divider, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { addressOf } from '~/api/client';
import { providersQuery } from '~/api/sign-on';
import { useI18n } from '~/i18n';

/** `from`: where to go on afterwards. */
export function SignOnButtons({ from }: { from: string | undefined }) {
  const { t } = useI18n();
  // Where it cannot be told which there are, the other ways in are still there.
  const providers = useQuery(providersQuery).data ?? [];
  if (providers.length === 0) return null;
  return (
    <Stack>
      {providers.map(({ name, title }) => (
        <Button
          key={name}
          component="a"
          variant="default"
          href={addressOf(`/sign-in/with/${encodeURIComponent(name)}`, { return_to: from })}
        >
          {t.signOn.continueWith(title)}
        </Button>
      ))}
      <Divider label={t.signOn.orPassword} />
    </Stack>
  );
}

export function SignOnRefused({ reason, provider }: { reason: string; provider: string }) {
  const { t } = useI18n();
  // The address may say anything, so only what the server calls a provider is shown.
  const known = useQuery(providersQuery).data?.find((one) => one.name === provider);
  return (
    <Alert color="red" title={known ? t.signOn.failed(known.title) : t.signOn.failedSomewhere} role="alert">
      {t.signOn.reasons[reason] ?? t.signOn.reasons.failed}
    </Alert>
  );
}
