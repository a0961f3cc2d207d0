/** What a role may do, as the matrix of the page writes it. Pure. */
import type { Grant, Reach, RoleDefinition } from '~/api/people';

export const NOTHING: Grant = { read: 'none', create: false, update: 'none', delete: 'none', hidden: [], locked: [] };

export type ReachName = 'none' | 'own' | 'team' | 'all' | 'condition';

export const REACHES: ReachName[] = ['none', 'own', 'team', 'all', 'condition'];

export const nameOf = (reach: Reach): ReachName => (typeof reach === 'string' ? reach : 'condition');

/** The reach of this name; a condition begins as the records that one owns. */
export const reachOf = (name: ReachName, before: Reach): Reach =>
  name !== 'condition' ? name : typeof before === 'string' ? { condition: 'owner == me()' } : before;

/** The grant that counts for an object: its own, or that of all others. */
export const grantOf = (role: RoleDefinition, object: string | null): Grant =>
  object === null ? role.other : (role.objects[object] ?? role.other);

/** The role with another grant for an object (for all others if null). One that is not read is not changed either. */
export function withGrant(role: RoleDefinition, object: string | null, grant: Grant): RoleDefinition {
  const kept: Grant = grant.read === 'none' ? { ...grant, update: 'none', delete: 'none' } : grant;
  if (object === null) return { ...role, other: kept };
  return { ...role, objects: { ...role.objects, [object]: kept } };
}

/** The role without a grant of its own for an object. */
export function withoutGrant(role: RoleDefinition, object: string): RoleDefinition {
  const { [object]: _, ...objects } = role.objects;
  return { ...role, objects };
}
