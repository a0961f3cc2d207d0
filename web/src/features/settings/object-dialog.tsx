/** A new object of the organisation: what one and many are called, and the field that names a record. */
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { defineObject, type ObjectFact, objectsKey } from '~/api/objects';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { useRun } from './part';

/** A name of the API from what people call it: small letters, digits and `_`. */
export function nameFrom(label: string): string {
  return label
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 40);
}

export function ObjectDialog({ taken, close }: { taken: ObjectFact[]; close(): void }) {
  const { t } = useI18n();
  const run = useRun(objectsKey);
  const [one, setOne] = useState('');
  const [many, setMany] = useState('');
  const [given, setGiven] = useState<string | null>(null);
  const [title, setTitle] = useState(t.objects.titleUsual);
  const name = given ?? nameFrom(one);
  const isTaken = taken.some((object) => object.name === name);
  const both = (text: string) => ({ en: text.trim(), zh: text.trim() });
  const submit = async () => {
    const marks = { required: true, unique: false, indexed: true, searchable: true, custom: true, retired: false };
    const field = { name: 'name', label: both(title), kind: { type: 'text' as const }, ...marks };
    await run(() =>
      defineObject({ name, label: both(one), plural: both(many), title: 'name', custom: true, fields: [field] }),
    );
    close();
  };
  const text = (
    label: string,
    value: string,
    set: (next: string) => void,
    more?: { description?: string; error?: string },
  ) => <TextInput label={label} value={value} onChange={(event) => set(event.currentTarget.value)} {...more} />;
  return (
    <FormDialog
      title={t.objects.add}
      send={t.edit.save}
      failed={t.settings.failed}
      disabled={one.trim() === '' || many.trim() === '' || name === '' || title.trim() === '' || isTaken}
      submit={submit}
      close={close}
    >
      {text(t.objects.one, one, setOne)}
      {text(t.objects.many, many, setMany)}
      {text(t.objects.name, name, setGiven, {
        description: t.objects.nameHelp,
        error: isTaken ? t.objects.taken : undefined,
      })}
      {text(t.objects.titleField, title, setTitle)}
    </FormDialog>
  );
}
