import { expect, it } from 'vitest';
import type { BoardColumn, Item } from '~/api/records';
import { beside, findCard, keyOf, moveCard } from './moves';

const item = (id: string, stage: string | null, amount: number): Item => ({
  id,
  version: 1,
  created_at: '',
  created_by: '',
  updated_at: '',
  updated_by: '',
  owner: null,
  team: null,
  fields: { ...(stage ? { stage } : {}), amount: { amount, currency: 'EUR' } },
});
const column = (value: string | null, records: Item[], count: number, sums: Record<string, number>): BoardColumn => ({
  value,
  title: value,
  count,
  sums,
  records,
  next: null,
});
const board = () => [
  column(null, [], 0, {}),
  column('new', [item('a', 'new', 10.1), item('b', 'new', 5)], 7, { EUR: 30.3, USD: 2 }),
  column('won', [item('c', 'won', 1)], 1, { EUR: 1 }),
];

it('a card takes its count and its amount along', () => {
  const after = moveCard(board(), 'a', 'won', 'stage', 'amount');
  expect(after.map((one) => [keyOf(one), one.count, one.sums, one.records.map((record) => record.id)])).toEqual([
    ['', 0, {}, []],
    ['new', 6, { EUR: 20.2, USD: 2 }, ['b']],
    ['won', 2, { EUR: 11.1 }, ['a', 'c']],
  ]);
  expect(findCard(after, 'a')?.item.fields.stage).toBe('won');
});

it('a card can lose its value, and the last one leaves no sum', () => {
  const after = moveCard(board(), 'c', '', 'stage', 'amount');
  expect(after[2]).toMatchObject({ count: 0, sums: {}, records: [] });
  expect(after[0]?.records[0]?.fields).toEqual({ amount: { amount: 1, currency: 'EUR' } });
});

it('nothing moves to where it is, to where nothing is, or without being there', () => {
  const before = board();
  expect(moveCard(before, 'a', 'new', 'stage')).toBe(before);
  expect(moveCard(before, 'a', 'gone', 'stage')).toBe(before);
  expect(moveCard(before, 'x', 'won', 'stage')).toBe(before);
});

it('columns end at the edges', () => {
  expect([beside(board(), 'new', 1), beside(board(), 'won', 1), beside(board(), '', -1)]).toEqual(['won', 'won', '']);
});
