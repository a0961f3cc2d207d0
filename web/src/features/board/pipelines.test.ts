import { expect, it } from 'vitest';
import type { ObjectFact, SeenField } from '~/api/objects';
import type { BoardColumn, Item } from '~/api/records';
import { columnsOf, ofPipeline, pipelinePath, readPipeline } from './pipelines';

const ID = '0jz1m8q4r2a5c';
const field = (name: string, object: string) =>
  ({ name, kind: { type: 'relation', object }, retired: false }) as SeenField;
const stage = field('stage', 'stage');

it('the pipeline is named by the record, or by its stage', () => {
  const deal = { fields: [field('pipeline', 'pipeline'), stage] } as unknown as ObjectFact;
  expect(pipelinePath(deal, stage)).toBe('pipeline');
  expect(pipelinePath({ fields: [stage] } as unknown as ObjectFact, stage)).toBe('stage.pipeline');
  expect(pipelinePath(deal, field('status', 'other'))).toBeNull();
});

it.each(['', 'amount > 1', 'amount > 1 || (name == "a")', `pipeline == "${ID}" && amount > 1`])(
  'the filter %j is the same after it was kept with its pipeline',
  (filter) => {
    for (const path of ['pipeline', 'stage.pipeline', 'phase2.pipeline']) {
      expect(readPipeline(ofPipeline(filter, path, ID), path)).toEqual({ filter, pipeline: ID });
    }
  },
);

it.each(['amount > 1', `company == "${ID}"`, `pipeline == "${ID}" && amount > 1`, ''])(
  '%j names no pipeline',
  (filter) => {
    expect(readPipeline(filter, 'pipeline')).toEqual({ filter });
    expect(readPipeline(filter, null)).toEqual({ filter });
  },
);

it('the columns are the stages of the pipeline, and what holds records', () => {
  const column = (value: string | null, count: number) => ({ value, count }) as BoardColumn;
  const stages = [
    { id: 'a', fields: { pipeline: 'p' } },
    { id: 'b', fields: { pipeline: 'q' } },
  ] as unknown as Item[];
  const shown = columnsOf([column('a', 0), column('b', 0), column('gone', 1), column(null, 0)], stages, 'p');
  expect(shown.map((one) => one.value)).toEqual(['a', 'gone']);
});
