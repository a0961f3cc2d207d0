/**
 * Which rows are drawn, and where, for a table of any length. Pure.
 *
 * A browser's elements have a greatest height: 33,554,428 px in Chromium, 17,895,697 px in Firefox. Rows that are higher
 * together are scrolled through faster than by their own height: a pixel of scrolling is then more than one of rows.
 */

export const ROW_PX = 40;
/** Below what any browser can do, and where numbers of single precision still hold every pixel. */
export const HIGHEST_PX = 16_000_000;
/** Rows beyond the visible ones, so that scrolling shows no gaps. */
const OVERSCAN = 12;
/** Rows stand at the same place of their block while one scrolls, so that only those that come are drawn anew. */
const BLOCK = 1_024;

export interface Drawn {
  /** The first row that is drawn, and the one behind the last. */
  first: number;
  last: number;
  /** The row at which the block begins, and where that stands in the scrolled element, in px. */
  origin: number;
  shift: number;
}

/** The height of the scrolled element. */
export const heightOf = (rows: number): number => Math.min(rows * ROW_PX, HIGHEST_PX);

/** Pixels of rows that a pixel of scrolling is. */
function ratioOf(rows: number, viewPx: number): number {
  const [whole, height] = [rows * ROW_PX, heightOf(rows)];
  return whole === height ? 1 : (whole - viewPx) / (height - viewPx);
}

/** What is drawn where so much is scrolled, in a view of `viewPx`. */
export function drawnAt(scrollTop: number, rows: number, viewPx: number): Drawn {
  const position = scrollTop * ratioOf(rows, viewPx);
  const first = Math.max(0, Math.min(rows, Math.floor(position / ROW_PX)) - OVERSCAN);
  const last = Math.min(rows, Math.ceil((position + viewPx) / ROW_PX) + OVERSCAN);
  const origin = first - (first % BLOCK);
  return { first, last, origin, shift: scrollTop + origin * ROW_PX - position };
}

/** How much is to be scrolled so that a row is seen whole; as much as it is if it is seen already. */
export function scrolledTo(row: number, scrollTop: number, rows: number, viewPx: number): number {
  const ratio = ratioOf(rows, viewPx);
  const [position, top] = [scrollTop * ratio, row * ROW_PX];
  if (top < position) return Math.floor(top / ratio);
  if (top + ROW_PX > position + viewPx) return Math.ceil((top + ROW_PX - viewPx) / ratio);
  return scrollTop;
}
