import { expect, it } from 'vitest';
import { fromLocal, partsOrNone, same, textOrNone, toLocal } from './input-value';

it('an instant is the same after it was in an input', () => {
  const iso = '2026-03-01T09:05:00.000Z';
  expect(toLocal(iso)).toMatch(/^2026-0\d-\d\dT\d\d:05$/);
  expect(fromLocal(toLocal(iso))).toBe(iso);
  expect([toLocal(null), toLocal('no time'), fromLocal('')]).toEqual(['', '', null]);
});

it('nothing is null, whatever it is nothing of', () => {
  expect([textOrNone('  '), textOrNone(' a ')]).toEqual([null, 'a']);
  expect(partsOrNone({ city: ' ', street: undefined })).toBeNull();
  expect(partsOrNone({ city: 'Bonn', street: '' })).toEqual({ city: 'Bonn' });
  expect([same(null, undefined), same(['a'], ['a']), same(1, '1')]).toEqual([true, true, false]);
});
