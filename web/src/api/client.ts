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

/** What a call of the records API may carry besides its method and path. */
export interface Sent {
  query?: Record<string, string | number | boolean | null | undefined>;
  /** JSON; a file goes as it is. */
  body?: unknown;
  /** The version that a change is meant for: another one is refused. */
  version?: number;
  signal?: AbortSignal;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The full address of a path of the records API. Empty parts of the query are left out. */
export function addressOf(path: string, query: Sent['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return `/api/v1${path}${text === '' ? '' : `?${text}`}`;
}

/** Calls the records API: a good answer's JSON, undefined where there is none; anything else is thrown. */
export async function call<T>(method: Method, path: string, sent: Sent = {}): Promise<T> {
  const headers = new Headers({ Accept: 'application/json' });
  if (method !== 'GET') headers.set('X-Rapport-Request', '1');
  if (sent.version !== undefined) headers.set('If-Match', `"${sent.version}"`);
  const isFile = sent.body instanceof Blob;
  if (sent.body !== undefined) headers.set('Content-Type', isFile ? 'application/octet-stream' : 'application/json');
  const body = isFile ? (sent.body as Blob) : sent.body === undefined ? undefined : JSON.stringify(sent.body);
  const address = new URL(addressOf(path, sent.query), window.location.origin);
  const response = await send(new Request(address, { method, headers, body, signal: sent.signal }));
  const text = await response.text();
  const data: unknown = text === '' ? undefined : readJson(text);
  if (!response.ok) throw new ProblemError(response.status, isProblem(data) ? data : null);
  return data as T;
}

/** None where a proxy in between answered with a page. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
