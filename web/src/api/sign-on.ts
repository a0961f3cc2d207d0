/** Sign-on by a provider: which there are, and one's own. */
import { queryOptions } from '@tanstack/react-query';
import { call } from './client';
import type { ProviderFacts as Provider, SignOnFacts as SignOn } from './schema';

export const signOnsKey = ['me', 'sign-ons'] as const;

export const providersQuery = queryOptions({
  queryKey: ['sign-on-providers'],
  queryFn: ({ signal }) => call<{ providers: Provider[] }>('GET', '/sign-in/providers', { signal }),
  select: (answer) => answer.providers,
  staleTime: Number.POSITIVE_INFINITY,
});

export const signOnsQuery = queryOptions({
  queryKey: signOnsKey,
  queryFn: ({ signal }) => call<{ sign_ons: SignOn[] }>('GET', '/me/sign-ons', { signal }),
  select: (answer) => answer.sign_ons,
});

export const removeSignOn = (id: string) => call<void>('DELETE', `/me/sign-ons/${encodeURIComponent(id)}`);

/** Whether it is the last sign-on that lets its owner in: those whose provider is set up no more let nobody in. */
export const isLastWay = (signOn: SignOn, all: SignOn[]) =>
  !all.some((other) => other.id !== signOn.id && other.is_set_up);

/** What people call the provider of a sign-on. One that is set up no more has its name only, which may be another one's now. */
export const titleOf = (providers: Provider[], { provider, is_set_up }: SignOn) =>
  (is_set_up && providers.find(({ name }) => name === provider)?.title) || provider;
