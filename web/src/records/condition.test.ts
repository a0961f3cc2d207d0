import { describe, expect, it } from 'vitest';
import type { KindName } from '~/api/objects';
import { both, isComplete, operatorsOf, type Row, readCondition, withIds, writeCondition } from './condition';

const KINDS: Record<string, KindName> = {
  name: 'text',
  amount: 'money',
  close_date: 'date',
  tags: 'multi_choice',
  company: 'relation',
  'company.industry': 'text',
  owner: 'user',
  active: 'boolean',
  status: 'choice',
  address: 'address',
};
const kindOf = (path: string) => KINDS[path];
const row = (field: string, operator: Row['operator'], value = ''): Row => ({ field, operator, value });

describe('rows and conditions', () => {
  it.each<[Row[], string]>([
    [[], ''],
    [[row('name', 'has', 'Ann "the" \\ one')], 'name.search("Ann \\"the\\" \\\\ one")'],
    [[row('name', 'is', 'a && b')], 'name == "a && b"'],
    [[row('name', 'starts', '李')], 'name.startsWith("李")'],
    [[row('amount', 'above', '100.5')], 'amount > 100.5'],
    [[row('amount', 'atMost', '-3')], 'amount <= -3'],
    [[row('close_date', 'before', '2026-02-01')], 'close_date < timestamp("2026-02-01")'],
    [[row('close_date', 'last', '30')], '(close_date >= now() - duration("30d") && close_date <= now())'],
    [[row('close_date', 'next', '7')], '(close_date >= now() && close_date <= now() + duration("7d"))'],
    [[row('tags', 'includes', 'vip')], '"vip" in tags'],
    [[row('tags', 'excludes', 'vip')], '!("vip" in tags)'],
    [[row('tags', 'empty')], 'size(tags) == 0'],
    [[row('company', 'filled')], 'company != null'],
    [[row('company.industry', 'is', 'retail')], 'company.industry == "retail"'],
    [[row('owner', 'me'), row('active', 'no')], 'owner == me() && active == false'],
    [
      [row('amount', 'atLeast', '1'), row('close_date', 'next', '7'), row('status', 'not', 'won')],
      'amount >= 1 && (close_date >= now() && close_date <= now() + duration("7d")) && status != "won"',
    ],
  ])('%j is %s, and back', (rows, text) => {
    expect(writeCondition(rows, kindOf)).toBe(text);
    expect(readCondition(text, kindOf)).toEqual(rows);
  });

  it('leaves out rows that say nothing yet', () => {
    const rows = [row('amount', 'above', ''), row('amount', 'above', 'many'), row('close_date', 'last', '0')];
    expect(writeCondition([...rows, row('gone', 'is', 'x'), row('address', 'is', 'x')], kindOf)).toBe('');
  });

  it.each([
    'amount > 1 || amount < 0',
    'amount > 1 &&',
    'gone == 1',
    'amount.search("1")',
    'name == "a"  && name == "b"',
    '(amount > 1)',
    'amount > 1 + 2',
  ])('does not pretend to understand %s', (text) => {
    expect(readCondition(text, kindOf)).toBeNull();
  });
});

it('every operator of a kind can be complete', () => {
  for (const kind of new Set(Object.values(KINDS))) {
    for (const operator of operatorsOf(kind)) expect(isComplete(row('f', operator, '1'), kind)).toBe(true);
  }
});

it('joins conditions in brackets', () => {
  expect(both('a == 1 || b == 2', 'c == 3')).toBe('(a == 1 || b == 2) && (c == 3)');
  expect([both('', 'x'), both('x', undefined), both(undefined, '')]).toEqual(['x', 'x', '']);
  expect(withIds(['0a', '0b'])).toBe('id in ["0a", "0b"]');
});
