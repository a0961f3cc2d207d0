import { expect, it } from 'vitest';
import type { SignOnFacts } from './schema';
import { isLastWay, titleOf } from './sign-on';

const signOn = (id: string, is_set_up: boolean, provider = 'google'): SignOnFacts => ({
  id,
  provider,
  is_set_up,
  linked_at: '',
  used_at: '',
});

it('counts only sign-ons whose provider is set up, whatever it is called', () => {
  const [one, two] = [signOn('1', true), signOn('2', true)];
  const [gone, other] = [signOn('3', false), signOn('4', false)];
  const left = (all: SignOnFacts[]) => all.filter((each) => isLastWay(each, all)).map((each) => each.id);
  expect(left([one])).toEqual(['1']);
  expect(left([one, two])).toEqual([]);
  expect(left([one, gone])).toEqual(['1']);
  expect(left([gone, other])).toEqual(['3', '4']);
  expect(left([one, gone, other])).toEqual(['1']);
});

it('gives a sign-on the title of its own provider only', () => {
  const providers = [{ name: 'google', title: 'Google Workspace' }];
  expect(titleOf(providers, signOn('1', true))).toBe('Google Workspace');
  // The name stayed, the issuer behind it is another one.
  expect(titleOf(providers, signOn('1', false))).toBe('google');
  expect(titleOf(providers, signOn('1', true, 'okta'))).toBe('okta');
  expect(titleOf([], signOn('1', true))).toBe('google');
});
