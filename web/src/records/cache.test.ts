import { expect, it } from 'vitest';
import type { Item, Page } from '~/api/records';
import { newer, patchPage } from './cache';

const item = (id: string, version: number, name = id): Item => ({
  id,
  version,
  created_at: '',
  created_by: '',
  updated_at: '',
  updated_by: '',
  owner: null,
  team: null,
  fields: { name },
});
const page = (): Page => ({ records: [item('a', 1), item('b', 3), item('c', 1)], next: null, total: 3 });

it('changed records stand where they stood, and older states do not come back', () => {
  const changed = new Map([
    ['b', item('b', 2, 'older')],
    ['c', item('c', 2, 'newer')],
  ]);
  const after = patchPage(page(), changed, new Set());
  expect(after.records.map((record) => record.fields.name)).toEqual(['a', 'b', 'newer']);
  expect(after.total).toBe(3);
});

it('what is gone is not counted', () => {
  const after = patchPage(page(), new Map(), new Set(['a', 'c']));
  expect(after.records.map((record) => record.id)).toEqual(['b']);
  expect(after.total).toBe(1);
  expect(patchPage({ ...page(), total: null }, new Map(), new Set(['a'])).total).toBeNull();
});

it('a page without a change is the same object', () => {
  const before = page();
  expect(patchPage(before, new Map([['x', item('x', 2)]]), new Set(['y']))).toBe(before);
});

it('titles of related records outlive an answer without them', () => {
  const known = { ...item('a', 1), related: { company: { id: 'x', object: 'company', title: 'Acme' } } };
  expect(newer(known, item('a', 2)).related).toEqual(known.related);
});
