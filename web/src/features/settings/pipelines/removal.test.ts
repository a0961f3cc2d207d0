import { beforeEach, expect, it, vi } from 'vitest';
import type { ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import { Occupied, removeStages } from './removal';

/** The deals of each stage, as the server has them. */
let deals: Map<string, string[]>;
let log: string[];

vi.mock('~/api/records', () => ({
  page: async (_object: string, { filter }: { filter: string }) => {
    const stage = /"(.*)"/.exec(filter)?.[1] ?? '';
    return { records: (deals.get(stage) ?? []).map((id) => ({ id })) };
  },
  bulk: async (_object: string, edits: { id: string; fields: { stage: string } }[]) => {
    for (const { id, fields } of edits) {
      for (const [stage, ids] of deals)
        deals.set(
          stage,
          ids.filter((one) => one !== id),
        );
      deals.set(fields.stage, [...(deals.get(fields.stage) ?? []), id]);
    }
    return { batch: 'b' };
  },
  remove: async (object: string, id: string) => log.push(`remove ${object} ${id}`),
  restore: async (object: string, id: string) => log.push(`restore ${object} ${id}`),
  undoBatch: async (batch: string) => log.push(`undo ${batch}`),
}));

const stage = (id: string) => ({ id, fields: {} }) as Item;
const links = [
  {
    object: { name: 'deal', title: 'name' } as ObjectFact,
    field: { name: 'stage', kind: { type: 'relation', object: 'stage' } } as SeenField,
  },
];
const removal = (stages: string[], target: string | null) =>
  removeStages({ object: 'pipeline', item: stage('p'), stages: stages.map(stage), links, target });

beforeEach(() => {
  deals = new Map();
  log = [];
});

it('deals go to the target before their stage goes, and come back', async () => {
  deals.set('a', ['one', 'two']);
  const back = await removal(['a'], 'z');
  expect(deals.get('z')).toEqual(['one', 'two']);
  await back();
  expect(log).toEqual(['remove stage a', 'remove pipeline p', 'restore pipeline p', 'restore stage a', 'undo b']);
});

it('a stage into which deals have come is not removed without a target, nor is what went before it', async () => {
  deals.set('b', ['late']);
  await expect(removal(['a', 'b'], null)).rejects.toBeInstanceOf(Occupied);
  expect(log).toEqual(['remove stage a', 'restore stage a']);
  expect(deals.get('b')).toEqual(['late']);
});
