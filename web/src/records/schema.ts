/** What pages ask of an object's definition. Pure. */
import type { Field, KindName, Label, ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import type { Language } from '~/i18n/format';

/** What every record has, as fields; the page names them (see `systemLabels`). */
const SYSTEM: [string, KindName][] = [
  ['owner', 'user'],
  ['created_at', 'date_time'],
  ['updated_at', 'date_time'],
  ['created_by', 'actor'],
  ['updated_by', 'actor'],
];

/** Kinds that are computed or written by Rapport alone. */
const READ_ONLY = new Set<KindName>(['formula', 'actor']);
/** Kinds that a database cannot put in an order. */
const UNSORTED = new Set<KindName>(['multi_choice', 'emails', 'phones', 'address', 'json', 'relations', 'formula']);
/** Kinds that need more room than a cell. */
const LARGE = new Set<KindName>(['long_text', 'address', 'json', 'relations']);
/** Columns that a table begins with. */
const COLUMNS_FIRST = 7;

/** The objects that people look for first, in this order. */
const FIRST = ['contact', 'company', 'lead', 'deal', 'ticket', 'task'];

/** Those first, then the organisation's own, then the others. */
export function inOrder(objects: ObjectFact[]): ObjectFact[] {
  const place = ({ name, custom }: ObjectFact) => {
    const known = FIRST.indexOf(name);
    return known >= 0 ? known : custom ? FIRST.length : FIRST.length + 1;
  };
  return [...objects].sort((one, other) => place(one) - place(other));
}

/** Whether the reader may change it. Of what every record has, that is the owner. */
export const isEditable = (field: SeenField) => field.writable && !READ_ONLY.has(field.kind.type);
export const isSortable = (field: Field) => !UNSORTED.has(field.kind.type);
export const isLarge = (field: Field) => LARGE.has(field.kind.type);
/** Numbers stand under one another. */
export const isFigure = (field: Field) => ['number', 'money', 'formula'].includes(field.kind.type);

export const say = (label: Label, language: Language) => label[language] || label.en;

/** The fields that were not taken away, those of every record behind them. */
export function fieldsOf(object: ObjectFact, system: Record<string, string>): SeenField[] {
  const own = object.fields.filter((field) => !field.retired);
  const common = SYSTEM.map(([name, type]): SeenField => {
    const label = { en: system[name] ?? name, zh: system[name] ?? name };
    const plain = { required: false, unique: false, indexed: true, searchable: false, custom: false, retired: false };
    return { name, label, kind: { type }, writable: name === 'owner', ...plain };
  });
  return [...own, ...common];
}

/** The columns of a table that nobody has chosen: the title, then what is short and often asked for. */
export function firstColumns(object: ObjectFact): string[] {
  const short = object.fields.filter((field) => !field.retired && !isLarge(field) && field.name !== object.title);
  const ranked = [...short.filter((field) => field.indexed), ...short.filter((field) => !field.indexed)];
  return [object.title, ...ranked.slice(0, COLUMNS_FIRST - 1).map((field) => field.name), 'updated_at'];
}

/** The field by which records stand on a board: a stage, else a status, else any choice; none if there is none. */
export function boardField(object: ObjectFact): SeenField | undefined {
  const open = object.fields.filter((field) => !field.retired);
  const stage = open.find((field) => field.kind.type === 'relation' && field.kind.object === 'stage');
  const choices = open.filter((field) => field.kind.type === 'choice');
  return stage ?? choices.find((field) => field.name === 'status') ?? choices[0];
}

/** Objects whose records are compared with one another whatever their fields are. */
const COMPARED = new Set(['contact', 'company', 'lead']);
/** What the organisation's own objects are compared by. */
const REACHED_BY = new Set<KindName>(['email', 'emails', 'phone', 'phones']);

/** Whether an object's records are looked through for duplicates. */
export function isCompared(object: ObjectFact): boolean {
  if (!object.custom) return COMPARED.has(object.name);
  return object.fields.some((field) => !field.retired && REACHED_BY.has(field.kind.type));
}

/** The value of a field, those of every record included. */
export function held(item: Item, name: string): unknown {
  if (name in item.fields) return item.fields[name];
  return (item as unknown as Record<string, unknown>)[name];
}

/** What people call a record. */
export function titleOf(object: ObjectFact, item: Item): string {
  const title = item.fields[object.title];
  return typeof title === 'string' && title !== '' ? title : item.id;
}
