/** Which objects name a record, and how. Pure. */
import type { ObjectFact, SeenField } from '~/api/objects';
import type { Fields } from '~/api/records';

/** What people do about a record; everything else that names it belongs to it. */
const ACTIVITIES = ['note', 'task', 'meeting', 'call'];

export interface Link {
  object: ObjectFact;
  /** The field of that object that names the record. */
  field: SeenField;
}

/** All fields of all objects that lead to records of `target`. */
export function linksTo(objects: ObjectFact[], target: string): Link[] {
  return objects.flatMap((object) =>
    object.fields
      .filter((field) => !field.retired && ['relation', 'relations'].includes(field.kind.type))
      .filter((field) => field.kind.object === target)
      .map((field) => ({ object, field })),
  );
}

export const isActivity = ({ object }: Link) => ACTIVITIES.includes(object.name);

/** Whether what belongs to the record by this link are files. Files that name it otherwise are records like others. */
export const holdsFiles = ({ object, field }: Link) => object.name === 'file' && field.kind.type === 'relation';

/** Activities first, in the order in which people use them. */
export function activitiesOf(links: Link[]): Link[] {
  return ACTIVITIES.flatMap((name) => {
    // A meeting's `attendees` name contacts too; what it is about is the plain relation.
    const own = links.filter(({ object, field }) => object.name === name && field.kind.type === 'relation');
    return own.slice(0, 1);
  });
}

/** True of the records that name `id` by this link. */
export function linkFilter({ field }: Link, id: string): string {
  return field.kind.type === 'relations' ? `"${id}" in ${field.name}` : `${field.name} == "${id}"`;
}

/** What a new record has that names `id`. */
export function given({ field }: Link, id: string): Fields {
  return { [field.name]: field.kind.type === 'relations' ? [id] : id };
}
