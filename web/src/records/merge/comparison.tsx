/** Two records side by side: which one stays, and of each field that differs which value. */
import { Badge, Radio, Table, Text } from '@mantine/core';
import { useId } from 'react';
import type { Field, ObjectFact } from '~/api/objects';
import type { Item } from '~/api/records';
import { Ago } from '~/components/ago';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { useSay, useText } from '~/records/reader';
import { titleOf } from '~/records/schema';
import { type Compared, type Side, usual } from './compare';

const SIDES = ['one', 'other'] as const;

export interface ComparisonProps {
  object: ObjectFact;
  one: Item;
  other: Item;
  rows: Compared[];
  stays: Side;
  choices: ReadonlyMap<string, Side>;
  /** None where it is settled which record stays. */
  setStays?: (side: Side) => void;
  choose(name: string, side: Side): void;
}

export function Comparison({ object, one, other, rows, stays, choices, setStays, choose }: ComparisonProps) {
  const { t } = useI18n();
  const say = useSay();
  const text = useText();
  const id = useId();
  const items = { one, other };
  const customers = new Set(SIDES.map((side) => items[side].fields.customer_id).filter(Boolean));
  const value = (side: Side, field: Field) => text(items[side], field) || t.values.none;
  return (
    <Table.ScrollContainer minWidth={480} type="native" tabIndex={0}>
      <Table layout="fixed" verticalSpacing={6} aria-label={t.duplicates.comparison} captionSide="bottom">
        {object.name === 'contact' && customers.size > 1 && <Table.Caption>{t.merge.customers}</Table.Caption>}
        <Table.Thead>
          <Table.Tr>
            <Table.Th w="26%">{t.edit.field}</Table.Th>
            {SIDES.map((side) => (
              <Table.Th key={side} data-side={side}>
                <AnchorTo
                  size="sm"
                  fw={600}
                  target="_blank"
                  to="/objects/$object/$id"
                  params={{ object: object.name, id: items[side].id }}
                >
                  {titleOf(object, items[side])}
                </AnchorTo>
                <Text size="xs" c="dimmed" fw={400}>
                  {t.records.system.created_at} <Ago at={items[side].created_at} />
                </Text>
                {setStays ? (
                  <Radio
                    size="xs"
                    mt={4}
                    name={`${id}-stays`}
                    label={t.duplicates.keep}
                    aria-label={t.duplicates.keepOf(titleOf(object, items[side]), t.duplicates.sides[side])}
                    checked={stays === side}
                    onChange={() => setStays(side)}
                  />
                ) : (
                  <Badge variant="default">{stays === side ? t.duplicates.stays : t.duplicates.goes}</Badge>
                )}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ field, open, united }) => {
            const chosen = choices.get(field.name) ?? usual(field.name, stays, one, other);
            return (
              <Table.Tr key={field.name} data-compared={field.name}>
                <Table.Th scope="row">
                  <Text size="sm">{say(field.label)}</Text>
                  {united && (
                    <Text size="xs" c="dimmed" fw={400}>
                      {t.duplicates.united}
                    </Text>
                  )}
                </Table.Th>
                {SIDES.map((side) => (
                  <Table.Td key={side} bg={open && chosen === side ? 'var(--mantine-primary-color-light)' : undefined}>
                    {open ? (
                      <Radio
                        size="xs"
                        name={`${id}-${field.name}`}
                        label={value(side, field)}
                        aria-label={`${say(field.label)}: ${value(side, field)}`}
                        checked={chosen === side}
                        onChange={() => choose(field.name, side)}
                      />
                    ) : (
                      <Text size="sm" c={united ? undefined : 'dimmed'}>
                        {value(side, field)}
                      </Text>
                    )}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
