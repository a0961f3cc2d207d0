/** How a probability is written: never as a certainty that a model cannot have. */
import type { Format } from '~/i18n/format';

export function probability(format: Format, value: number): string {
  if (value > 0.99) return `>${format.percent(0.99)}`;
  if (value < 0.001) return `<${format.percent(0.001, 1)}`;
  return format.percent(value, value < 0.1 ? 1 : 0);
}
