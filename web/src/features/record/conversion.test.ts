import { expect, it } from 'vitest';
import type { Similar } from '~/api/duplicates';
import { becomes, begun, partOf } from './conversion';

const similar = (id: string, score: number): Similar => ({ id, title: id, reasons: ['email'], score });

it('what is very like the lead is chosen at first, else a new record where one can be made', () => {
  expect(begun([similar('a', 90), similar('b', 45)], true)).toEqual({ kind: 'found', id: 'a' });
  expect(begun([similar('b', 45)], true)).toEqual({ kind: 'new' });
  expect(begun([], false)).toEqual({ kind: 'none' });
});

it('the server is told of a record, a new one or none', () => {
  expect(partOf({ kind: 'found', id: 'a' })).toEqual({ existing: 'a' });
  expect(partOf({ kind: 'other', id: 'b' })).toEqual({ existing: 'b' });
  expect(partOf({ kind: 'other', id: null })).toBeNull();
  expect([partOf({ kind: 'new' }), partOf({ kind: 'none' })]).toEqual(['new', 'none']);
});

it('a lead becomes something, and nothing is left open', () => {
  expect(becomes({ company: 'none', contact: 'none', deal: null })).toBe(false);
  expect(becomes({ company: 'none', contact: 'none', deal: { name: 'x' } })).toBe(true);
  expect(becomes({ company: 'none', contact: 'new', deal: null })).toBe(true);
  expect(becomes({ company: null, contact: 'new', deal: null })).toBe(false);
});
