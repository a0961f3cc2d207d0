import { describe, expect, it } from 'vitest';
import { drawnAt, HIGHEST_PX, heightOf, ROW_PX, scrolledTo } from './scroll';

const VIEW = 600;
const MANY = 1_000_000;
/** Where a row stands in the view, in px. */
const seenAt = (row: number, scrollTop: number, rows: number) => {
  const { origin, shift } = drawnAt(scrollTop, rows, VIEW);
  return shift + (row - origin) * ROW_PX - scrollTop;
};

it('a short table is as high as its rows, and scrolls pixel by pixel', () => {
  expect(heightOf(1_000)).toBe(40_000);
  expect(drawnAt(0, 1_000, VIEW)).toEqual({ first: 0, last: 27, origin: 0, shift: 0 });
  expect(drawnAt(20_017, 1_000, VIEW)).toEqual({ first: 488, last: 528, origin: 0, shift: 0 });
  expect(seenAt(501, 20_017, 1_000)).toBe(23);
});

it('what is scrolled beyond the end, as Safari does, draws what is there', () => {
  expect(drawnAt(99_000, 10, VIEW)).toMatchObject({ first: 0, last: 10 });
  expect(drawnAt(0, 0, VIEW)).toMatchObject({ first: 0, last: 0 });
});

describe('a million rows', () => {
  const end = HIGHEST_PX - VIEW;

  it('are no higher than a browser can show', () => {
    expect(heightOf(MANY)).toBe(HIGHEST_PX);
  });

  it('begin at the top and end at the bottom', () => {
    expect(seenAt(0, 0, MANY)).toBe(0);
    expect(seenAt(MANY - 1, end, MANY)).toBeCloseTo(VIEW - ROW_PX, 3);
    expect(drawnAt(end, MANY, VIEW).last).toBe(MANY);
  });

  it('are drawn a few at a time, wherever one is', () => {
    for (let at = 0; at <= end; at += 99_991) {
      const { first, last, origin } = drawnAt(at, MANY, VIEW);
      expect(last - first).toBeLessThan(45);
      expect(first - origin).toBeLessThan(1_024);
      expect(seenAt(first, at, MANY)).toBeLessThanOrEqual(0);
      expect(seenAt(last - 1, at, MANY)).toBeGreaterThanOrEqual(VIEW - ROW_PX);
    }
  });

  it.each([0, 1, 499_999, 500_000, 999_998, 999_999])('row %i can be brought into view, from both sides', (row) => {
    for (const from of [0, end]) {
      const to = scrolledTo(row, from, MANY, VIEW);
      expect(Number.isInteger(to)).toBe(true);
      expect(seenAt(row, to, MANY)).toBeGreaterThanOrEqual(-1e-6);
      expect(seenAt(row, to, MANY)).toBeLessThanOrEqual(VIEW - ROW_PX + 1e-6);
      expect(scrolledTo(row, to, MANY, VIEW)).toBe(to);
    }
  });
});
