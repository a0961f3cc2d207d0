/** Two records side by side, and which value of each field the one that stays is to have. Pure. */
import type { KindName, SeenField } from '~/api/objects';
import type { Fields, Item } from '~/api/records';
import { same } from '../input-value';
import { held, isEditable } from '../schema';

export type Side = 'one' | 'other';

/** Of lists a merge keeps all members of both. */
const LISTS = new Set<KindName>(['multi_choice', 'emails', 'phones', 'relations']);

export interface Compared {
  field: SeenField;
  /** Whether one of two values is to be chosen: they differ, and are no lists. */
  open: boolean;
  /** Whether both sides' members are kept. */
  united: boolean;
}

/** Every field that either has a value of; first those that are to be chosen. */
export function compared(fields: Iterable<SeenField>, one: Item, other: Item): Compared[] {
  const rows = [...fields].filter(isEditable).flatMap((field): Compared[] => {
    const values = [held(one, field.name) ?? null, held(other, field.name) ?? null];
    if (values.every((value) => value === null)) return [];
    const differs = !same(values[0], values[1]);
    const isList = LISTS.has(field.kind.type);
    return [{ field, open: differs && !isList, united: differs && isList }];
  });
  return [...rows.filter((row) => row.open), ...rows.filter((row) => !row.open)];
}

/** The side whose value a field gets if nobody chooses: that of the record that stays, if it has one. */
export function usual(name: string, stays: Side, one: Item, other: Item): Side {
  const away = stays === 'one' ? 'other' : 'one';
  const value = held(stays === 'one' ? one : other, name) ?? null;
  return value === null ? away : stays;
}

/** What a merge is told: the values of the fields that were chosen otherwise than they would be; null where none was chosen. */
export function chosenFields(
  rows: Compared[],
  choices: ReadonlyMap<string, Side>,
  stays: Side,
  one: Item,
  other: Item,
): Fields {
  const chosen = rows.flatMap(({ field, open }) => {
    const side = choices.get(field.name);
    if (!open || side === undefined || side === usual(field.name, stays, one, other)) return [];
    return [[field.name, held(side === 'one' ? one : other, field.name) ?? null] as const];
  });
  return Object.fromEntries(chosen);
}
