/** Sign-on by a provider, in English. */
export const signOnTexts = {
  signOn: {
    continueWith: (provider: string) => `Continue with ${provider}`,
    orPassword: 'or by e-mail address and password',
    failed: (provider: string) => `Signing on with ${provider} did not work`,
    failedSomewhere: 'Signing on did not work',
    /** By the word that the server gives for its reason. */
    reasons: {
      cancelled: 'You were not signed on there. Try again, or sign in another way.',
      domain: 'Only e-mail addresses of this organisation are let in, and only if the provider has verified them.',
      expired: 'It took too long, or was begun in another window. Try again.',
      failed: 'Something is wrong on our side. Try again; if it stays, tell an administrator.',
      inactive: 'Your account here was deactivated. Ask an administrator.',
      linked:
        'Your account here is tied to another sign-on of this provider. Sign in with your password and unlink it in your account, or ask an administrator for a password.',
      own_address:
        'The account with your e-mail address was not given it by an administrator. Ask one to confirm the address among the people in the settings.',
      rate: 'There were too many failures. Wait a while, then try again.',
      refused: 'The provider refused. Try again; if it stays, tell an administrator.',
      unknown:
        'Nobody here has an account with your e-mail address, or the provider has not verified it. Ask an administrator to invite you.',
      unreachable: 'The provider cannot be reached. Try again later, or sign in another way.',
      untrusted: 'What the provider says of you cannot be verified. Tell an administrator.',
    } as Record<string, string>,
    title: 'Sign-on',
    help: 'By these you come in without a password. What is unlinked is linked again when it is next used with the same e-mail address.',
    needsPassword: 'Set a password first: without one nothing else lets you in.',
    isOver: 'Not set up here any more: it lets nobody in',
    since: 'Linked',
    lastUsed: 'Last used',
    unlink: (provider: string) => `Unlink ${provider}`,
    unlinked: (provider: string) => `${provider} is unlinked`,
    provider: 'Provider',
  },
};
