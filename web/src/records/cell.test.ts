import { expect, it } from 'vitest';
import type { Field, Kind } from '~/api/objects';
import { createFormat } from '~/i18n/format';
import { type Reader, sumsText, textOf } from './cell';

const field = (kind: Kind): Field => ({
  name: 'f',
  label: { en: 'F', zh: '字段' },
  kind,
  required: false,
  unique: false,
  indexed: false,
  searchable: false,
  custom: false,
  retired: false,
});

const reader = (language: 'en' | 'zh'): Reader => ({
  language,
  format: createFormat(language),
  yes: 'Yes',
  no: 'No',
  person: (id) => `person ${id}`,
});

const options = [{ value: 'vip', label: { en: 'VIP', zh: '重要客户' } }];

it.each<[Kind, unknown, string, string]>([
  [{ type: 'text' }, null, '', ''],
  [{ type: 'number' }, 1234.5, '1,234.5', '1,234.5'],
  [{ type: 'money' }, { amount: 1234.5, currency: 'EUR' }, '€1,234.50', '€1,234.50'],
  [{ type: 'money' }, { amount: '12', currency: 'CNY' }, 'CN¥12.00', '¥12.00'],
  [{ type: 'date' }, '2026-01-31', '31 Jan 2026', '2026年1月31日'],
  [{ type: 'boolean' }, false, 'No', 'No'],
  [{ type: 'choice', options }, 'vip', 'VIP', '重要客户'],
  [{ type: 'choice', options }, 'gone', 'gone', 'gone'],
  [{ type: 'multi_choice', options }, ['vip', 'x'], 'VIP, x', '重要客户、x'],
  [{ type: 'user' }, '7', 'person 7', 'person 7'],
  [
    { type: 'address' },
    { street: 'Weg 1', postcode: '10115', city: 'Berlin' },
    'Weg 1, 10115 Berlin',
    'Weg 1, 10115 Berlin',
  ],
])('%j of %j reads %s and %s', (kind, value, english, chinese) => {
  expect(textOf(field(kind), value, reader('en'))).toBe(english);
  expect(textOf(field(kind), value, reader('zh'))).toBe(chinese);
});

it('names the records that a relation leads to, and their ids where it may not', () => {
  const related = [{ id: 'a', object: 'company', title: 'Acme' }];
  expect(textOf(field({ type: 'relation', object: 'company' }), 'a', reader('en'), related)).toBe('Acme');
  expect(textOf(field({ type: 'relations', object: 'company' }), ['a', 'b'], reader('en'), related)).toBe('Acme, b');
});

it('sums stand with the largest first', () => {
  expect(sumsText({ USD: 7, EUR: 1500.4, '': 3 }, createFormat('en'))).toBe('€1,500 · US$7 · 3');
});
