/** The pairs of one object, and the one that is looked at. The keys work wherever nothing is being typed. */
import { Grid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { PAIRS, type Pair, pairsKey, pairsQuery } from '~/api/duplicates';
import type { ObjectFact } from '~/api/objects';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { throttle } from '~/live/throttle';
import { useRecordChanges } from '~/live/use-changes';
import { useReasons } from '~/records/reasons';
import { titleOf } from '~/records/schema';
import './duplicates.css';
import { neighbour } from './next';
import { Review } from './review';
import { useKeys } from './use-keys';

/** Changes of records are compared in the background, a moment after they are made: so often the queue is asked for again. */
const AGAIN_MS = 10_000;
/** While records change the queue is asked for again at most this often. */
const PACE_MS = 1_000;

export function Queue({ object }: { object: ObjectFact }) {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const found = useQuery({ ...pairsQuery(object.name), refetchInterval: AGAIN_MS });
  const [wanted, setWanted] = useState<string | null>(null);
  const again = useMemo(
    () => throttle(() => client.invalidateQueries({ queryKey: pairsKey(object.name) }), PACE_MS),
    [client, object.name],
  );
  useEffect(() => again.cancel, [again]);
  useRecordChanges({
    onChanges: (changes) => changes.some((change) => change.object === object.name) && again(),
    onResync: again,
  });
  const pairs = found.data?.pairs ?? NONE;
  const chosen = pairs.find((pair) => pair.id === wanted) ?? pairs[0];
  const step = (by: 1 | -1) => chosen && setWanted(neighbour(pairs, chosen.id, by)?.id ?? chosen.id);
  useKeys({ j: () => step(1), k: () => step(-1) });

  /** The pair is dealt with: the next one comes in its place. */
  const leave = (pair: Pair) => {
    setWanted(neighbour(pairs, pair.id, 1)?.id ?? null);
    put((known) => known.filter((one) => one.id !== pair.id));
  };
  /** It is there again. */
  const back = (pair: Pair) => {
    put((known) => [pair, ...known.filter((one) => one.id !== pair.id)]);
    setWanted(pair.id);
  };
  const put = (change: (pairs: Pair[]) => Pair[]) =>
    client.setQueryData(pairsQuery(object.name).queryKey, (known) => known && { pairs: change(known.pairs) });

  if (found.isPending) return <Waiting />;
  if (found.isError) return <Failed error={found.error} retry={() => found.refetch()} />;
  if (!chosen) {
    return (
      <Stack py="xl" gap="xs">
        <Title order={2} size="h4">
          {t.duplicates.none}
        </Title>
        <Text>{t.duplicates.noneHelp}</Text>
      </Stack>
    );
  }
  const count = `${format.number(pairs.length, 0)}${pairs.length === PAIRS ? '+' : ''}`;
  return (
    <Grid>
      <Grid.Col span={{ base: 12, md: 4, lg: 3 }}>
        <Text size="sm" c="dimmed" mb={4} data-testid="pairs">
          {t.duplicates.waiting(pairs.length, count)}
        </Text>
        <ol className="pairs" aria-label={t.duplicates.list}>
          {pairs.map((pair) => (
            <Entry
              key={pair.id}
              object={object}
              pair={pair}
              isChosen={pair === chosen}
              choose={() => setWanted(pair.id)}
            />
          ))}
        </ol>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 8, lg: 9 }}>
        <Review key={chosen.id} object={object} pair={chosen} leave={leave} back={back} />
      </Grid.Col>
    </Grid>
  );
}

const NONE: Pair[] = [];

interface EntryProps {
  object: ObjectFact;
  pair: Pair;
  isChosen: boolean;
  choose(): void;
}

function Entry({ object, pair, isChosen, choose }: EntryProps) {
  const { format } = useI18n();
  const because = useReasons();
  const [one, other] = [titleOf(object, pair.one), titleOf(object, pair.other)];
  return (
    <li>
      <button
        type="button"
        aria-current={isChosen || undefined}
        data-pair={pair.id}
        ref={(element) => {
          if (isChosen) element?.scrollIntoView({ block: 'nearest' });
        }}
        onClick={choose}
      >
        <span>
          {one}
          {one !== other && ` · ${other}`}
        </span>
        <span className="likeness">
          {format.percent(pair.score / 100)} · {because(pair.reasons)}
        </span>
      </button>
    </li>
  );
}
