import { expect, it } from 'vitest';
import { arranged, moved, renumbered } from './order';

it.each([
  [0, 2, 'bcad'],
  [3, 0, 'dabc'],
  [1, 1, 'abcd'],
  [9, 0, 'abcd'],
])('from %i to %i', (from, to, after) => {
  expect(moved([...'abcd'], from, to).join('')).toBe(after);
});

it('items are arranged by their names; new ones come last, and those that are gone leave nothing', () => {
  const items = [...'xabcy'].map((id) => ({ id }));
  expect(
    arranged(items, [...'cgab'])
      .map((one) => one.id)
      .join(''),
  ).toBe('cabxy');
});

it('only what stands elsewhere than it says gets another place', () => {
  const places: Record<string, number | null> = { a: 1, b: 3, c: 3, d: null };
  expect(renumbered([...'abcd'], (name) => places[name] ?? null)).toEqual([
    { item: 'b', position: 2 },
    { item: 'd', position: 4 },
  ]);
});
