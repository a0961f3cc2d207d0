/** What a condition on an object can name: its fields, and those of the records that its relations lead to. */
import { useMemo } from 'react';
import type { Field, KindName, ObjectFact } from '~/api/objects';
import { operatorsOf } from './condition';
import { useFields, useObjects, useSay } from './reader';

export interface Path {
  path: string;
  label: string;
  field: Field;
}

export interface Paths {
  groups: { group: string; items: { value: string; label: string }[] }[];
  at(path: string): Path | undefined;
  kindOf(path: string): KindName | undefined;
}

export function usePaths(object: ObjectFact): Paths {
  const objects = useObjects();
  const fields = useFields(object);
  const say = useSay();
  return useMemo(() => {
    const asked = (field: Field) => operatorsOf(field.kind.type).length > 0;
    const own = [...fields.values()]
      .filter(asked)
      .map((field): Path => ({ path: field.name, label: say(field.label), field }));
    const behind = own.flatMap(({ field }) => {
      const target = field.kind.type === 'relation' && objects.find((one) => one.name === field.kind.object);
      if (!target) return [];
      const there = target.fields.filter((one) => !one.retired && asked(one) && one.kind.type !== 'relations');
      return there.map((one): Path => {
        return { path: `${field.name}.${one.name}`, label: `${say(field.label)} → ${say(one.label)}`, field: one };
      });
    });
    const all = new Map([...own, ...behind].map((one) => [one.path, one]));
    const options = (paths: Path[]) => paths.map(({ path, label }) => ({ value: path, label }));
    const relations = own.filter(({ field }) => behind.some((one) => one.path.startsWith(`${field.name}.`)));
    const groups = [
      { group: say(object.label), items: options(own) },
      ...relations.map(({ label, path }) => ({
        group: label,
        items: options(behind.filter((one) => one.path.startsWith(`${path}.`))),
      })),
    ];
    return { groups, at: (path) => all.get(path), kindOf: (path) => all.get(path)?.field.kind.type };
  }, [object, objects, fields, say]);
}
