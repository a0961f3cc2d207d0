/** Pairs of records that seem to be one, the most alike first: looked at side by side, then merged or said to be two. */
import { Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { type ObjectFact, objectsQuery } from '~/api/objects';
import { ButtonTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { inOrder, isCompared } from '~/records/schema';
import { Queue } from './queue';

export function DuplicatesPage() {
  const { object: wanted } = useSearch({ from: '/shell/duplicates' });
  const { t } = useI18n();
  const objects = useQuery(objectsQuery);
  if (objects.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const known = inOrder(objects.data.filter(isCompared));
  const object = known.find((one) => one.name === wanted) ?? known[0];
  return (
    <Stack gap="sm">
      <div>
        <Title order={1} size="h2">
          {t.duplicates.title}
        </Title>
        <Text size="sm" c="dimmed">
          {t.duplicates.lead}
        </Text>
      </div>
      <Objects objects={known} chosen={object} />
      {object && <Queue key={object.name} object={object} />}
    </Stack>
  );
}

function Objects({ objects, chosen }: { objects: ObjectFact[]; chosen: ObjectFact | undefined }) {
  const { t } = useI18n();
  const say = useSay();
  return (
    <Group gap={4} component="nav" aria-label={t.duplicates.title}>
      {objects.map((one) => (
        <ButtonTo
          key={one.name}
          size="xs"
          variant={one === chosen ? 'light' : 'subtle'}
          color={one === chosen ? undefined : 'gray'}
          to="/duplicates"
          search={{ object: one.name }}
          aria-current={one === chosen ? 'page' : undefined}
        >
          {say(one.plural)}
        </ButtonTo>
      ))}
    </Group>
  );
}
