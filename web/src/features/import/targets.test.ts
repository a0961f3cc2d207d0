import { expect, it } from 'vitest';
import type { Target } from '~/api/imports';
import type { KindName, ObjectFact, SeenField } from '~/api/objects';
import { choicesOf, keyOf, targetOf } from './targets';

const field = (name: string, type: KindName, more: Partial<SeenField> = {}): SeenField => ({
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
  ...more,
});

it.each<Target>([
  { to: 'skip' },
  { to: 'id' },
  { to: 'field', field: 'name' },
  { to: 'part', field: 'address', part: 'city' },
  { to: 'relation', field: 'company', by: 'name', create: false },
  { to: 'person', field: 'owner' },
])('%j is the same after it was a choice', (target) => {
  expect(targetOf(keyOf(target))).toEqual(target);
});

it('offers what can be written, and how related records are found', () => {
  const company = {
    name: 'company',
    title: 'name',
    fields: [field('name', 'text'), field('code', 'text', { unique: true }), field('city', 'text')],
  } as unknown as ObjectFact;
  const stage = {
    name: 'stage',
    title: 'name',
    fields: [field('name', 'text'), field('outcome', 'choice'), field('position', 'number')],
  } as unknown as ObjectFact;
  const fields = [
    field('name', 'text'),
    field('total', 'formula'),
    field('hidden', 'text', { writable: false }),
    field('amount', 'money'),
    field('company', 'relation', { kind: { type: 'relation', object: 'company' } }),
    field('stage', 'relation', { kind: { type: 'relation', object: 'stage' } }),
    field('owner', 'user'),
  ];
  expect(choicesOf(fields, [company, stage]).map((choice) => choice.value)).toEqual([
    'field name',
    'field amount',
    'part amount amount',
    'part amount currency',
    'relation company id',
    'relation company name',
    'relation company code',
    'relation stage id',
    'relation stage name',
    'relation stage outcome',
    'person owner',
  ]);
});
