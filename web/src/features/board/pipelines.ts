/** Boards of stages go by pipeline: one is chosen, and only its stages are columns. Pure. */
import type { ObjectFact, SeenField } from '~/api/objects';
import type { BoardColumn, Item } from '~/api/records';
import { both } from '~/records/condition';
import { keyOf } from './moves';

/** A pipeline's id is letters and digits. */
const KEPT = /^(?:\((?<filter>.*)\) && \()?(?<path>[a-z0-9_.]+) == "(?<id>[0-9a-z]+)"\)?$/s;

/** What names the pipeline of an object's records: its own field, or that of its stage; none if its board has no stages. */
export function pipelinePath(object: ObjectFact, group: SeenField): string | null {
  if (group.kind.object !== 'stage') return null;
  const own = object.fields.find((field) => !field.retired && field.kind.object === 'pipeline');
  return own?.name ?? `${group.name}.pipeline`;
}

/** The filter of a board's records. */
export const ofPipeline = (filter: string, path: string, id: string): string => both(filter, `${path} == "${id}"`);

/** A kept filter taken apart into the pipeline and the rest, as `ofPipeline` put them together. */
export function readPipeline(kept: string, path: string | null): { filter: string; pipeline?: string } {
  const found = path === null ? null : KEPT.exec(kept)?.groups;
  if (!found || found.path !== path) return { filter: kept };
  return { filter: found.filter ?? '', pipeline: found.id };
}

/** The columns of one pipeline: its stages, and whatever else holds records. */
export function columnsOf(columns: BoardColumn[], stages: Item[], pipeline: string): BoardColumn[] {
  const own = new Set(stages.filter((stage) => stage.fields.pipeline === pipeline).map((stage) => stage.id));
  return columns.filter((column) => own.has(keyOf(column)) || column.count > 0);
}
