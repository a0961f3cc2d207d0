/** Objects, people and values for components. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { type Field, type ObjectFact, objectsQuery, type SeenField } from '~/api/objects';
import { colleaguesQuery } from '~/api/people';
import type { Item } from '~/api/records';
import { useI18n } from '~/i18n';
import { type Reader, relatedOf, textOf } from './cell';
import { fieldsOf, held, say } from './schema';

/** The objects that the reader may see. */
export function useObjects(): ObjectFact[] {
  return useQuery(objectsQuery).data ?? NONE;
}
const NONE: ObjectFact[] = [];

/** All fields of an object by name, those of every record included. */
export function useFields(object: ObjectFact): Map<string, SeenField> {
  const { t } = useI18n();
  return useMemo(() => new Map(fieldsOf(object, t.records.system).map((field) => [field.name, field])), [object, t]);
}

/** A label in the page's language. */
export function useSay() {
  const { language } = useI18n();
  return useMemo(() => (label: Field['label']) => say(label, language), [language]);
}

/** The name of a person (`user:` or not), or of whatever else did something. */
export function usePerson(): (id: string) => string {
  const { t } = useI18n();
  const users = useQuery(colleaguesQuery).data;
  return useMemo(() => {
    const names = new Map(users?.map((user) => [user.id, user.name]));
    return (actor: string) => {
      const [kind, id] = actor.includes(':') ? actor.split(':', 2) : ['user', actor];
      if (kind === 'user' && id !== undefined) return names.get(id) ?? t.records.actors[id] ?? id;
      return `${t.records.actors[kind ?? ''] ?? kind} ${id ?? ''}`.trim();
    };
  }, [users, t]);
}

/** How values read, as text. */
export function useReader(): Reader {
  const { t, format, language } = useI18n();
  const person = usePerson();
  return useMemo(
    () => ({ language, format, yes: t.values.yes, no: t.values.no, person }),
    [language, format, t, person],
  );
}

/** A record's field as text. */
export function useText(): (item: Item, field: Field) => string {
  const reader = useReader();
  return useMemo(
    () => (item, field) => textOf(field, held(item, field.name), reader, relatedOf(item, field.name)),
    [reader],
  );
}
