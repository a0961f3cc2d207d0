/** Between what inputs hold and what records hold. Pure. */

/** An instant as `<input type="datetime-local">` holds it, in the zone of the reader; empty for none. */
export function toLocal(iso: unknown): string {
  if (typeof iso !== 'string') return '';
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${String(at.getFullYear()).padStart(4, '0')}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The instant of a `datetime-local` input; null for none. */
export function fromLocal(text: string): string | null {
  const at = new Date(text);
  return text === '' || Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** A text without spaces around it; null for none. */
export const textOrNone = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** Whether two values of a field are the same. */
export function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** The parts that have a value; null if none has. */
export function partsOrNone(parts: Record<string, string | undefined>): Record<string, string> | null {
  const kept = Object.entries(parts).filter((part): part is [string, string] => !!part[1]?.trim());
  return kept.length === 0 ? null : Object.fromEntries(kept);
}
