import { expect, it } from 'vitest';
import { moved } from './cursor';

it.each([
  ['ArrowDown', false, { row: 3, column: 1 }],
  ['ArrowUp', false, { row: 1, column: 1 }],
  ['ArrowLeft', false, { row: 2, column: 0 }],
  ['ArrowRight', false, { row: 2, column: 2 }],
  ['PageDown', false, { row: 4, column: 1 }],
  ['PageUp', false, { row: 0, column: 1 }],
  ['Home', false, { row: 2, column: 0 }],
  ['End', true, { row: 4, column: 2 }],
])('%s moves within the table', (key, control, place) => {
  expect(moved({ row: 2, column: 1 }, key, control, 5, 3)).toEqual(place);
});

it('stays at the edges, and other keys do not move', () => {
  expect(moved({ row: 0, column: 2 }, 'ArrowUp', false, 5, 3)).toEqual({ row: 0, column: 2 });
  expect(moved({ row: 0, column: 2 }, 'ArrowRight', false, 5, 3)).toEqual({ row: 0, column: 2 });
  expect(moved({ row: 0, column: 0 }, 'a', false, 5, 3)).toBeNull();
});
