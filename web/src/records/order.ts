/** Putting things in order that keep their place as a number. Pure. */

export function moved<T>(items: T[], from: number, to: number): T[] {
  const others = items.filter((_, at) => at !== from);
  return items[from] === undefined ? items : [...others.slice(0, to), items[from], ...others.slice(to)];
}

/** The items in the order of `ids`; those that are not named there come last, as they stood. */
export function arranged<T extends { id: string }>(items: T[], ids: string[]): T[] {
  const places = new Map(ids.map((id, place) => [id, place]));
  const placeOf = (item: T) => places.get(item.id) ?? ids.length;
  return [...items].sort((one, other) => placeOf(one) - placeOf(other));
}

/** The places, from 1 on, of those items that have to get another one. */
export function renumbered<T>(items: T[], placeOf: (item: T) => number | null): { item: T; position: number }[] {
  return items
    .map((item, at) => ({ item, position: at + 1 }))
    .filter(({ item, position }) => placeOf(item) !== position);
}
