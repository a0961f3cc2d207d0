/** The way of each score since the page was opened, in memory only, bounded in customers and points. */
import type { CustomerChange } from './batch';
import type { ScorePoint } from './effect';

const CUSTOMERS_KEPT = 1_000;
const POINTS_KEPT = 120;

export class ScoreHistory {
  #ways = new Map<string, ScorePoint[]>();

  /** Adds what a frame brought. */
  add(change: CustomerChange): void {
    for (const [score, points] of change.points) {
      const key = `${change.customer}\n${score}`;
      const way = this.#ways.get(key) ?? [];
      this.#ways.delete(key);
      this.#ways.set(key, [...way, ...points].slice(-POINTS_KEPT));
    }
    for (const key of this.#ways.keys()) {
      if (this.#ways.size <= CUSTOMERS_KEPT) break;
      this.#ways.delete(key);
    }
  }

  /** The values of a score, oldest first; starts with the value before the first change that was seen. */
  values(customer: string, score: string): number[] {
    const way = this.#ways.get(`${customer}\n${score}`) ?? [];
    const before = way[0]?.previous;
    const values = way.map((point) => point.value);
    return before === null || before === undefined ? values : [before, ...values];
  }
}
