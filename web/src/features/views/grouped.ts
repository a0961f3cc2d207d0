/** One's own views and those of others, each in their order. Pure. */
import type { View } from '~/api/views';

/** Each group has an order of its own, so that it can be changed without the right to change the other. */
export function grouped(views: View[], me: string | null): { mine: View[]; others: View[] } {
  return { mine: views.filter((view) => view.owner === me), others: views.filter((view) => view.owner !== me) };
}
