import { describe, expect, it } from 'vitest';
import type { CustomerRow } from '~/api/schema';
import { probability } from '~/components/probability';
import { read } from '~/features/customer/attributes';
import { createFormat, nextTick } from '~/i18n/format';
import { applyToRow } from './apply';
import { EffectBatch } from './batch';
import { pauseBefore } from './connection';
import type { Effect } from './effect';
import { StreamParser } from './parse';

const base = { customer: 'user:a', cause: 'm1', partition: 0, offset: 1 };
const score = (id: string, value: number, at: string): Effect => ({
  ...base,
  id,
  at,
  kind: 'score',
  score: { name: 'repeat_purchase', value, previous: null, model_version: 2, reasons: [] },
});

const row: CustomerRow = {
  id: 'user:a',
  name: null,
  known: true,
  first_seen: '2026-01-01T00:00:00Z',
  last_seen: '2026-01-01T00:00:00Z',
  events: 1,
  segments: ['vip'],
  score: { name: 'repeat_purchase', value: 0.5, model_version: 2, computed_at: '2026-01-02T00:00:00Z' },
};

describe('the parser of the stream', () => {
  it('puts messages together however they are cut', () => {
    const text = 'id: 3.0_1.2\nevent: score\ndata: {"a":1}\n\n: heartbeat\n\nevent: hello\ndata: {}\n\n';
    const whole = new StreamParser().push(text);
    expect(whole.map((message) => message.event)).toEqual(['score', 'hello']);
    expect(whole[0]).toMatchObject({ id: '3.0_1.2', data: '{"a":1}' });
    const parser = new StreamParser();
    expect([...text].flatMap((letter) => parser.push(letter))).toEqual(whole);
  });
});

describe('a batch of effects', () => {
  it('keeps the newest of each score, and drops repeats', () => {
    const batch = new EffectBatch();
    expect(batch.add(score('1', 0.2, '2026-01-03T00:00:00Z'))).toBe(true);
    expect(batch.add(score('2', 0.3, '2026-01-04T00:00:00Z'))).toBe(true);
    expect(batch.add(score('1', 0.2, '2026-01-03T00:00:00Z'))).toBe(false);
    const [change] = batch.take();
    expect(change?.scores.get('repeat_purchase')?.score.value).toBe(0.3);
    expect(batch.take()).toEqual([]);
  });

  it('moves a row, but never back in time', () => {
    const batch = new EffectBatch();
    batch.add(score('1', 0.9, '2026-01-03T00:00:00Z'));
    batch.add({ ...base, id: '2', at: '2026-01-03T00:00:00Z', kind: 'segment_left', segment: 'vip' });
    const [change] = batch.take();
    if (!change) throw new Error('there is a change');
    expect(applyToRow(row, change)).toMatchObject({ segments: [], score: { value: 0.9 } });
    const old = new EffectBatch();
    old.add(score('3', 0.1, '2025-01-01T00:00:00Z'));
    const [late] = old.take();
    if (!late) throw new Error('there is a change');
    expect(applyToRow(row, late)).toBe(row);
  });
});

it('a probability is never written as a certainty', () => {
  const format = createFormat('en');
  expect([0.99999, 0.42, 0.051, 0.00001].map((value) => probability(format, value))).toEqual([
    '>99%',
    '42%',
    '5.1%',
    '<0.1%',
  ]);
});

it('pauses grow, are spread and have an end', () => {
  expect(pauseBefore(1, 0)).toBe(200);
  expect(pauseBefore(1, 1)).toBe(400);
  expect(pauseBefore(50, 1)).toBe(15_000);
});

it('typed values are what they look like', () => {
  expect([read('42'), read('true'), read(' gold '), read('{"a":1}'), read('1 street'), read('')]).toEqual([
    42,
    true,
    'gold',
    { a: 1 },
    '1 street',
    '',
  ]);
});

it('times are told in both languages and tick as often as they change', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');
  expect(createFormat('en').relative('2026-01-01T23:59:48Z', now)).toBe('12 seconds ago');
  expect(createFormat('zh').relative('2026-01-01T22:00:00Z', now)).toBe('2小时前');
  expect(nextTick('2026-01-01T23:59:48Z', now)).toBe(1_000);
  expect(nextTick('2020-01-01T00:00:00Z', now)).toBeNull();
});
