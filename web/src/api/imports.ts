/** Files that are imported: brought, mapped, checked, run. */
import { queryOptions } from '@tanstack/react-query';
import { addressOf, call } from './client';
import type { Fields } from './records';

export type Target =
  | { to: 'skip' }
  | { to: 'id' }
  | { to: 'field'; field: string }
  | { to: 'part'; field: string; part: string }
  | { to: 'relation'; field: string; by: string; create: boolean }
  | { to: 'person'; field: string };

export type DateOrder = 'year_month_day' | 'day_month_year' | 'month_day_year';

export interface Column {
  /** What the file calls it. */
  name: string;
  target: Target;
  style: { dates: DateOrder; decimal_comma: boolean };
}

export interface Mapping {
  columns: Column[];
  /** The field by which records that are there already are found; without it every row is a new record. */
  key: string | null;
  /** Whether an empty cell takes the value away from a record that is there. */
  clear: boolean;
}

/** What rows became, or would become. Each row is counted once. */
export interface Tally {
  created: number;
  updated: number;
  unchanged: number;
  failed: number;
}

export interface Import extends Tally {
  id: string;
  object: string;
  name: string;
  state: 'uploaded' | 'running' | 'done' | 'cancelled' | 'failed';
  about: {
    header: string[];
    sample: string[][];
    encoding: string;
    system: string | null;
    remembered: boolean;
  };
  mapping: Mapping;
  total: number;
  /** Rows that are done. */
  position: number;
  batch: string | null;
  message: string | null;
}

export interface Check extends Tally {
  rows: number;
  /** Records of other objects that would be made along. */
  related: number;
  differences: { row: number; record: string; before: Fields; after: Fields }[];
  mistakes: { row: number; field: string; what: string }[];
}

export const importKey = ['import'] as const;
const of = (id: string) => `/imports/${encodeURIComponent(id)}`;
/** How often a running import is looked at. */
const LOOK_MS = 500;

export function importQuery(id: string) {
  return queryOptions({
    queryKey: [...importKey, id],
    queryFn: ({ signal }) => call<Import>('GET', of(id), { signal }),
    refetchInterval: (query) => (query.state.data?.state === 'running' ? LOOK_MS : false),
  });
}

export const uploadImport = (object: string, file: File) =>
  call<Import>('POST', '/imports', { query: { object, name: file.name }, body: file });
export const mapImport = (id: string, mapping: Mapping) => call<Import>('PUT', `${of(id)}/mapping`, { body: mapping });
export const checkImport = (id: string) => call<Check>('POST', `${of(id)}/check`);
export const startImport = (id: string) => call<Import>('POST', `${of(id)}/start`);
export const cancelImport = (id: string) => call<Import>('POST', `${of(id)}/cancel`);
/** The rows that are wrong, with why, as a file. */
export const errorsAddress = (id: string) => addressOf(`${of(id)}/errors`);
