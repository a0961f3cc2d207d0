/**
 * Changes of records as they happen. One connection for all listeners of the page, open while there is one: a browser
 * gives an address few connections, and pages without records need none.
 */
import type { Op } from '~/api/records';
import { LiveConnection } from './connection';

/** A change as the stream tells it: which record, not what of it. */
export interface RecordChange {
  seq: number;
  object: string;
  record: string;
  version: number;
  op: Op;
  actor: string;
  at: string;
}

export interface ChangesListener {
  /** What came since the last call, in order. */
  onChanges(changes: RecordChange[]): void;
  /** Something may have been missed: what is shown must be asked for again. */
  onResync(): void;
}

/** Changes are handed out at this pace: an import must not make the page draw for each row. */
const PACE_MS = 150;
/** More changes than this at once: asking again is cheaper than applying. */
const AT_ONCE = 2_000;

export class ChangesFeed {
  #listeners = new Set<ChangesListener>();
  #connection: LiveConnection | null = null;
  #waiting: RecordChange[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly address = '/api/v1/changes') {}

  /** Listens until the returned function is called. */
  listen(listener: ChangesListener): () => void {
    this.#listeners.add(listener);
    this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  }

  #open(): void {
    if (this.#connection) return;
    this.#connection = new LiveConnection(this.address, new Set(['change']), {
      onState: () => {},
      onEvent: (data) => this.#take(JSON.parse(data) as RecordChange),
      onResync: () => this.#resync(),
    });
    void this.#connection.start();
  }

  #close(): void {
    this.#connection?.stop();
    this.#connection = null;
    this.#forget();
  }

  #take(change: RecordChange): void {
    this.#waiting.push(change);
    if (this.#waiting.length > AT_ONCE) this.#resync();
    else this.#timer ??= setTimeout(this.#flush, PACE_MS);
  }

  #flush = () => {
    const changes = this.#waiting;
    this.#forget();
    for (const listener of this.#listeners) listener.onChanges(changes);
  };

  #resync(): void {
    this.#forget();
    for (const listener of this.#listeners) listener.onResync();
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }
}

export const changesFeed = new ChangesFeed();
