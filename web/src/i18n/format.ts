/** Numbers, spans and times in the reader's language, by `Intl`. Pure: the caller gives the present instant. */

export type Language = 'en' | 'zh';

const LOCALES: Record<Language, string> = { en: 'en-GB', zh: 'zh-CN' };
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Beyond this a date says more than "412 days ago". */
const RELATIVE_LIMIT = 7 * DAY;

const UNITS = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week' } as const;

export interface Format {
  language: Language;
  /** `1,234.5`; at most `digits` decimals (default 2). */
  number(value: number, digits?: number): string;
  /** `0.500`: always `digits` decimals (default 3), so that figures can be compared line by line. */
  figure(value: number, digits?: number): string;
  /** Short for large counts: `541.9K`. */
  compact(value: number): string;
  /** The size of a file: `12 kB`, `3.4 MB`. */
  bytes(value: number): string;
  /** A share of 1 as per cent. */
  percent(value: number, digits?: number): string;
  /** A difference of shares in percentage points, without sign. */
  points(difference: number): string;
  /** `+0.61`, `−0.2`. */
  signed(value: number, digits?: number): string;
  dateTime(iso: string): string;
  /** Date only, for narrow places. */
  date(iso: string): string;
  /** A day without a time, `2026-01-31`, whatever the zone of the reader. */
  day(iso: string): string;
  /** An amount with its currency; `digits` decimals where given, else as the currency has. */
  money(amount: number, currency: string, digits?: number): string;
  /** `3 seconds ago` within a week of `now`, else date and time. */
  relative(iso: string, now: number): string;
  /** `4 days ago` from a count of days. */
  daysAgo(days: number): string;
  /** `90 days` from `90d`; unknown forms come back unchanged. */
  span(text: string): string;
}

export function createFormat(language: Language): Format {
  const locale = LOCALES[language];
  const formats = new Map<number, Intl.NumberFormat>();
  const currencies = new Map<string, Intl.NumberFormat>();
  const numbers = (digits: number) => {
    const known = formats.get(digits) ?? new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
    formats.set(digits, known);
    return known;
  };
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const days = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  const number = (value: number, digits = 2) => numbers(digits).format(value);
  return {
    language,
    number,
    figure: (value, digits = 3) =>
      new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
    compact: (value) => (value < 100_000 ? number(value, 0) : compact.format(value)),
    bytes: (value) => {
      const power = value < 1_000 ? 0 : value < 1_000_000 ? 1 : value < 1_000_000_000 ? 2 : 3;
      const unit = (['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const)[power];
      const unitDisplay = power === 0 ? 'long' : 'short';
      const options = { style: 'unit', unit, unitDisplay, maximumFractionDigits: power > 1 ? 1 : 0 } as const;
      return new Intl.NumberFormat(locale, options).format(value / 1_000 ** power);
    },
    percent: (value, digits = 0) =>
      new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: digits }).format(value),
    points: (difference) => {
      const points = Math.abs(difference) * 100;
      return number(points, points < 1 ? 1 : 0);
    },
    signed: (value, digits = 2) => `${value < 0 ? '−' : '+'}${number(Math.abs(value), digits)}`,
    dateTime: (iso) => dateTime.format(new Date(iso)),
    date: (iso) => date.format(new Date(iso)),
    day: (iso) => {
      const at = new Date(`${iso.slice(0, 10)}T00:00:00Z`);
      return Number.isNaN(at.getTime()) ? iso : day.format(at);
    },
    money: (amount, currency, digits) => {
      try {
        const key = `${currency} ${digits}`;
        const options = { style: 'currency', currency, maximumFractionDigits: digits } as const;
        const known = currencies.get(key) ?? new Intl.NumberFormat(locale, options);
        currencies.set(key, known);
        return known.format(amount);
      } catch {
        // A code of another form than ISO 4217's.
        return `${number(amount)} ${currency}`;
      }
    },
    relative: (iso, now) => {
      const past = now - Date.parse(iso);
      if (Math.abs(past) > RELATIVE_LIMIT) return dateTime.format(new Date(iso));
      return relativeTo(ago, past);
    },
    daysAgo: (count) => days.format(-Math.round(count), 'day'),
    span: (text) => {
      const parts = /^(\d+)([smhdw])$/.exec(text);
      const unit = parts?.[2] as keyof typeof UNITS | undefined;
      if (!parts || !unit) return text;
      return new Intl.NumberFormat(locale, { style: 'unit', unit: UNITS[unit], unitDisplay: 'long' }).format(
        Number(parts[1]),
      );
    },
  };
}

function relativeTo(format: Intl.RelativeTimeFormat, past: number): string {
  // A clock that runs a little ahead of ours is no reason to say "in 2 seconds".
  const ms = past < 0 && past > -MINUTE ? 0 : past;
  const size = Math.abs(ms);
  if (size < MINUTE) return format.format(-Math.floor(ms / SECOND) || 0, 'second');
  if (size < HOUR) return format.format(-Math.floor(ms / MINUTE), 'minute');
  if (size < DAY) return format.format(-Math.floor(ms / HOUR), 'hour');
  return format.format(-Math.floor(ms / DAY), 'day');
}

/** How long until the text of `relative` can change, in ms; null if it will not. */
export function nextTick(iso: string, now: number): number | null {
  const past = now - Date.parse(iso);
  if (Math.abs(past) > RELATIVE_LIMIT) return null;
  if (past < MINUTE) return SECOND;
  if (past < HOUR) return MINUTE - (past % MINUTE);
  return HOUR - (past % HOUR);
}
