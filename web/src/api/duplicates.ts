/** Records that may be the same, and making one of two; leads that become customers. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { Fields, Item } from './records';
import type { Conversion, ConversionPart, Converted, Merged, Proposal, Reason, Pair as Seen, Similar } from './schema';

export type { Conversion, ConversionPart, Converted, Proposal, Reason, Similar };

/** Two records that seem to be one: the older and the newer. */
export interface Pair extends Omit<Seen, 'one' | 'other'> {
  one: Item;
  other: Item;
}

/** Pairs that are asked for at once. */
export const PAIRS = 100;

const of = (object: string) => `/objects/${encodeURIComponent(object)}`;
const record = (object: string, id: string) => `${of(object)}/records/${encodeURIComponent(id)}`;

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

export const pairsKey = (object: string) => ['duplicates', object] as const;

/** Pairs that wait for somebody to look at them, the most alike first. */
export function pairsQuery(object: string) {
  return queryOptions({
    queryKey: pairsKey(object),
    queryFn: ({ signal }) => call<{ pairs: Pair[] }>('GET', '/duplicates', { query: { object, limit: PAIRS }, signal }),
  });
}

const pair = (id: string) => `/duplicates/${encodeURIComponent(id)}`;
/** Says that a pair is two. */
export const dismiss = (id: string) => call<void>('POST', `${pair(id)}/dismiss`);
export const reopen = (id: string) => call<void>('POST', `${pair(id)}/reopen`);

/** Makes one record of two: `other` goes into the trash, and what names it names this one. */
export const merge = (object: string, id: string, other: string, fields: Fields) =>
  call<Merged>('POST', `${record(object, id)}/merge`, { body: { other, fields } });

/** What is there already of a lead: contacts and companies that it may become. */
export function proposalQuery(lead: string) {
  return queryOptions({
    queryKey: ['proposal', lead],
    queryFn: ({ signal }) => call<Proposal>('GET', `${record('lead', lead)}/convert`, { signal }),
    // What is there may have changed since the dialog was last open.
    gcTime: 0,
  });
}

/** Makes a contact, a company and a deal of a lead, as far as they are wanted. */
export const convert = (lead: string, conversion: Partial<Conversion>) =>
  call<Converted>('POST', `${record('lead', lead)}/convert`, { body: conversion });
