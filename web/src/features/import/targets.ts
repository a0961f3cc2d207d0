/** Where a column of a file can go, as choices of the page. Pure. */
import type { Target } from '~/api/imports';
import type { ObjectFact, SeenField } from '~/api/objects';
import { isEditable } from '~/records/schema';

/** A target as the value of a choice; whether missing records are made stands apart from it. */
export function keyOf(target: Target): string {
  switch (target.to) {
    case 'part':
      return `part ${target.field} ${target.part}`;
    case 'relation':
      return `relation ${target.field} ${target.by}`;
    case 'field':
    case 'person':
      return `${target.to} ${target.field}`;
    default:
      return target.to;
  }
}

export function targetOf(key: string): Target {
  const [to, field = '', more = ''] = key.split(' ');
  switch (to) {
    case 'id':
      return { to };
    case 'field':
    case 'person':
      return { to, field };
    case 'part':
      return { to, field, part: more };
    case 'relation':
      return { to, field, by: more, create: false };
    default:
      return { to: 'skip' };
  }
}

export interface Choice {
  value: string;
  field: SeenField;
  /** A part of the field, or the field by which its records are found. */
  more?: string;
}

const ADDRESS = ['street', 'city', 'region', 'postcode', 'country'];

/** Every place of an object that a column can fill. */
export function choicesOf(fields: Iterable<SeenField>, objects: ObjectFact[]): Choice[] {
  return [...fields].filter(isEditable).flatMap((field): Choice[] => {
    const part = (more: string): Choice => ({ value: `part ${field.name} ${more}`, field, more });
    switch (field.kind.type) {
      case 'user':
        return [{ value: `person ${field.name}`, field }];
      case 'relation':
      case 'relations': {
        const there = objects.find((one) => one.name === field.kind.object);
        // A record is found by what names it, or by what no other has; a stage also by how its deals ended.
        const finds = (one: SeenField) =>
          one.name === there?.title ||
          one.unique ||
          one.kind.type === 'email' ||
          (there?.name === 'stage' && one.name === 'outcome');
        const by = there?.fields.filter((one) => !one.retired && finds(one));
        return ['id', ...(by ?? []).map((one) => one.name)].map((more) => ({
          value: `relation ${field.name} ${more}`,
          field,
          more,
        }));
      }
      case 'money':
        return [{ value: `field ${field.name}`, field }, part('amount'), part('currency')];
      case 'address':
        return ADDRESS.map(part);
      default:
        return [{ value: `field ${field.name}`, field }];
    }
  });
}
