/** What a part of a lead becomes: a record that is there already, a new one, or none. */
import { Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Similar } from '~/api/duplicates';
import type { Related } from '~/api/records';
import { useI18n } from '~/i18n';
import { useReasons } from '~/records/reasons';
import { RelationInput } from '~/records/relation-input';
import type { Choice } from './conversion';

interface PartProps {
  object: 'contact' | 'company';
  label: string;
  /** What a new one would be called. */
  made: string;
  mayMake: boolean;
  /** Records that are there and like the lead, the most alike first. */
  found: Similar[];
  value: Choice;
  onChange(choice: Choice): void;
}

export function PartInput({ object, label, made, mayMake, found, value, onChange }: PartProps) {
  const { t } = useI18n();
  const because = useReasons();
  const [related, setRelated] = useState<Related[]>([]);
  const key = value.kind === 'found' ? value.id : value.kind;
  const read = (next: string): Choice => {
    if (next === 'new' || next === 'none') return { kind: next };
    return next === 'other' ? { kind: 'other', id: null } : { kind: 'found', id: next };
  };
  return (
    <Radio.Group label={label} value={key} onChange={(next) => onChange(read(next))} data-part={object}>
      <Stack gap={6} mt={4}>
        {found.map((one) => (
          <Radio
            key={one.id}
            size="xs"
            value={one.id}
            label={
              <>
                {t.convert.existing(one.title)}{' '}
                <Text span size="xs" c="dimmed">
                  {because(one.reasons)}
                </Text>
              </>
            }
          />
        ))}
        <Radio size="xs" value="other" label={t.convert.other} />
        {value.kind === 'other' && (
          <RelationInput
            object={object}
            value={value.id}
            related={related}
            input={{ 'aria-label': t.convert.otherOf(label), size: 'xs' }}
            onChange={(next, titles) => {
              onChange({ kind: 'other', id: next as string | null });
              setRelated(titles);
            }}
          />
        )}
        {mayMake && <Radio size="xs" value="new" label={t.convert.fresh(made)} />}
        <Radio size="xs" value="none" label={t.convert.nothing} />
      </Stack>
    </Radio.Group>
  );
}
