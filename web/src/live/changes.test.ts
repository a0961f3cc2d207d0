import { afterEach, expect, it, vi } from 'vitest';
import { ChangesFeed, type RecordChange } from './changes';

const change = (seq: number): RecordChange => ({
  seq,
  object: 'deal',
  record: `r${seq}`,
  version: 1,
  op: 'create',
  actor: 'system',
  at: '2026-01-01T00:00:00Z',
});
const told = (one: RecordChange) => `id: ${one.seq}\nevent: change\ndata: ${JSON.stringify(one)}\n\n`;

/** A server that says these pieces and then nothing more; how often it was asked. */
function serve(...pieces: string[]) {
  const asked = vi.fn(async (_address: string, init: RequestInit) => {
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        init.signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
      },
    });
    return new Response(body);
  });
  vi.stubGlobal('fetch', asked);
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

it('all listeners hear of one connection, in one piece', async () => {
  const asked = serve('event: hello\ndata: {}\n\n', told(change(1)) + told(change(2)));
  const feed = new ChangesFeed('/changes');
  const heard = (onChanges: (changes: RecordChange[]) => void) => feed.listen({ onChanges, onResync: () => {} });
  const both = await new Promise<number[][]>((resolve) => {
    const seen: number[][] = [];
    const hear = (changes: RecordChange[]) => {
      seen.push(changes.map((one) => one.seq));
      if (seen.length === 2) resolve(seen);
    };
    heard(hear);
    heard(hear);
  });
  expect(both).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(asked).toHaveBeenCalledTimes(1);
});

it('the connection ends with the last listener, and begins anew with the next', async () => {
  const asked = serve();
  const feed = new ChangesFeed('/changes');
  const listen = () => feed.listen({ onChanges: () => {}, onResync: () => {} });
  const [first, second] = [listen(), listen()];
  first();
  expect(asked.mock.calls[0]?.[1].signal?.aborted).toBe(false);
  second();
  expect(asked.mock.calls[0]?.[1].signal?.aborted).toBe(true);
  listen()();
  expect(asked).toHaveBeenCalledTimes(2);
});
