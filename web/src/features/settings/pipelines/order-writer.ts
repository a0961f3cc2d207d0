/**
 * Writes the order of records one write after the other. No screen, no clock.
 *
 * Each write is meant for the versions that the one before has left. Of orders that come while one is written only the last
 * is written: it has in it what those before it moved.
 */
import type { Edit, Item } from '~/api/records';
import { renumbered } from '~/records/order';

export class OrderWriter {
  /** The newest state of each record that is known, with the place that the server has. */
  readonly #stored = new Map<string, Item>();
  #next: Item[] | null = null;
  #isWriting = false;

  /** `write` answers with the records as they are then; `settle` comes when nothing waits, after a failure too. */
  constructor(
    private readonly write: (edits: Edit[]) => Promise<Item[]>,
    private readonly settle: () => Promise<unknown>,
  ) {}

  /**
   * Writes `items` in this order; each has the place that it had before. True when that, and whatever came after it, is
   * written; false at once if an order is being written, whose call then tells of this one too.
   */
  async put(items: Item[]): Promise<boolean> {
    this.#next = items;
    if (this.#isWriting) return false;
    this.#isWriting = true;
    try {
      while (this.#next) {
        try {
          await this.#writeAll();
        } finally {
          await this.settle();
        }
      }
    } finally {
      this.#next = null;
      this.#isWriting = false;
    }
    return true;
  }

  async #writeAll(): Promise<void> {
    while (this.#next) {
      const items = this.#next.map((item) => this.#newest(item));
      this.#next = null;
      const edits = renumbered(items, (item) => Number(item.fields.position ?? 0)).map(
        ({ item, position }): Edit => ({ op: 'update', id: item.id, fields: { position }, version: item.version }),
      );
      if (edits.length === 0) continue;
      for (const item of await this.write(edits)) this.#stored.set(item.id, item);
    }
  }

  #newest(item: Item): Item {
    const stored = this.#stored.get(item.id);
    return stored && stored.version > item.version ? stored : item;
  }
}
