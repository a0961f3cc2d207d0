/**
 * Coalesces effects per customer until the page takes them, once a frame.
 *
 * However many effects come, a frame costs one change per customer; only the way of a score (`points`) keeps more
 * than the newest, and that is bounded.
 */
import type { Effect, ScoreEffect, ScorePoint } from './effect';

/** What happened to one customer since the last take. */
export interface CustomerChange {
  customer: string;
  effects: number;
  lastSeen: string | null;
  name: string | null;
  /** Newest effect of each score by the score's name. */
  scores: Map<string, ScoreEffect>;
  points: Map<string, ScorePoint[]>;
  /** Segment name to whether the customer is in it now. */
  segments: Map<string, boolean>;
}

/** Points of one score that a frame keeps; older ones of that frame are left out of the drawn line. */
export const POINTS_A_FRAME = 50;
/** Effects whose ids are remembered, to drop repeats after a reconnect. */
const IDS_KEPT = 20_000;

export class EffectBatch {
  #changes = new Map<string, CustomerChange>();
  #ids = new Set<string>();
  #olderIds = new Set<string>();

  /** Adds an effect; false if it is a repeat. */
  add(effect: Effect): boolean {
    if (this.#ids.has(effect.id) || this.#olderIds.has(effect.id)) return false;
    this.#remember(effect.id);
    const change = this.#changeOf(effect.customer);
    change.effects += 1;
    if (effect.kind === 'profile') {
      change.lastSeen = later(change.lastSeen, effect.profile.last_seen);
      change.name = effect.profile.name ?? change.name;
    } else if (effect.kind === 'score') {
      addScore(change, effect);
    } else {
      change.segments.set(effect.segment, effect.kind === 'segment_entered');
    }
    return true;
  }

  get size(): number {
    return this.#changes.size;
  }

  /** Everything since the last call, in order of first arrival. */
  take(): CustomerChange[] {
    const changes = [...this.#changes.values()];
    this.#changes.clear();
    return changes;
  }

  #changeOf(customer: string): CustomerChange {
    let change = this.#changes.get(customer);
    if (!change) {
      change = {
        customer,
        effects: 0,
        lastSeen: null,
        name: null,
        scores: new Map(),
        points: new Map(),
        segments: new Map(),
      };
      this.#changes.set(customer, change);
    }
    return change;
  }

  /** Two generations of ids: bounded, and cheap to forget. */
  #remember(id: string): void {
    if (this.#ids.size >= IDS_KEPT) {
      this.#olderIds = this.#ids;
      this.#ids = new Set();
    }
    this.#ids.add(id);
  }
}

function addScore(change: CustomerChange, effect: ScoreEffect): void {
  const { name, value, previous } = effect.score;
  change.scores.set(name, effect);
  const points = change.points.get(name) ?? [];
  points.push({ at: effect.at, value, previous: previous ?? null });
  if (points.length > POINTS_A_FRAME) points.shift();
  change.points.set(name, points);
}

/** The later of two ISO instants; they may differ in precision, so text order alone would not do. */
export function later(a: string | null, b: string): string {
  return a !== null && Date.parse(a) > Date.parse(b) ? a : b;
}
