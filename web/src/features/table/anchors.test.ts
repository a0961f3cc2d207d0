import { expect, it } from 'vitest';
import { Anchors, type Reading, reversed } from './anchors';

const TOTAL = 1_050;
/** Reads a page as the server would: a cursor is the row that it stands at. */
function read(anchors: Anchors, page: number): Reading {
  const [from, to] = [page * 100, Math.min(page * 100 + 100, TOTAL)];
  const plan = anchors.plan(from, to);
  const start = plan.cursor === null ? (plan.backward ? TOTAL : 0) : Number(plan.cursor);
  expect(plan.backward ? start - plan.skip - plan.limit : start + plan.skip).toBe(from);
  const end = plan.backward ? from : to;
  anchors.note(from, to, plan, end === 0 || end === TOTAL ? null : String(end));
  return plan;
}

it('what is scrolled through leaves nothing out, down and back up', () => {
  const anchors = new Anchors(TOTAL);
  for (const page of [0, 1, 2, 3, 2, 1, 0]) expect(read(anchors, page)).toMatchObject({ backward: false, skip: 0 });
});

it('the end is read from the end, and what is above it too', () => {
  const anchors = new Anchors(TOTAL);
  expect(read(anchors, 10)).toEqual({ backward: true, cursor: null, skip: 0, limit: 50 });
  expect(read(anchors, 9)).toEqual({ backward: true, cursor: '1000', skip: 0, limit: 100 });
  expect(read(anchors, 8)).toMatchObject({ backward: true, skip: 0 });
});

it('a jump costs from the nearer side, and once for each direction', () => {
  const anchors = new Anchors(TOTAL);
  read(anchors, 0);
  expect(read(anchors, 4)).toMatchObject({ backward: false, skip: 300 });
  expect(read(anchors, 5)).toMatchObject({ backward: false, skip: 0 });
  expect(read(anchors, 3)).toMatchObject({ backward: true, skip: 650 });
  expect(read(anchors, 2)).toMatchObject({ backward: true, skip: 0 });
  expect(read(new Anchors(TOTAL), 7)).toMatchObject({ backward: true, skip: 250 });
});

it('near the beginning it is not worth to go around by the end', () => {
  const anchors = new Anchors(TOTAL);
  read(anchors, 2);
  expect(read(anchors, 1)).toMatchObject({ backward: false, skip: 100 });
});

it('orders are reversed', () => {
  expect(['name', '-name', '', undefined].map(reversed)).toEqual(['-name', 'name', 'created_at', 'created_at']);
});
