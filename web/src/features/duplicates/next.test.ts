import { expect, it } from 'vitest';
import { lookedAt, neighbour } from './next';

const queue = (ids: string) => [...ids].map((id) => ({ id }));
const pairs = queue('abc');

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

it.each([
  ['the first one comes first', null, 'abc', 'a'],
  ['a pair that is more alike does not take the place of the one that is looked at', 'a', 'xabc', 'a'],
  ['the one after it follows a pair that is gone', 'b', 'xac', 'c'],
  ['of several that are gone too', 'a', 'xc', 'c'],
  ['the last one is followed by the one before', 'c', 'xab', 'b'],
  ['where none is left of the queue its first one is looked at', 'b', 'xy', 'x'],
])('%s', (_what, id, now, to) => {
  expect(lookedAt({ id, pairs }, queue(now))?.id).toBe(to);
});

it('in an empty queue there is nothing to look at', () => {
  expect(lookedAt({ id: 'a', pairs }, [])).toBeUndefined();
});
