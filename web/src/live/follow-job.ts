/** Follows one training by its server-sent events, from where it is until it ends. */
import type { Job } from '~/api/schema';
import { StreamParser } from './parse';

/**
 * Calls `onJob` with each state. Comes back when the stream ends, which it also does when the connection breaks: whether
 * the training itself has ended is told by the last state.
 */
export async function followJob(id: string, signal: AbortSignal, onJob: (job: Job) => void): Promise<void> {
  const response = await fetch(`/v1/models/jobs/${encodeURIComponent(id)}/events`, {
    headers: { Accept: 'text/event-stream' },
    cache: 'no-store',
    signal,
  });
  if (!response.ok || !response.body) return;
  const parser = new StreamParser();
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    for (const message of parser.push(decoder.decode(value, { stream: true }))) {
      if (message.event === 'job') onJob(JSON.parse(message.data) as Job);
    }
  }
}
