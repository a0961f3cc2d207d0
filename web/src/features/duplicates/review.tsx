/** A pair side by side, and what becomes of it. */
import { Button, Group, Kbd, Paper, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ArrowLeftRight, GitMerge, Split } from 'lucide-react';
import { dismiss, type Pair, reopen } from '~/api/duplicates';
import type { ObjectFact } from '~/api/objects';
import { itemQuery } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { Comparison } from '~/records/merge/comparison';
import { useMerge } from '~/records/merge/use-merge';
import { useReasons } from '~/records/reasons';
import { titleOf } from '~/records/schema';
import type { Acting } from './use-acting';
import { useKeys } from './use-keys';

interface ReviewProps {
  object: ObjectFact;
  pair: Pair;
  acting: Acting;
  leave(pair: Pair): void;
  back(pair: Pair): void;
}

export function Review({ object, pair, acting, leave, back }: ReviewProps) {
  const { t, format } = useI18n();
  const because = useReasons();
  const notice = useNotice();
  // The queue tells no titles of what the two name.
  const one = useQuery({ ...itemQuery(object.name, pair.one.id), placeholderData: pair.one }).data ?? pair.one;
  const other = useQuery({ ...itemQuery(object.name, pair.other.id), placeholderData: pair.other }).data ?? pair.other;
  const merge = useMerge(object, one, other, () => back(pair));
  const { busy, act } = acting;
  const mayMerge = object.may.update && object.may.delete;
  const swap = () => merge.setStays(merge.stays === 'one' ? 'other' : 'one');
  const merged = async () => {
    await merge.run();
    leave(pair);
  };
  const unite = () => mayMerge && act(merged, t.merge.failed);
  const part = () => {
    const reopened = async () => {
      try {
        await reopen(pair.id);
        back(pair);
      } catch (error) {
        notice.failed(t.table.undoFailed, error);
      }
    };
    const parted = async () => {
      await dismiss(pair.id);
      const text = t.duplicates.dismissed(titleOf(object, one), titleOf(object, other));
      notice.done({ id: `pair-${pair.id}`, text, undo: reopened });
      leave(pair);
    };
    return object.may.update && act(parted, t.duplicates.dismissFailed);
  };
  useKeys({ m: unite, n: part, s: swap });
  return (
    <Paper withBorder p="md" role="region" aria-label={t.duplicates.comparison}>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Text size="sm">
            <b>{format.percent(pair.score / 100)}</b> {because(pair.reasons)}
          </Text>
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              leftSection={<ArrowLeftRight size={14} aria-hidden />}
              rightSection={<Kbd size="xs">S</Kbd>}
              onClick={swap}
            >
              {t.duplicates.swap}
            </Button>
            {object.may.update && (
              <Button
                size="xs"
                variant="default"
                disabled={busy}
                leftSection={<Split size={14} aria-hidden />}
                rightSection={<Kbd size="xs">N</Kbd>}
                onClick={() => void part()}
              >
                {t.duplicates.dismiss}
              </Button>
            )}
            {mayMerge && (
              <Button
                size="xs"
                loading={busy}
                leftSection={<GitMerge size={14} aria-hidden />}
                rightSection={<Kbd size="xs">M</Kbd>}
                onClick={() => void unite()}
              >
                {t.record.merge}
              </Button>
            )}
          </Group>
        </Group>
        <Comparison
          {...{ object, one, other }}
          rows={merge.rows}
          stays={merge.stays}
          setStays={merge.setStays}
          choices={merge.choices}
          choose={merge.choose}
        />
        <Text size="xs" c="dimmed">
          {t.merge.help} {t.duplicates.keys}
        </Text>
      </Stack>
    </Paper>
  );
}
