/** One way to talk to the server: JSON in and out, problems as errors. */
import type { Problem } from './types';

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

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-Rapport-Request'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(path, init).catch(() => {
    throw new NetworkError();
  });
  const text = await response.text();
  const json = text === '' ? null : parsed(text);
  if (!response.ok) throw new ProblemError(response.status, json as Problem | null);
  return json as T;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
