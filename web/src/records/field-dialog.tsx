/** Changing a value that needs more room than its place on the page. */
import { useState } from 'react';
import type { Field } from '~/api/objects';
import type { Item, Related } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { relatedOf } from './cell';
import { useSay } from './reader';
import { held } from './schema';
import { ValueInput } from './value-input';

export function FieldDialog(props: {
  item: Item;
  field: Field;
  save(value: unknown, related?: Related[]): void;
  close(): void;
}) {
  const { item, field, close } = props;
  const { t } = useI18n();
  const say = useSay();
  const [value, setValue] = useState<unknown>(held(item, field.name) ?? null);
  const [related, setRelated] = useState(relatedOf(item, field.name));
  const submit = async () => {
    close();
    props.save(value, related);
  };
  return (
    <FormDialog
      title={t.edit.open(say(field.label))}
      send={t.edit.save}
      failed={t.edit.failed(say(field.label))}
      disabled={false}
      submit={submit}
      close={close}
    >
      <ValueInput
        field={field}
        label={say(field.label)}
        value={value}
        related={related}
        onChange={(next, titles = []) => {
          setValue(next);
          setRelated(titles);
        }}
      />
    </FormDialog>
  );
}
