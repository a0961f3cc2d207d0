import { expect, it } from 'vitest';
import type { Page } from '~/api/records';
import { placeIn, recordsNear, wantedPages } from './pages';

const page = (...ids: string[]) => ({ records: ids.map((id) => ({ id })), next: null }) as unknown as Page;

it.each([
  ['the first page is always there', { first: 0, last: 1 }, null, 1_000, [1]],
  ['no page is behind the last one', { first: 8, last: 11 }, null, 950, [8, 9]],
  ['the row that is edited keeps its page', { first: 8, last: 9 }, 250, 1_000, [8, 9, 2]],
  ['once', { first: 2, last: 3 }, 250, 1_000, [2, 3]],
  ['the first page needs no keeping', { first: 8, last: 9 }, 50, 1_000, [8, 9]],
  ['a row that is gone keeps nothing', { first: 0, last: 0 }, 250, 200, []],
])('%s', (_what, near, kept, total, pages) => {
  expect(wantedPages(near, kept, total)).toEqual(pages);
});

it('the records near the view are neither those of the first page nor of the row that is edited', () => {
  const pages = new Map([
    [0, page('a')],
    [5, page('c')],
    [4, page('b')],
    [2, page('edited')],
  ]);
  expect(recordsNear(pages, { first: 4, last: 6 }).map((one) => one.id)).toEqual(['b', 'c']);
  expect(placeIn(pages, 'c')).toBe(500);
  expect(placeIn(pages, 'x')).toBeUndefined();
});
