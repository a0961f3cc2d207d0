import { expect, it } from 'vitest';
import type { SignOnFacts } from './schema';
import { isLastWay } from './sign-on';

const signOn = (id: string, provider: string): SignOnFacts => ({ id, provider, linked_at: '', used_at: '' });

it('counts only sign-ons whose provider is set up', () => {
  const providers = ['google', 'okta'].map((name) => ({ name, title: name }));
  const [google, okta] = [signOn('1', 'google'), signOn('2', 'okta')];
  const [gone, other] = [signOn('3', 'gone'), signOn('4', 'other')];
  const left = (all: SignOnFacts[]) => all.filter((one) => isLastWay(one, all, providers)).map((one) => one.id);
  expect(left([google])).toEqual(['1']);
  expect(left([google, okta])).toEqual([]);
  expect(left([google, gone])).toEqual(['1']);
  expect(left([gone, other])).toEqual(['3', '4']);
  expect(left([google, gone, other])).toEqual(['1']);
  expect(left([google, signOn('5', 'google')])).toEqual([]);
});
