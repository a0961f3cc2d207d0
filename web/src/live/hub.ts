/**
 * Joins the live connection and the pages: collects effects, hands them out once a frame, tells the connection's state.
 * One for the whole application; knows no React.
 */
import { type CustomerChange, EffectBatch } from './batch';
import { LiveConnection, type LiveState } from './connection';
import type { Effect } from './effect';
import { ScoreHistory } from './history';

/** A hidden page gets no frames; it takes what came at this pace. */
const HIDDEN_PACE_MS = 1_000;
/** More customers than this between two frames: fetching again is cheaper than applying. */
export const CUSTOMERS_A_FRAME = 5_000;

const EFFECTS = new Set(['score', 'segment_entered', 'segment_left', 'profile']);

type ChangesListener = (changes: CustomerChange[]) => void;

export class LiveHub {
  readonly history = new ScoreHistory();
  #state: LiveState = { kind: 'connecting' };
  #stateListeners = new Set<() => void>();
  #changeListeners = new Set<ChangesListener>();
  #resyncListeners = new Set<() => void>();
  #batch = new EffectBatch();
  #connection: LiveConnection | null = null;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get state(): LiveState {
    return this.#state;
  }

  /** Opens the connection; a second call does nothing until `stop`. */
  start(address = '/v1/stream'): void {
    if (this.#connection) return;
    this.#connection = new LiveConnection(address, EFFECTS, {
      onState: (state) => this.#setState(state),
      onEvent: (data) => this.#effect(data),
      onResync: () => this.#resync(),
    });
    void this.#connection.start();
    window.addEventListener('online', this.#online);
  }

  stop(): void {
    this.#connection?.stop();
    this.#connection = null;
    this.#unschedule();
    this.#batch.take();
    window.removeEventListener('online', this.#online);
    this.#setState({ kind: 'connecting' });
  }

  onState = (listener: () => void): (() => void) => subscribe(this.#stateListeners, listener);
  onChanges = (listener: ChangesListener): (() => void) => subscribe(this.#changeListeners, listener);
  onResync = (listener: () => void): (() => void) => subscribe(this.#resyncListeners, listener);

  #online = () => this.#connection?.retryNow();

  #setState(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }

  #effect(data: string): void {
    if (!this.#batch.add(JSON.parse(data) as Effect)) return;
    if (this.#batch.size > CUSTOMERS_A_FRAME) {
      this.#resync();
    } else if (this.#timer === undefined) {
      this.#frame = requestAnimationFrame(this.#flush);
      this.#timer = setTimeout(this.#flush, HIDDEN_PACE_MS);
    }
  }

  #flush = () => {
    this.#unschedule();
    const changes = this.#batch.take();
    for (const change of changes) this.history.add(change);
    for (const listener of this.#changeListeners) listener(changes);
  };

  #resync(): void {
    this.#unschedule();
    this.#batch.take();
    for (const listener of this.#resyncListeners) listener();
  }

  #unschedule(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
