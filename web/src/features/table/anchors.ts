/**
 * How any part of a long list is read from pages that go by cursor. Pure.
 *
 * A cursor leads from a known place on, in one order. Places are known at the beginning, at the end (the beginning of the
 * reverse order) and wherever a page was read; from the nearest the rows in between are left out (`skip`), which costs the
 * server time by their number. So what is scrolled through costs nothing, either end costs nothing, and a jump into the
 * middle costs once for each direction in which one goes on from there.
 *
 * Places are kept for the list as it was: what has changed since may have moved them, so each answer of the list's first
 * page begins with new ones.
 */

/** So many times as much may be left out once, if the pages after it then leave nothing out. */
const WORTH = 4;

/** What is asked of the server: rows of the list's order, or of the reverse one. */
export interface Reading {
  backward: boolean;
  cursor: string | null;
  skip: number;
  limit: number;
}

export class Anchors {
  /** By row: the cursor behind which it is the next. */
  readonly #forward = new Map<number, string | null>([[0, null]]);
  /** The same in the reverse order: the rows before it are the next. */
  readonly #backward: Map<number, string | null>;
  /** Rows at which pages begin that were read. */
  readonly #read = new Set<number>();

  constructor(total: number) {
    this.#backward = new Map([[total, null]]);
  }

  /** How the rows from `from` to before `to` are read. */
  plan(from: number, to: number): Reading {
    const ahead = nearest(this.#forward, (row) => from - row);
    const behind = nearest(this.#backward, (row) => row - to);
    // Where what lies behind was read, one goes backwards, and the pages to come cost nothing if this one is read backwards.
    const worth = this.#read.has(to) ? WORTH * ahead.skip : ahead.skip;
    const backward = ahead.skip > 0 && (behind.skip === 0 || behind.skip < worth);
    return { backward, ...(backward ? behind : ahead), limit: to - from };
  }

  /** Notes that those rows were read, and where the list goes on from them. */
  note(from: number, to: number, reading: Reading, next: string | null): void {
    this.#read.add(from);
    if (next === null) return;
    if (reading.backward) this.#backward.set(from, next);
    else this.#forward.set(to, next);
  }
}

/** The known place with the least to leave out. */
function nearest(known: Map<number, string | null>, distance: (row: number) => number) {
  let best: { cursor: string | null; skip: number } = { cursor: null, skip: Number.POSITIVE_INFINITY };
  for (const [row, cursor] of known) {
    const skip = distance(row);
    if (skip >= 0 && skip < best.skip) best = { cursor, skip };
  }
  return best;
}

/** The reverse of an order; without one lists have the newest first. */
export function reversed(sort: string | undefined): string {
  if (!sort) return 'created_at';
  return sort.startsWith('-') ? sort.slice(1) : `-${sort}`;
}
