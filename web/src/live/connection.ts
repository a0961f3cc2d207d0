/**
 * A live connection of the page: server-sent events over `fetch`.
 *
 * `EventSource` hides the status of a refused request and its own waiting time; this does not: a 401 ends in
 * `signed_out`, other faults are tried again after a growing, jittered pause, and the last cursor is sent so that the
 * server goes on where the page stopped. Silence longer than `SILENCE_MS` counts as a fault: the server speaks every 5 s.
 */
import { StreamParser } from './parse';

export type LiveState =
  | { kind: 'connecting' }
  | { kind: 'live'; behindSeconds: number }
  | { kind: 'reconnecting'; attempt: number }
  | { kind: 'signed_out' };

export interface LiveHandlers {
  onState(state: LiveState): void;
  /** An event of the wanted kinds as text, not parsed yet. */
  onEvent(data: string): void;
  /** What the page holds may miss something: fetch it again. */
  onResync(): void;
}

export const SILENCE_MS = 17_000;
const PAUSE_FIRST_MS = 400;
const PAUSE_MAX_MS = 15_000;

/** Milliseconds before attempt `attempt` (from 1), with `random` in 0..1 spreading the clients of a restarted server. */
export function pauseBefore(attempt: number, random: number): number {
  const full = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(full * (0.5 + random / 2));
}

export class LiveConnection {
  #cursor: string | null = null;
  #attempt = 0;
  #stopped = false;
  #abort: AbortController | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #wake: (() => void) | null = null;

  constructor(
    private readonly address: string,
    private readonly wanted: ReadonlySet<string>,
    private readonly handlers: LiveHandlers,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  /** Connects, and again after each fault, until `stop` or a 401. */
  async start(): Promise<void> {
    this.handlers.onState({ kind: 'connecting' });
    while (!this.#stopped) {
      const outcome = await this.#once().catch(() => 'fault' as const);
      clearTimeout(this.#silence);
      if (this.#stopped) return;
      if (outcome === 'signed_out') {
        this.handlers.onState({ kind: 'signed_out' });
        return;
      }
      this.#attempt += 1;
      this.handlers.onState({ kind: 'reconnecting', attempt: this.#attempt });
      await this.#pause(pauseBefore(this.#attempt, Math.random()));
    }
  }

  /** Ends the connection for good. */
  stop(): void {
    this.#stopped = true;
    this.#abort?.abort();
    this.#wake?.();
  }

  /** Ends a pause early, for example when the machine is back on the network. */
  retryNow(): void {
    this.#wake?.();
  }

  async #once(): Promise<'signed_out' | 'fault'> {
    this.#abort = new AbortController();
    this.#listen();
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (this.#cursor !== null) headers['Last-Event-ID'] = this.#cursor;
    const response = await this.fetcher(this.address, { headers, signal: this.#abort.signal, cache: 'no-store' });
    if (response.status === 401) return 'signed_out';
    if (!response.ok || !response.body) return 'fault';
    const parser = new StreamParser();
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'fault';
      this.#listen();
      for (const message of parser.push(decoder.decode(value, { stream: true }))) {
        if (message.id !== null) this.#cursor = message.id;
        this.#message(message.event, message.data);
      }
    }
  }

  #message(event: string, data: string): void {
    if (this.wanted.has(event)) {
      this.#attempt = 0;
      this.handlers.onEvent(data);
    } else if (event === 'hello' || event === 'status') {
      this.#attempt = 0;
      const behind = (JSON.parse(data) as { behind_s?: number }).behind_s ?? 0;
      this.handlers.onState({ kind: 'live', behindSeconds: behind });
    } else if (event === 'resync') {
      this.handlers.onResync();
    }
  }

  /** Restarts the watch for silence. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#abort?.abort(), SILENCE_MS);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
