/** What the drawings of monitoring are measured by. */

/** The usual bands of the index: below the first an input is stable, above the second it has changed. */
export const MOVED = 0.1;
export const CHANGED = 0.25;

export type Band = 'stable' | 'moved' | 'changed';

export function band(psi: number): Band {
  if (psi < MOVED) return 'stable';
  return psi <= CHANGED ? 'moved' : 'changed';
}

/** What is drawn spans at least this much, so that chance is not made to look like a trend. */
const SPAN_MIN = 0.2;
/** Empty space above and below the points, as a share of what they span. */
const AIR = 0.15;

/** The shares at the bottom and at the top of the plot. */
export function bounds(values: number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const half = (Math.max(high - low, SPAN_MIN) / 2) * (1 + 2 * AIR);
  const middle = Math.min(Math.max((low + high) / 2, half), 1 - half);
  return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
}
