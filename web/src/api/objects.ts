/** Objects as data: what kinds of records there are and what they hold. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';

export interface Label {
  en: string;
  zh: string;
}

export interface Choice {
  value: string;
  label: Label;
}

export type KindName =
  | 'text'
  | 'long_text'
  | 'number'
  | 'money'
  | 'date'
  | 'date_time'
  | 'boolean'
  | 'choice'
  | 'multi_choice'
  | 'email'
  | 'emails'
  | 'phone'
  | 'phones'
  | 'url'
  | 'address'
  | 'relation'
  | 'relations'
  | 'user'
  | 'formula'
  | 'file'
  | 'json'
  | 'actor';

export interface Kind {
  type: KindName;
  /** Of a choice. */
  options?: Choice[];
  /** Of a relation: the object that it leads to. */
  object?: string;
  /** Of a formula. */
  expression?: string;
}

export interface Field {
  name: string;
  label: Label;
  kind: Kind;
  required: boolean;
  unique: boolean;
  indexed: boolean;
  searchable: boolean;
  custom: boolean;
  retired: boolean;
}

export interface ObjectDefinition {
  name: string;
  label: Label;
  plural: Label;
  /** The field that tells a record apart for people. */
  title: string;
  custom: boolean;
  fields: Field[];
}

export interface SeenField extends Field {
  /** Whether the reader may change it. */
  writable: boolean;
}

export interface ObjectFact extends ObjectDefinition {
  fields: SeenField[];
  /** What the reader may do with its records. */
  may: { create: boolean; update: boolean; delete: boolean };
}

export const objectsKey = ['objects'] as const;

export const objectsQuery = queryOptions({
  queryKey: objectsKey,
  queryFn: ({ signal }) => call<{ objects: ObjectFact[] }>('GET', '/objects', { signal }),
  select: (answer) => answer.objects,
  staleTime: 60_000,
});

/** Adds an object, or changes it: the whole definition. */
export const defineObject = (object: ObjectDefinition) =>
  call<ObjectFact>('PUT', `/objects/${encodeURIComponent(object.name)}`, { body: object });
