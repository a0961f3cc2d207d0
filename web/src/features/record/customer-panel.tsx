/** What is known of a contact as a customer: live scores, and the events. */
import { Stack, Text } from '@mantine/core';
import { ProblemError } from '~/api/client';
import { AnchorTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { ScoreCard } from '~/features/customer/score-card';
import { TimelineCard } from '~/features/customer/timeline';
import { useCustomer } from '~/features/customer/use-customer';
import { useI18n } from '~/i18n';

export function CustomerPanel({ customer: given }: { customer: string }) {
  const { t } = useI18n();
  // A contact holds the id as the sender says it; profiles tell known customers from visitors by a prefix.
  const id = given.includes(':') ? given : `user:${given}`;
  const customer = useCustomer(id);
  if (customer.isPending) return <Waiting />;
  if (customer.isError) {
    if (customer.error instanceof ProblemError && customer.error.status === 404) {
      return <Text size="sm">{t.customer.notFoundHelp(given)}</Text>;
    }
    return <Failed error={customer.error} title={t.customer.failed} retry={() => customer.refetch()} />;
  }
  return (
    <Stack gap="sm">
      <AnchorTo size="sm" to="/customers/$id" params={{ id }}>
        {t.record.wholeCustomer}
      </AnchorTo>
      {customer.data.scores.map((score) => (
        <ScoreCard key={score.name} score={score} customer={customer.data} />
      ))}
      <TimelineCard id={id} />
    </Stack>
  );
}
