import { expect, it } from 'vitest';
import type { RoleDefinition } from '~/api/people';
import { grantOf, NOTHING, nameOf, reachOf, withGrant, withoutGrant } from './grants';

const role: RoleDefinition = {
  name: 'r',
  administrator: false,
  transfer: false,
  objects: { deal: { ...NOTHING, read: 'team', update: 'own', hidden: ['amount'] } },
  other: { ...NOTHING, read: 'all' },
};

it('an object without a grant of its own has that of all others', () => {
  expect(grantOf(role, 'deal').hidden).toEqual(['amount']);
  expect(grantOf(role, 'contact')).toBe(role.other);
  expect(grantOf(withoutGrant(role, 'deal'), 'deal')).toBe(role.other);
});

it('what is not read is neither changed nor deleted', () => {
  const after = withGrant(role, 'deal', { ...grantOf(role, 'deal'), read: 'none', delete: 'all' });
  expect(after.objects.deal).toMatchObject({ read: 'none', update: 'none', delete: 'none', hidden: ['amount'] });
  expect(withGrant(role, null, { ...role.other, create: true }).other.create).toBe(true);
});

it('a condition that was written stays when it is chosen again', () => {
  expect(reachOf('condition', 'all')).toEqual({ condition: 'owner == me()' });
  expect(reachOf('condition', { condition: 'x == 1' })).toEqual({ condition: 'x == 1' });
  expect([nameOf('own'), nameOf({ condition: 'x' })]).toEqual(['own', 'condition']);
});
