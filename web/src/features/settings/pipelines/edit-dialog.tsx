/** Some fields of a record that is there. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { type Fields, type Item, recordsKey, update } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { same } from '~/records/input-value';
import { useFields, useSay } from '~/records/reader';
import { ValueInput } from '~/records/value-input';

interface EditProps {
  object: ObjectFact;
  item: Item;
  /** Names of the fields, in the order of the dialog. */
  fields: string[];
  close(): void;
}

export function EditDialog({ object, item, fields, close }: EditProps) {
  const { t } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const notice = useNotice();
  const known = useFields(object);
  const shown = fields.flatMap((name) => known.get(name) ?? []);
  const [values, setValues] = useState<Fields>(() =>
    Object.fromEntries(fields.map((name) => [name, item.fields[name] ?? null])),
  );
  const changed = shown.filter(({ name }) => !same(values[name], item.fields[name]));
  const again = () => client.invalidateQueries({ queryKey: [...recordsKey] });
  const submit = async () => {
    const before = Object.fromEntries(changed.map(({ name }) => [name, item.fields[name] ?? null]));
    const after = await update(
      object.name,
      item.id,
      Object.fromEntries(changed.map(({ name }) => [name, values[name]])),
      item.version,
    );
    close();
    await again();
    const title = String(after.fields[object.title] ?? '');
    const undo = async () => {
      try {
        await update(object.name, item.id, before, after.version);
      } catch (error) {
        notice.failed(t.table.undoFailed, error);
      }
      await again();
    };
    notice.done({ id: `edit-${item.id}`, text: t.pipelines.edited(title), undo });
  };
  return (
    <FormDialog
      title={t.pipelines.edit(String(item.fields[object.title] ?? item.id))}
      send={t.edit.save}
      failed={t.settings.failed}
      disabled={changed.length === 0 || shown.some((field) => field.required && (values[field.name] ?? null) === null)}
      submit={submit}
      close={close}
    >
      {shown.map((field) => (
        <ValueInput
          key={field.name}
          field={field}
          label={say(field.label)}
          value={values[field.name] ?? null}
          onChange={(value) => setValues({ ...values, [field.name]: value })}
        />
      ))}
    </FormDialog>
  );
}
