/** The model card, as every artifact carries it. The document of the API leaves cards open; this is what the pages read. */
import type { ModelDetail } from '~/api/schema';

type Figures = Record<string, number>;

export interface Interval {
  low: number;
  high: number;
}

/** What a simple means reaches on the same rows. */
export interface Baseline {
  /** `base_rate`, or the one feature that it uses. */
  name: string;
  metrics: Figures;
}

/** A column that looks as if it knew the outcome, and why. */
export type Leak = { column: string; strength: number } & (
  | { reason: 'copy' | 'determines' | 'presence' | 'order' }
  | { reason: 'certain'; share: number }
  | { reason: 'part'; others: string[] }
  | { reason: 'dominates'; together: number }
  | { reason: 'name'; word: string }
);

/** An algorithm with its settings, and its part in the answer. */
export interface Learner {
  /** One entry: the algorithm's name and its settings. */
  learner: Record<string, Record<string, unknown>>;
  weight: number;
}

export interface Card {
  program: string;
  inputs: { name: string }[];
  /** Columns that it goes without, and why. */
  left_out: [name: string, why: 'identifier' | 'constant' | 'missing' | 'chosen' | 'no_terms'][];
  learners: Learner[];
  calibration: string | null;
  /** Rows that the tested fit learned from, and rows that it was tested on; 0 if it was not tested here. */
  train_rows: number;
  test_rows: number;
  /** How many customers the rows are of. */
  groups: number | null;
  split: string;
  seed: number;
  metrics: Figures;
  intervals: Record<string, Interval>;
  baselines: Baseline[];
  leaks: Leak[];
  /** The main figure with and without suspicious columns. */
  leak_effect: { columns: string[]; left_out: boolean; with: number; without: number } | null;
  /** By how much the main figure falls when an input is permuted, the most important first. */
  importance: [name: string, fall: number][];
  trials: number;
}

export const cardOf = (model: ModelDetail): Card => model.card as unknown as Card;

/** Whether it was held against rows that it had not seen. A model of another program was not. */
export const wasTested = (card: Card) => card.test_rows > 0;
