/**
 * The filter builder's rows and the condition language, both ways. Pure.
 *
 * Rows are joined by AND. Of a condition that people wrote only what the builder itself would have written can be read
 * back; `readCondition` answers null for everything else, and the page shows the text instead.
 */
import type { KindName } from '~/api/objects';

export type Operator =
  | 'has'
  | 'is'
  | 'not'
  | 'starts'
  | 'above'
  | 'atLeast'
  | 'below'
  | 'atMost'
  | 'before'
  | 'since'
  | 'last'
  | 'next'
  | 'includes'
  | 'excludes'
  | 'me'
  | 'yes'
  | 'no'
  | 'empty'
  | 'filled';

export interface Row {
  /** A field, or one of the record that a relation leads to: `company.industry`. */
  field: string;
  operator: Operator;
  /** As typed: a number, a date, an id, an option; unused by operators without one. */
  value: string;
}

const TEXT: Operator[] = ['has', 'is', 'not', 'starts', 'empty', 'filled'];
const NUMBER: Operator[] = ['is', 'not', 'above', 'atLeast', 'below', 'atMost', 'empty', 'filled'];
const TIME: Operator[] = ['last', 'next', 'since', 'before', 'empty', 'filled'];
const ONE: Operator[] = ['is', 'not', 'empty', 'filled'];
const MANY: Operator[] = ['includes', 'excludes', 'empty', 'filled'];

/** What can be asked of a field of this kind; nothing of those that conditions do not know. */
export function operatorsOf(kind: KindName): Operator[] {
  switch (kind) {
    case 'number':
    case 'money':
    case 'formula':
      return NUMBER;
    case 'date':
    case 'date_time':
      return TIME;
    case 'boolean':
      return ['yes', 'no', 'empty'];
    case 'choice':
    case 'relation':
    case 'file':
    case 'actor':
      return ONE;
    case 'user':
      return ['me', ...ONE];
    case 'multi_choice':
    case 'relations':
    case 'emails':
    case 'phones':
      return MANY;
    case 'address':
    case 'json':
      return [];
    default:
      return TEXT;
  }
}

const BARE = new Set<Operator>(['me', 'yes', 'no', 'empty', 'filled']);
const LISTS = new Set<KindName>(['multi_choice', 'relations', 'emails', 'phones']);
const NUMBERS = new Set<KindName>(['number', 'money', 'formula']);

export const needsValue = (operator: Operator) => !BARE.has(operator);

/** Whether a row says something: a row that is being filled in does not count yet. */
export function isComplete(row: Row, kind: KindName | undefined): kind is KindName {
  if (kind === undefined || !operatorsOf(kind).includes(row.operator)) return false;
  if (!needsValue(row.operator)) return true;
  if (row.value.trim() === '') return false;
  if (NUMBERS.has(kind)) return Number.isFinite(Number(row.value));
  if (row.operator === 'last' || row.operator === 'next') return /^[1-9]\d{0,4}$/.test(row.value.trim());
  return true;
}

/** The condition that is true where all rows are; empty for none. */
export function writeCondition(rows: Row[], kindOf: (path: string) => KindName | undefined): string {
  const clauses = rows.flatMap((row) => {
    const kind = kindOf(row.field);
    return isComplete(row, kind) ? [clause(row, kind)] : [];
  });
  return clauses.join(' && ');
}

function clause({ field, operator, value }: Row, kind: KindName): string {
  const text = JSON.stringify(value.trim());
  const one = NUMBERS.has(kind) ? String(Number(value)) : text;
  switch (operator) {
    case 'has':
      return `${field}.search(${text})`;
    case 'starts':
      return `${field}.startsWith(${text})`;
    case 'is':
      return `${field} == ${one}`;
    case 'not':
      return `${field} != ${one}`;
    case 'above':
      return `${field} > ${one}`;
    case 'atLeast':
      return `${field} >= ${one}`;
    case 'below':
      return `${field} < ${one}`;
    case 'atMost':
      return `${field} <= ${one}`;
    case 'before':
      return `${field} < timestamp(${text})`;
    case 'since':
      return `${field} >= timestamp(${text})`;
    case 'last':
      return `(${field} >= now() - duration("${value.trim()}d") && ${field} <= now())`;
    case 'next':
      return `(${field} >= now() && ${field} <= now() + duration("${value.trim()}d"))`;
    case 'includes':
      return `${text} in ${field}`;
    case 'excludes':
      return `!(${text} in ${field})`;
    case 'me':
      return `${field} == me()`;
    case 'yes':
      return `${field} == true`;
    case 'no':
      return `${field} == false`;
    case 'empty':
      return LISTS.has(kind) ? `size(${field}) == 0` : `${field} == null`;
    case 'filled':
      return LISTS.has(kind) ? `size(${field}) > 0` : `${field} != null`;
  }
}

const PATH = String.raw`([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?)`;
const STRING = String.raw`("(?:[^"\\]|\\.)*")`;
const NUMBER_TEXT = String.raw`(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)`;
const DAYS = String.raw`duration\("([1-9]\d{0,4})d"\)`;

/** The forms that `clause` writes; the groups are the field and the value, where `swapped` the other way round. */
const FORMS: { form: RegExp; operator: Operator; swapped?: boolean }[] = [
  { form: form(`${PATH}\\.search\\(${STRING}\\)`), operator: 'has' },
  { form: form(`${PATH}\\.startsWith\\(${STRING}\\)`), operator: 'starts' },
  { form: form(`${PATH} == null`), operator: 'empty' },
  { form: form(`${PATH} != null`), operator: 'filled' },
  { form: form(`size\\(${PATH}\\) == 0`), operator: 'empty' },
  { form: form(`size\\(${PATH}\\) > 0`), operator: 'filled' },
  { form: form(`${PATH} == me\\(\\)`), operator: 'me' },
  { form: form(`${PATH} == true`), operator: 'yes' },
  { form: form(`${PATH} == false`), operator: 'no' },
  { form: form(`${PATH} < timestamp\\(${STRING}\\)`), operator: 'before' },
  { form: form(`${PATH} >= timestamp\\(${STRING}\\)`), operator: 'since' },
  { form: form(`\\(${PATH} >= now\\(\\) - ${DAYS} && \\1 <= now\\(\\)\\)`), operator: 'last' },
  { form: form(`\\(${PATH} >= now\\(\\) && \\1 <= now\\(\\) \\+ ${DAYS}\\)`), operator: 'next' },
  { form: form(`${STRING} in ${PATH}`), operator: 'includes', swapped: true },
  { form: form(`!\\(${STRING} in ${PATH}\\)`), operator: 'excludes', swapped: true },
  { form: form(`${PATH} == (?:${STRING}|${NUMBER_TEXT})`), operator: 'is' },
  { form: form(`${PATH} != (?:${STRING}|${NUMBER_TEXT})`), operator: 'not' },
  { form: form(`${PATH} > ${NUMBER_TEXT}`), operator: 'above' },
  { form: form(`${PATH} >= ${NUMBER_TEXT}`), operator: 'atLeast' },
  { form: form(`${PATH} < ${NUMBER_TEXT}`), operator: 'below' },
  { form: form(`${PATH} <= ${NUMBER_TEXT}`), operator: 'atMost' },
];

function form(source: string): RegExp {
  return new RegExp(source, 'y');
}

/** The rows of a condition; null if the builder cannot show it. */
export function readCondition(text: string, kindOf: (path: string) => KindName | undefined): Row[] | null {
  const source = text.trim();
  if (source === '') return [];
  const rows: Row[] = [];
  let at = 0;
  for (;;) {
    const found = readClause(source, at);
    if (!found || !isComplete(found.row, kindOf(found.row.field))) return null;
    rows.push(found.row);
    if (found.end === source.length) return rows;
    if (!source.startsWith(' && ', found.end)) return null;
    at = found.end + 4;
  }
}

/** The longest form that stands at `at`: what follows it tells whether it was meant. */
function readClause(source: string, at: number): { row: Row; end: number } | null {
  for (const { form, operator, swapped } of FORMS) {
    form.lastIndex = at;
    const match = form.exec(source);
    if (!match) continue;
    const groups = match.slice(1).filter((group) => group !== undefined);
    const [field, value = ''] = swapped ? [groups[1], groups[0]] : groups;
    const end = at + match[0].length;
    if (field === undefined || (end < source.length && !source.startsWith(' && ', end))) continue;
    return { row: { field, operator, value: value.startsWith('"') ? String(JSON.parse(value)) : value }, end };
  }
  return null;
}

/** Both conditions; either may be empty. */
export function both(one: string | undefined, other: string | undefined): string {
  if (!one) return other ?? '';
  if (!other) return one;
  return `(${one}) && (${other})`;
}

/** A condition that is true of the records with these ids. */
export const withIds = (ids: string[]) => `id in [${ids.map((id) => JSON.stringify(id)).join(', ')}]`;
