/** How algorithms, figures and models are called in the page's language. */
import type { Model } from '~/api/schema';
import type { Messages } from '~/i18n/en';

const words = (name: string) => name.replace(/_/g, ' ');

export const algorithmName = (t: Messages, name: string) => t.models.algorithms[name] ?? words(name);

export const figureName = (t: Messages, name: string) => t.models.figures[name] ?? words(name);

/** A figure of the evaluation, if it is there and a number. */
export function figure(model: Pick<Model, 'metrics'>, name: string): number | undefined {
  const value = model.metrics[name];
  return typeof value === 'number' ? value : undefined;
}
