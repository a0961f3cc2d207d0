import { expect, it } from 'vitest';
import type { Item, Page } from '~/api/records';
import { newer, patchPages } from './cache';

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
const page = (records: Item[], total?: number): Page => ({ records, next: null, total });
const pages = () => ({
  pages: [page([item('a', 1), item('b', 3)], 3), page([item('c', 1)])],
  pageParams: [null, 'x'],
});

it('changed records stand where they stood, and older states do not come back', () => {
  const changed = new Map([
    ['b', item('b', 2, 'older')],
    ['c', item('c', 2, 'newer')],
  ]);
  const before = pages();
  const after = patchPages(before, changed, new Set());
  expect(after.pages.flatMap((one) => one.records.map((record) => record.fields.name))).toEqual(['a', 'b', 'newer']);
  expect(after.pages[0]?.total).toBe(3);
});

it('what is gone is not counted', () => {
  const after = patchPages(pages(), new Map(), new Set(['a', 'c']));
  expect(after.pages.map((one) => one.records.map((record) => record.id))).toEqual([['b'], []]);
  expect(after.pages[0]?.total).toBe(1);
});

it('pages without a change are the same objects', () => {
  const before = pages();
  expect(patchPages(before, new Map([['c', item('c', 2)]]), new Set()).pages[0]).toBe(before.pages[0]);
});

it('titles of related records outlive an answer without them', () => {
  const known = { ...item('a', 1), related: { company: { id: 'x', object: 'company', title: 'Acme' } } };
  expect(newer(known, item('a', 2)).related).toEqual(known.related);
});
