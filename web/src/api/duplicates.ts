/** Records that may be the same, and making one of two. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { Fields, Item } from './records';

export type Reason = 'email' | 'phone' | 'domain' | 'name' | 'similar_name' | 'employer';

export interface Similar {
  id: string;
  title: string;
  /** What is alike. */
  reasons: Reason[];
}

const of = (object: string) => `/objects/${encodeURIComponent(object)}`;

/** Records that are like one that is being written. */
export function similarQuery(object: string, fields: Fields) {
  return queryOptions({
    queryKey: ['similar', object, fields],
    queryFn: ({ signal }) =>
      call<{ records: Similar[] }>('POST', `${of(object)}/similar`, { body: { fields }, signal }),
    select: (answer) => answer.records,
    retry: false,
  });
}

/** Makes one record of two: `other` goes into the trash, and what names it names this one. */
export const merge = (object: string, id: string, other: string, fields: Fields) =>
  call<{ record: Item; batch: string }>('POST', `${of(object)}/records/${encodeURIComponent(id)}/merge`, {
    body: { other, fields },
  });

export interface Converted {
  contact: string | null;
  company: string | null;
  deal: string | null;
  batch: string;
}

/** Makes a contact, a company and, if wanted, a deal of a lead. */
export const convert = (id: string, deal?: Fields) =>
  call<Converted>('POST', `${of('lead')}/records/${encodeURIComponent(id)}/convert`, { body: deal ? { deal } : {} });
