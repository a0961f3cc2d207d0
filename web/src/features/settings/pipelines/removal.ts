/** Taking a stage or a pipeline away: first what stands in it goes elsewhere, then it goes into the trash. */
import { bulk, type Edit, type Item, page, remove, restore, undoBatch } from '~/api/records';
import { type Link, linkFilter } from '~/features/record/links';

/** Records of one request. */
const STEP = 500;

export interface Removal {
  object: 'pipeline' | 'stage';
  item: Item;
  /** The stages of a pipeline, which go with it; of a stage itself. */
  stages: Item[];
  /** What names stages: deals, and whatever else the organisation has. */
  links: Link[];
  /** The stage to which everything goes. */
  target: string | null;
}

/** Records stand in the stage by now, and nobody has said where they go. */
export class Occupied extends Error {}

/** How many records stand in the stages. */
export async function standing({ stages, links }: Pick<Removal, 'stages' | 'links'>, signal?: AbortSignal) {
  const counts = stages.flatMap((stage) =>
    links.map(async (link) => {
      const found = await page(link.object.name, { filter: linkFilter(link, stage.id), limit: 1, count: true }, signal);
      return found.total ?? 0;
    }),
  );
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Does it; the answer takes it back. What fails in between is taken back at once, so that it is done whole or not. */
export async function removeStages(removal: Removal): Promise<() => Promise<void>> {
  const done: (() => Promise<unknown>)[] = [];
  const back = async () => {
    for (const undo of done.reverse()) await undo();
  };
  try {
    for (const stage of removal.stages) {
      for (const link of removal.links) await empty(link, stage.id, removal.target, done);
      await remove('stage', stage.id);
      done.push(() => restore('stage', stage.id));
    }
    if (removal.object === 'pipeline') {
      await remove('pipeline', removal.item.id);
      done.push(() => restore('pipeline', removal.item.id));
    }
  } catch (error) {
    await back();
    throw error;
  }
  return back;
}

/** Moves what names a stage to another one, until nothing does; throws `Occupied` if there is no other one. */
async function empty({ object, field }: Link, stage: string, target: string | null, done: (() => Promise<unknown>)[]) {
  const filter = linkFilter({ object, field }, stage);
  for (;;) {
    const { records } = await page(object.name, { filter, limit: STEP, fields: object.title });
    if (records.length === 0) return;
    if (target === null) throw new Occupied();
    const edits = records.map(({ id }): Edit => ({ op: 'update', id, fields: { [field.name]: target } }));
    const { batch } = await bulk(object.name, edits);
    done.push(() => undoBatch(batch));
  }
}
