/** One's own views and those of others, each in their order. Pure. */
import type { View } from '~/api/views';

/** Each group has an order of its own, so that it can be changed without the right to change the other. */
export function grouped(views: View[], me: string | null): { mine: View[]; others: View[] } {
  // Who has come by the link of the installation is nobody in particular, and may change what is theirs.
  const isMine = (view: View) => (me === null ? view.editable : view.owner === me);
  return { mine: views.filter(isMine), others: views.filter((view) => !isMine(view)) };
}
