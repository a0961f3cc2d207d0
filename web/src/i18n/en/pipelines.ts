/** Pipelines and their stages, in English. */
import { s } from './plural';

export const pipelinesTexts = {
  pipelines: {
    lead: 'A deal goes through the stages of its pipeline. Drag stages and pipelines by their handle, or move them with the arrow keys.',
    add: 'New pipeline',
    addStage: 'New stage',
    stagesOf: (pipeline: string) => `Stages of ${pipeline}`,
    edit: (name: string) => `Edit ${name}`,
    edited: (name: string) => `${name} is changed`,
    remove: (name: string) => `Delete ${name}`,
    removed: (name: string) => `${name} is in the trash`,
    standing: (n: number, count: string) =>
      n === 0 ? 'Nothing stands in it.' : `${count} ${s(n, 'record stands', 'records stand')} in it.`,
    occupied: 'Records have come into it meanwhile. Choose where they go.',
    goesTo: 'They go to',
    ordered: 'The order is changed',
    rots: (n: number, count: string) => `stale after ${count} ${s(n, 'day', 'days')}`,
  },
};
