import { afterEach, expect, it, vi } from 'vitest';
import type { Job } from '~/api/schema';
import { followJob } from './follow-job';

const job = (state: Job['state'], progress: number): Job => ({
  id: '7',
  score: 's',
  started_at: '2026-01-01T00:00:00Z',
  state,
  progress,
  step: 'fitting',
  best: null,
  trials: 0,
  version: null,
  error: null,
});

const answer = (text: string, status = 200) => vi.stubGlobal('fetch', async () => new Response(text, { status }));

const states = async () => {
  const seen: Job[] = [];
  await followJob('7', new AbortController().signal, (one) => seen.push(one));
  return seen.map((one) => [one.state, one.progress]);
};

afterEach(() => vi.unstubAllGlobals());

it('tells each state of a training until its stream ends', async () => {
  const told = [job('running', 0.5), job('done', 1)].map((one) => `event: job\ndata: ${JSON.stringify(one)}\n\n`);
  answer(told.join(': at work\n\n'));
  expect(await states()).toEqual([
    ['running', 0.5],
    ['done', 1],
  ]);
});

it('tells nothing of a training that is not known', async () => {
  answer('{}', 404);
  expect(await states()).toEqual([]);
});
