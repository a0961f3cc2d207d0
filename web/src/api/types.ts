/** The shapes that the pages use. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface RowScore {
  name: string;
  value: number;
  model_version: number;
  computed_at: string;
}

export interface CustomerRow {
  id: string;
  name: string | null;
  known: boolean;
  country?: string | null;
  first_seen: string;
  last_seen: string;
  events: number;
  segments: string[];
  score: RowScore | null;
}

export interface CustomerList {
  customers: CustomerRow[];
  total: number;
  next: string | null;
}

export interface Reason {
  feature: string;
  value: Json;
  contribution: number;
}

export interface Calibration {
  ece: number;
  base_rate: number;
}

export interface Score {
  name: string;
  value: number;
  previous?: number | null;
  computed_at: string;
  cause: string | null;
  model_version: number;
  reasons: Reason[];
  calibration?: Calibration | null;
}

export type Window = 'lifetime' | { sliding: string } | { session: string };

export interface FeatureValue {
  name: string;
  value: Json;
  window: Window;
  aggregate: string;
}

export interface Customer {
  id: string;
  ids: string[];
  name: string | null;
  attributes: Record<string, Json>;
  first_seen: string;
  last_seen: string;
  events: number;
  features: FeatureValue[];
  segments: string[];
  scores: Score[];
  position: { partition: number; offset: number };
}

export interface TimelineItem {
  kind: string;
  name: string | null;
  at: string;
  received_at: string;
  message_id: string;
  properties: Record<string, Json>;
  partition: number;
  offset: number;
}

export interface Timeline {
  items: TimelineItem[];
  next: string | null;
}

export interface LedgerRow {
  source: string;
  accepted: number;
  applied: number;
  deduplicated: number;
  dead_lettered: number;
  erased: number;
  pending: number;
}

export interface Ledger {
  sources: LedgerRow[];
  total: Omit<LedgerRow, 'source'>;
}

/** What people call something, by language. */
export interface Title {
  en: string;
  zh: string;
}

export interface FeatureDefinition {
  name: string;
  title?: Title | null;
  event?: string | null;
  filter?: string | null;
  aggregate: string;
  value?: string | null;
  window?: Window;
  n?: number | null;
}

export interface SegmentDefinition {
  name: string;
  title?: Title | null;
  when: string;
}

export interface Definitions {
  version: number;
  features: FeatureDefinition[];
  segments: SegmentDefinition[];
  scores: { name: string; title?: Title | null }[];
}

export interface About {
  version: string;
  data_note: 'synthetic' | 'online_retail' | null;
  partitions: number;
}

export interface Session {
  name: string;
  since?: string;
}

export interface Problem {
  title: string;
  status: number;
  detail?: string | null;
  field?: string | null;
  code?: string | null;
}

export type SortKey = 'last_seen' | 'score';
