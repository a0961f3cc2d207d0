/** What the server pushes over `/v1/stream`, as the pages read it. */
import type { ReasonFact } from '~/api/schema';

interface EffectBase {
  /** Stable across replays; repeats carry the same one. */
  id: string;
  customer: string;
  /** Time of the event that caused it, not of its arrival. */
  at: string;
  /** Message id of that event; null if a timer caused it. */
  cause: string | null;
  partition: number;
  offset: number;
}

export interface ScoreEffect extends EffectBase {
  kind: 'score';
  score: {
    name: string;
    value: number;
    previous?: number | null;
    model_version: number;
    reasons: ReasonFact[];
  };
}

export interface SegmentEffect extends EffectBase {
  kind: 'segment_entered' | 'segment_left';
  segment: string;
}

export interface ProfileEffect extends EffectBase {
  kind: 'profile';
  profile: { name: string | null; last_seen: string };
}

export type Effect = ScoreEffect | SegmentEffect | ProfileEffect;

/** One state of a score, kept to draw its way. */
export interface ScorePoint {
  at: string;
  value: number;
  previous: number | null;
}
