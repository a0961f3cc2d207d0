/** The providers by which one signs on; shown to who has some. */
import { Button, Card, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Account } from '~/api/people';
import type { SignOnFacts as SignOn } from '~/api/schema';
import { isLastWay, providersQuery, removeSignOn, signOnsKey, signOnsQuery, titleOf } from '~/api/sign-on';
import { Ago } from '~/components/ago';
import { useI18n } from '~/i18n';
import { Part, useAct } from './part';

export function SignOns({ me }: { me: Account }) {
  const { t } = useI18n();
  const signOns = useQuery(signOnsQuery);
  const providers = useQuery(providersQuery).data ?? [];
  const act = useAct(signOnsKey);
  const all = signOns.data ?? [];
  if (signOns.isSuccess && all.length === 0) return null;
  const isNeeded = (signOn: SignOn) => !me.password && isLastWay(signOn, all);
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.signOn.title}
      </Title>
      <Part
        label={t.signOn.title}
        lead={t.signOn.help}
        query={signOns}
        heads={[t.signOn.provider, t.signOn.since, t.signOn.lastUsed]}
        row={(signOn) => {
          const title = titleOf(providers, signOn);
          return (
            <Table.Tr key={signOn.id} data-sign-on={signOn.provider}>
              <Table.Td>
                {title}
                {!signOn.is_set_up && (
                  <Text size="xs" c="dimmed">
                    {t.signOn.isOver}
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Ago at={signOn.linked_at} />
              </Table.Td>
              <Table.Td>
                <Ago at={signOn.used_at} />
              </Table.Td>
              <Table.Td ta="right">
                <Button
                  size="compact-xs"
                  variant="default"
                  disabled={isNeeded(signOn)}
                  onClick={() => void act(() => removeSignOn(signOn.id), t.signOn.unlinked(title))}
                >
                  {t.signOn.unlink(title)}
                </Button>
              </Table.Td>
            </Table.Tr>
          );
        }}
      />
      {all.some(isNeeded) && (
        <Text size="sm" c="dimmed">
          {t.signOn.needsPassword}
        </Text>
      )}
    </Card>
  );
}
