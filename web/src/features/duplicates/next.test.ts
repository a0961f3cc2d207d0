import { expect, it } from 'vitest';
import { neighbour } from './next';

const pairs = ['a', 'b', 'c'].map((id) => ({ id }));

it.each([
  ['a', 1, 'b'],
  ['b', -1, 'a'],
  ['c', 1, 'b'],
  ['a', -1, 'b'],
] as const)('from %s by %i one comes to %s', (from, by, to) => {
  expect(neighbour(pairs, from, by)?.id).toBe(to);
});

it('the last one has no other', () => {
  expect(neighbour([{ id: 'a' }], 'a', 1)).toBeUndefined();
});
