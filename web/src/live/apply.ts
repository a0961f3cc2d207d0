/** Puts changes into what the pages hold. Pure; returns the same object where nothing changed, so nothing is drawn. */
import type { Customer, CustomerRow, ScoreFact } from '~/api/schema';
import { type CustomerChange, later } from './batch';
import type { ScoreEffect } from './effect';

/** A row of the customers list after `change`. */
export function applyToRow(row: CustomerRow, change: CustomerChange): CustomerRow {
  const segments = applySegments(row.segments, change);
  const score = applyRowScore(row, change);
  const lastSeen = change.lastSeen === null ? row.last_seen : later(row.last_seen, change.lastSeen);
  const name = change.name ?? row.name;
  if (segments === row.segments && score === row.score && lastSeen === row.last_seen && name === row.name) return row;
  return { ...row, segments, score, name, last_seen: lastSeen };
}

/** A customer's page after `change`; features and attributes do not travel with effects and stay as they are. */
export function applyToCustomer(customer: Customer, change: CustomerChange): Customer {
  return {
    ...customer,
    segments: applySegments(customer.segments, change),
    scores: applyScores(customer.scores, change),
    last_seen: change.lastSeen === null ? customer.last_seen : later(customer.last_seen, change.lastSeen),
    name: change.name ?? customer.name,
  };
}

/** Whether `change` is about this customer under any of its ids. */
export function concerns(customer: Pick<Customer, 'id' | 'ids'>, change: CustomerChange): boolean {
  return change.customer === customer.id || customer.ids.includes(change.customer);
}

function applyRowScore(row: CustomerRow, change: CustomerChange): CustomerRow['score'] {
  const effect = row.score ? change.scores.get(row.score.name) : [...change.scores.values()][0];
  if (!effect || isOlder(effect, row.score)) return row.score;
  const { name, value, model_version } = effect.score;
  return { name, value, model_version, computed_at: effect.at };
}

function applyScores(scores: ScoreFact[], change: CustomerChange): ScoreFact[] {
  const effects = [...change.scores.values()];
  const known = scores.map((score) => {
    const effect = change.scores.get(score.name);
    return effect && !isOlder(effect, score) ? moved(score, effect) : score;
  });
  const fresh = effects.filter((effect) => !scores.some((score) => score.name === effect.score.name));
  return [...known, ...fresh.map((effect) => moved(null, effect))];
}

function moved(score: ScoreFact | null, effect: ScoreEffect): ScoreFact {
  const { name, value, model_version, reasons } = effect.score;
  // Calibration belongs to a model version; that of another version would be a wrong claim.
  const calibration = score && score.model_version === model_version ? score.calibration : null;
  return { name, value, model_version, reasons, calibration, computed_at: effect.at, cause: effect.cause };
}

/** After a fetch, effects from before it may still arrive; they must not turn the score back. */
function isOlder(effect: ScoreEffect, score: { computed_at: string } | null): boolean {
  return score !== null && Date.parse(effect.at) < Date.parse(score.computed_at);
}

function applySegments(segments: string[], change: CustomerChange): string[] {
  let result = segments;
  for (const [segment, inside] of change.segments) {
    const has = result.includes(segment);
    if (inside && !has) result = [...result, segment];
    else if (!inside && has) result = result.filter((name) => name !== segment);
  }
  return result;
}
