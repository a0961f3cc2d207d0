/** What stands in the address of the sign-in page. */
export interface SignInSearch {
  /** Of a one-time link. */
  token?: string;
  /** Where to go on afterwards: a place of these pages. */
  from?: string;
  /** Why a sign-on did not work, as a word, and with which provider. */
  refused?: string;
  provider?: string;
}

/** A path, and not one that a browser takes for another site. */
const OWN_PLACE = /^\/(?![/\\])/;

export function readSignIn(search: Record<string, unknown>): SignInSearch {
  const text = (name: string) => (typeof search[name] === 'string' ? search[name] : undefined);
  const from = text('from');
  return {
    token: text('token'),
    from: from !== undefined && OWN_PLACE.test(from) ? from : undefined,
    refused: text('refused'),
    provider: text('provider'),
  };
}
