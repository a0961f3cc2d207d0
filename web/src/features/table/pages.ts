/** Which pages of a list are held, and what is in them. Pure. */
import { type Item, PAGE, type Page } from '~/api/records';

export const pageOf = (row: number): number => Math.floor(row / PAGE);

/** The pages to ask for besides the first: those near the view, and the one of the row `kept`, wherever the view is. */
export function wantedPages(near: { first: number; last: number }, kept: number | null, total: number): number[] {
  const [from, to] = [Math.max(1, near.first), Math.min(Math.ceil(total / PAGE), near.last + 1)];
  const pages = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
  const own = kept === null || kept >= total ? 0 : pageOf(kept);
  return own === 0 || pages.includes(own) ? pages : [...pages, own];
}

/** The records of the pages that are near the view. */
export function recordsNear(pages: ReadonlyMap<number, Page>, near: { first: number; last: number }): Item[] {
  return [...pages]
    .filter(([number]) => number >= near.first && number <= near.last)
    .sort(([one], [other]) => one - other)
    .flatMap(([, page]) => page.records);
}

/** The row of a record, if its page is held. */
export function placeIn(pages: ReadonlyMap<number, Page>, id: string): number | undefined {
  for (const [number, { records }] of pages) {
    const at = records.findIndex((one) => one.id === id);
    if (at >= 0) return number * PAGE + at;
  }
  return undefined;
}
