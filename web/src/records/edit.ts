/** Changing a field of a record: shown at once, sent for the version that was seen, taken back with one click. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { call, ProblemError } from '~/api/client';
import type { Field, ObjectFact } from '~/api/objects';
import { type Item, itemKey, type Related, update } from '~/api/records';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { patchRecords } from './cache';
import { relatedOf, textOf } from './cell';
import { same } from './input-value';
import { useReader, useSay } from './reader';
import { held } from './schema';

/** Whether somebody else has changed the record since it was read. */
const isStale = (error: unknown) =>
  error instanceof ProblemError && (error.status === 412 || (error.status === 409 && error.problem?.code === 'stale'));

export type Save = (item: Item, field: Field, value: unknown, related?: Related[]) => Promise<void>;

/** `item` with another value in a field. The owner and the team stand beside the fields. */
export function withValue(item: Item, name: string, value: unknown, related: Related[] = []): Item {
  const titles = { ...item.related, [name]: related };
  if (name === 'owner' || name === 'team') return { ...item, [name]: value, related: titles };
  const { [name]: _, ...others } = item.fields;
  const fields = value === null || value === undefined ? others : { ...others, [name]: value };
  return { ...item, fields, related: titles };
}

export function useSave(object: ObjectFact): Save {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const reader = useReader();
  const say = useSay();
  return useCallback(
    async function save(item, field, value, related = [], undoing = false): Promise<void> {
      const name = field.name;
      const before = held(item, name) ?? null;
      if (same(before, value)) return;
      const label = say(field.label);
      const read = (one: unknown, titles: Related[]) => textOf(field, one, reader, titles) || t.values.none;
      patchRecords(client, object.name, [withValue(item, name, value, related)]);
      try {
        const after = await update(object.name, item.id, { [name]: value }, item.version);
        patchRecords(client, object.name, [after]);
        const titles = relatedOf(item, name);
        notice.done({
          id: `edit-${item.id}-${name}`,
          text: undoing ? t.edit.undone(label) : t.edit.set(label, read(value, related)),
          undo: undoing ? undefined : () => save({ ...item, ...after }, field, before, titles, true),
        });
      } catch (error) {
        if (!isStale(error)) {
          patchRecords(client, object.name, [item]);
          notice.failed(t.edit.failed(label), error);
          return;
        }
        const now = await fresh(object.name, item.id);
        patchRecords(client, object.name, [now]);
        const newerText = read(held(now, name), relatedOf(now, name));
        notice.done({
          id: `edit-${item.id}-${name}`,
          text: t.edit.conflict(label, newerText, read(value, related)),
          action: t.edit.mine,
          undo: () => save(now, field, value, related),
        });
      }
      void client.invalidateQueries({ queryKey: [...itemKey(object.name, item.id), 'history'] });
    } as (item: Item, field: Field, value: unknown, related?: Related[], undoing?: boolean) => Promise<void>,
    [client, notice, reader, say, object.name, t],
  );
}

const fresh = (object: string, id: string) =>
  call<Item>('GET', `/objects/${encodeURIComponent(object)}/records/${encodeURIComponent(id)}`, {
    query: { expand: '*' },
  });
