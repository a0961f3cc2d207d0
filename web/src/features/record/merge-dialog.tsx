/** Making one record of two: the other one is looked for, and which of their values stay is chosen where they differ. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { type Item, itemQuery, type Related } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { Comparison } from '~/records/merge/comparison';
import { useMerge } from '~/records/merge/use-merge';
import { RelationInput } from '~/records/relation-input';
import { titleOf } from '~/records/schema';

export function MergeDialog({ object, item, close }: { object: ObjectFact; item: Item; close(): void }) {
  const { t } = useI18n();
  const [other, setOther] = useState<string | null>(null);
  const [related, setRelated] = useState<Related[]>([]);
  const second = useQuery({ ...itemQuery(object.name, other ?? ''), enabled: other !== null }).data;
  const merge = useMerge(object, item, second);
  const isOther = second !== undefined && second.id === other && second.id !== item.id;
  return (
    <FormDialog
      title={t.merge.title(titleOf(object, item))}
      send={t.record.merge}
      failed={t.merge.failed}
      disabled={!isOther}
      size="lg"
      submit={async () => {
        await merge.run();
        close();
      }}
      close={close}
    >
      <RelationInput
        object={object.name}
        value={other}
        related={related}
        input={{ label: t.merge.other }}
        onChange={(next, titles) => {
          setOther(next as string | null);
          setRelated(titles);
          merge.begin();
        }}
      />
      <Text size="sm" c="dimmed">
        {t.merge.help}
      </Text>
      {isOther && (
        <Comparison
          {...{ object, one: item, other: second }}
          rows={merge.rows}
          stays={merge.stays}
          choices={merge.choices}
          choose={merge.choose}
        />
      )}
    </FormDialog>
  );
}
