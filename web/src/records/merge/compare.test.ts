import { expect, it } from 'vitest';
import type { KindName, SeenField } from '~/api/objects';
import type { Fields, Item } from '~/api/records';
import { chosenFields, compared, type Side, usual } from './compare';

const field = (name: string, type: KindName = 'text'): SeenField => ({
  name,
  label: { en: name, zh: name },
  kind: { type },
  required: false,
  unique: false,
  indexed: false,
  searchable: false,
  custom: false,
  retired: false,
  writable: true,
});
const item = (id: string, fields: Fields, owner: string | null = null): Item => ({
  id,
  version: 1,
  created_at: '',
  created_by: '',
  updated_at: '',
  updated_by: '',
  owner,
  team: null,
  fields,
});
const FIELDS = [
  field('name'),
  field('city'),
  field('phone', 'phone'),
  field('tags', 'multi_choice'),
  field('website'),
  field('weighted', 'formula'),
  field('owner', 'user'),
];
const one = item('1', { name: 'Ann Lee', city: 'Bonn', tags: ['vip'], weighted: 1 }, 'u1');
const other = item('2', { name: 'Ann Lee', city: 'Berlin', phone: '030', tags: ['partner'], weighted: 2 }, 'u2');
const rows = compared(FIELDS, one, other);

it('what differs comes first, lists are united, what nobody has or may write is left out', () => {
  expect(rows.map(({ field, open, united }) => [field.name, open, united])).toEqual([
    ['city', true, false],
    ['phone', true, false],
    ['owner', true, false],
    ['name', false, false],
    ['tags', false, true],
  ]);
});

it('the record that stays keeps its values, and gets those that it has not', () => {
  expect([usual('city', 'one', one, other), usual('phone', 'one', one, other)]).toEqual(['one', 'other']);
  expect([usual('city', 'other', one, other), usual('phone', 'other', one, other)]).toEqual(['other', 'other']);
});

it.each<[Record<string, Side>, Side, Fields]>([
  [{}, 'one', {}],
  [{ city: 'one', phone: 'other' }, 'one', {}],
  [{ city: 'other', owner: 'other' }, 'one', { city: 'Berlin', owner: 'u2' }],
  [{ city: 'other' }, 'other', {}],
  [{ phone: 'one' }, 'one', { phone: null }],
  [{ name: 'other', tags: 'other' }, 'one', {}],
])('of the choices %j while %s stays a merge is told %j', (choices, stays, told) => {
  expect(chosenFields(rows, new Map(Object.entries(choices)), stays, one, other)).toEqual(told);
});
