/** Values of records as text in the reader's language. Pure. */
import type { Field } from '~/api/objects';
import type { Item, Related } from '~/api/records';
import type { Format, Language } from '~/i18n/format';
import { say } from './schema';

export interface Money {
  amount: number | string;
  currency: string;
}

export interface Address {
  street?: string;
  city?: string;
  region?: string;
  postcode?: string;
  country?: string;
}

/** What a cell needs to know besides the value. */
export interface Reader {
  language: Language;
  format: Format;
  yes: string;
  no: string;
  /** The name of a person, or of whatever did something. */
  person(id: string): string;
}

export function isMoney(value: unknown): value is Money {
  return typeof value === 'object' && value !== null && 'amount' in value && 'currency' in value;
}

/** The titles of the records that a field names, by id. */
export function relatedOf(item: Pick<Item, 'related'>, name: string): Related[] {
  const found = item.related?.[name];
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}

/** A value as text; empty for no value. */
export function textOf(field: Field, value: unknown, reader: Reader, related: Related[] = []): string {
  if (value === null || value === undefined || value === '') return '';
  const { format, language } = reader;
  const option = (one: unknown) => {
    const known = field.kind.options?.find((choice) => choice.value === one);
    return known ? say(known.label, language) : String(one);
  };
  const title = (id: unknown) => related.find((one) => one.id === id)?.title ?? String(id);
  switch (field.kind.type) {
    case 'number':
    case 'formula':
      return isMoney(value) ? format.money(Number(value.amount), value.currency) : plain(value, format);
    case 'money':
      return isMoney(value) ? format.money(Number(value.amount), value.currency) : plain(value, format);
    case 'date':
      return format.day(String(value));
    case 'date_time':
      return format.dateTime(String(value));
    case 'boolean':
      return value === true ? reader.yes : reader.no;
    case 'choice':
      return option(value);
    case 'multi_choice':
      return listed(value, option, language);
    case 'emails':
    case 'phones':
      return listed(value, String, language);
    case 'relation':
    case 'file':
      return title(value);
    case 'relations':
      return listed(value, title, language);
    case 'user':
    case 'actor':
      return reader.person(String(value));
    case 'address':
      return addressText(value as Address);
    case 'json':
      return JSON.stringify(value);
    default:
      return String(value);
  }
}

function plain(value: unknown, format: Format): string {
  return typeof value === 'number' ? format.number(value) : String(value);
}

function listed(value: unknown, say: (one: unknown) => string, language: Language): string {
  return Array.isArray(value) ? value.map(say).join(language === 'zh' ? '、' : ', ') : say(value);
}

function addressText(address: Address): string {
  const { street, postcode, city, region, country } = address;
  const place = [postcode, city].filter(Boolean).join(' ');
  return [street, place, region, country].filter(Boolean).join(', ');
}

/** Sums of a column by currency, the largest first; `''` is for numbers without one. */
export function sumsText(sums: Record<string, number>, format: Format): string {
  return Object.entries(sums)
    .sort(([, one], [, other]) => other - one)
    .map(([currency, sum]) => (currency === '' ? format.number(sum) : format.money(sum, currency, 0)))
    .join(' · ');
}
