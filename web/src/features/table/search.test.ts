import { expect, it } from 'vitest';
import { changed, EVERYTHING, viewOf } from './search';

it.each([
  ['a list opens with the first view', {}, 'first'],
  ['the address names another one', { view: 'other' }, 'other'],
  ['or everything', { view: EVERYTHING }, EVERYTHING],
  ['a link that asks for some records shows these', { filter: 'company == "x"' }, null],
  ['and a search finds in all', { q: 'hopper' }, null],
  ['what is nothing asks for nothing', { filter: undefined }, 'first'],
])('%s', (_what, search, view) => {
  expect(viewOf(search, 'first')).toBe(view);
});

it('a change stays in the view that it was made in', () => {
  const change = { filter: 'amount > 1' };
  expect(changed({}, change, 'first')).toEqual({ view: 'first', ...change });
  expect(changed({ view: 'other', sort: 'name' }, change, 'other')).toEqual({ view: 'other', sort: 'name', ...change });
  // Without it the first view would come as soon as nothing else stands in the address.
  expect(viewOf(changed({ q: 'x' }, { q: undefined }, undefined), 'first')).toBe(EVERYTHING);
  expect(changed({}, { trash: true, view: EVERYTHING }, 'first')).toEqual({ trash: true, view: EVERYTHING });
});
