/** One way to talk to the server: calls typed by the OpenAPI document, problems as errors. */
import createClient from 'openapi-fetch';
import type { Problem, paths } from './schema';

export class ProblemError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | null,
  ) {
    super(problem?.detail ?? problem?.title ?? `status ${status}`);
  }
}

/** The server did not answer at all. */
export class NetworkError extends Error {}

const send = (request: Request) =>
  fetch(request).catch((error: unknown) => {
    // A request that the page itself gave up is no fault of the network.
    throw request.signal.aborted ? error : new NetworkError();
  });

export const api = createClient<paths>({ headers: { Accept: 'application/json' }, fetch: send });

api.use({
  onRequest({ request }) {
    // Another site's form cannot send this header, so the server refuses changes without it.
    if (request.method !== 'GET') request.headers.set('X-Rapport-Request', '1');
    return request;
  },
});

/** The body of a good answer; anything else is thrown. */
export async function told<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (!response.ok) throw new ProblemError(response.status, isProblem(error) ? error : null);
  return data as T;
}

/** What is no JSON: a file or a page. */
export async function fetchDocument(address: string): Promise<Blob> {
  const response = await send(new Request(address));
  if (response.ok) return response.blob();
  const error: unknown = await response.json().catch(() => null);
  throw new ProblemError(response.status, isProblem(error) ? error : null);
}

/** A proxy in between may answer with something else. */
function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'title' in error;
}
