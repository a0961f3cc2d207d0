/** What is chosen for a part of a lead that is converted. Pure. */
import type { Conversion, ConversionPart, Similar } from '~/api/duplicates';

/** A proposal's id, one that is looked for, a new record, or none. */
export type Choice =
  | { kind: 'new' }
  | { kind: 'none' }
  | { kind: 'found'; id: string }
  | { kind: 'other'; id: string | null };

/** From this likeness on (0 to 100) a record that is there is chosen at first: the same that puts a pair into the queue. */
const ALIKE = 70;

/** What is chosen at first: a record that is there if one is very like the lead, else a new one if one can be made. */
export function begun(found: Similar[], mayMake: boolean): Choice {
  const [best] = found;
  if (best && best.score >= ALIKE) return { kind: 'found', id: best.id };
  return { kind: mayMake ? 'new' : 'none' };
}

/** What the server is told; another record that is not chosen yet is nothing. */
export function partOf(choice: Choice): ConversionPart | null {
  if (choice.kind === 'found' || choice.kind === 'other') return choice.id === null ? null : { existing: choice.id };
  return choice.kind;
}

/** Whether all is chosen, and the lead becomes anything. */
export function becomes(
  wanted: Record<'company' | 'contact', ConversionPart | null> & Pick<Conversion, 'deal'>,
): wanted is Conversion {
  const { company, contact, deal } = wanted;
  if (company === null || contact === null) return false;
  return company !== 'none' || contact !== 'none' || deal !== null;
}
