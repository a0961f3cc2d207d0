/** Files that are imported: brought, mapped, checked, run. */
import { queryOptions } from '@tanstack/react-query';
import { addressOf, call } from './client';
import type {
  ImportCheck as Check,
  DateOrder,
  ImportColumn,
  ImportMapping,
  ImportStyle,
  Import as Seen,
  ImportTally as Tally,
  ImportTarget as Target,
} from './schema';

export type { Check, DateOrder, Tally, Target };

/** Who writes a mapping may leave parts of it out; the server tells it whole. */
export type Column = Required<ImportColumn> & { style: Required<ImportStyle> };
export type Mapping = Omit<Required<ImportMapping>, 'columns'> & { columns: Column[] };
export type Import = Omit<Seen, 'mapping'> & { mapping: Mapping };

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
