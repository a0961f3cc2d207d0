import { expect, it } from 'vitest';
import { band, bounds } from './measures';

it('the bands of the index are those that people know', () => {
  expect([0, 0.099, 0.1, 0.25, 0.251].map(band)).toEqual(['stable', 'stable', 'moved', 'moved', 'changed']);
});

it('a plot holds its points with air around them, and never blows up small differences', () => {
  const [low, high] = bounds([0.4, 0.41]);
  expect(high - low).toBeGreaterThan(0.2);
  expect((low + high) / 2).toBeCloseTo(0.405);
  const wide = bounds([0.2, 0.7]);
  expect(wide[0]).toBeLessThan(0.2);
  expect(wide[1]).toBeGreaterThan(0.7);
});

it('shares stay between 0 and 1', () => {
  expect(bounds([0.01, 0.02])[0]).toBe(0);
  expect(bounds([0.98, 0.99])[1]).toBe(1);
  expect(bounds([0, 1])).toEqual([0, 1]);
});
