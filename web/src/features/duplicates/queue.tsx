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
import { type Look, lookedAt, neighbour } from './next';
import { Review } from './review';
import { useActing } from './use-acting';
import { useKeys } from './use-keys';

/** Changes of records are compared in the background, a moment after they are made: so often the queue is asked for again. */
const AGAIN_MS = 10_000;
/** While records change the queue is asked for again at most this often. */
const PACE_MS = 1_000;

export function Queue({ object }: { object: ObjectFact }) {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const found = useQuery({ ...pairsQuery(object.name), refetchInterval: AGAIN_MS });
  const [look, setLook] = useState<Look<Pair>>({ id: null, pairs: NONE });
  const acting = useActing();
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
  // Pairs that come in do not take the place of the one that is looked at; one that is gone makes way for its neighbour.
  const chosen = lookedAt(look, pairs);
  if (chosen && (chosen.id !== look.id || pairs !== look.pairs)) setLook({ id: chosen.id, pairs });
  const choose = (id: string) => setLook({ id, pairs });
  const step = (by: 1 | -1) => chosen && choose(neighbour(pairs, chosen.id, by)?.id ?? chosen.id);
  useKeys({ j: () => step(1), k: () => step(-1) });

  /** The pair is dealt with: if it is still looked at, the next one comes in its place. */
  const leave = (pair: Pair) => put((known) => known.filter((one) => one.id !== pair.id));
  /** It is there again. */
  const back = (pair: Pair) => {
    put((known) => [pair, ...known.filter((one) => one.id !== pair.id)]);
    choose(pair.id);
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
              choose={() => choose(pair.id)}
            />
          ))}
        </ol>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 8, lg: 9 }}>
        <Review key={chosen.id} object={object} pair={chosen} acting={acting} leave={leave} back={back} />
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
