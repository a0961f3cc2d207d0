/** Going through the queue. Pure. */

/** The pair after (or before) one; at the end of the queue the one on its other side; none if it is alone. */
export function neighbour<T extends { id: string }>(pairs: T[], id: string, by: 1 | -1): T | undefined {
  const at = pairs.findIndex((pair) => pair.id === id);
  return pairs[at + by] ?? pairs[at - by];
}

/** The pair that was looked at last, and the queue as it was then. */
export interface Look<T> {
  id: string | null;
  pairs: T[];
}

/** The pair to look at in the queue as it is now: the same one, else the next of those that came after it, else before it. */
export function lookedAt<T extends { id: string }>({ id, pairs }: Look<T>, now: T[]): T | undefined {
  const there = new Map(now.map((pair) => [pair.id, pair]));
  const same = id === null ? undefined : there.get(id);
  if (same) return same;
  const at = pairs.findIndex((pair) => pair.id === id);
  const near =
    at < 0 ? undefined : [...pairs.slice(at + 1), ...pairs.slice(0, at).reverse()].find((pair) => there.has(pair.id));
  return near ? there.get(near.id) : now[0];
}
