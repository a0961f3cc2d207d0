import { expect, it } from 'vitest';
import type { Edit, Item } from '~/api/records';
import { OrderWriter } from './order-writer';

const item = (id: string, position: number) => ({ id, version: 1, fields: { position } }) as unknown as Item;

/** A server that answers when it is told to, and refuses what is meant for another version. */
function server(...items: Item[]) {
  const records = new Map(items.map((one) => [one.id, one]));
  const waiting: (() => void)[] = [];
  let settled = 0;
  const write = async (edits: Edit[]) => {
    await new Promise<void>((answer) => waiting.push(answer));
    const changed = edits.map((edit) => {
      const known = edit.op === 'update' && records.get(edit.id);
      if (!known || edit.version !== known.version) throw new Error('another version');
      return { ...known, version: known.version + 1, fields: { ...known.fields, ...edit.fields } };
    });
    for (const one of changed) records.set(one.id, one);
    return changed;
  };
  const order = () => [...records.values()].sort((a, b) => Number(a.fields.position) - Number(b.fields.position));
  return {
    writer: new OrderWriter(write, async () => {
      settled += 1;
    }),
    /** Lets the write that is waited for be done, once it has begun. */
    answer: async () => {
      while (waiting.length === 0) await Promise.resolve();
      waiting.shift()?.();
    },
    records,
    order: () =>
      order()
        .map((one) => one.id)
        .join(''),
    settled: () => settled,
  };
}

it('of orders that come while one is written only the last is written, for the versions that are left', async () => {
  const [a, b, c] = [item('a', 1), item('b', 2), item('c', 3)];
  const { writer, answer, records, order, settled } = server(a, b, c);
  const first = writer.put([b, a, c]);
  expect(await writer.put([b, c, a])).toBe(false);
  expect(await writer.put([c, b, a])).toBe(false);
  await answer();
  await answer();
  expect(await first).toBe(true);
  expect(order()).toBe('cba');
  expect([...records.values()].map((one) => one.version)).toEqual([3, 3, 2]);
  expect(settled()).toBe(1);
});

it('what is asked for again with an older state is written for the newest', async () => {
  const [a, b] = [item('a', 1), item('b', 2)];
  const { writer, answer, order } = server(a, b);
  const once = writer.put([b, a]);
  await answer();
  await once;
  const again = writer.put([a, b]);
  await answer();
  await again;
  expect(order()).toBe('ab');
});

it('after a failure what waits is dropped, and the next order is written', async () => {
  const [a, b] = [item('a', 1), item('b', 2)];
  const { writer, answer, records, order, settled } = server(a, b);
  records.set('a', { ...a, version: 7 });
  const first = writer.put([b, a]);
  await writer.put([a, b]);
  await answer();
  await expect(first).rejects.toThrow('another version');
  expect(settled()).toBe(1);
  const next = writer.put([b, { ...a, version: 7 }]);
  await answer();
  await next;
  expect(order()).toBe('ba');
});

it('an order that is written already is not written again', async () => {
  const [a, b] = [item('a', 1), item('b', 2)];
  const { writer, settled } = server(a, b);
  expect(await writer.put([a, b])).toBe(true);
  expect(settled()).toBe(1);
});
