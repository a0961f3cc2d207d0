/** Going through the queue. Pure. */

/** The pair after (or before) one; at the end of the queue the one on its other side; none if it is alone. */
export function neighbour<T extends { id: string }>(pairs: T[], id: string, by: 1 | -1): T | undefined {
  const at = pairs.findIndex((pair) => pair.id === id);
  return pairs[at + by] ?? pairs[at - by];
}
