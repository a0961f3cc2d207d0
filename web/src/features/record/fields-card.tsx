/** The fields of a record, each edited where it stands. */
import { Button, Card, Title } from '@mantine/core';
import { useRef, useState } from 'react';
import type { ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import { useI18n } from '~/i18n';
import { useSave } from '~/records/edit';
import { InlineEditor } from '~/records/inline-editor';
import { useFields, useSay } from '~/records/reader';
import { held, isEditable } from '~/records/schema';
import { ShownValue } from '~/records/shown-value';
import './record.css';

export function FieldsCard({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const save = useSave(object);
  const [all, setAll] = useState(false);
  const fields = [...useFields(object).values()];
  const mayEdit = object.may.update && !item.deleted_at;
  const isFilled = (field: SeenField) => field.name === object.title || (held(item, field.name) ?? null) !== null;
  const shown = all ? fields : fields.filter(isFilled);
  const hidden = fields.length - shown.length;
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        {t.record.fields}
      </Title>
      <dl className="fields">
        {shown.map((field) => (
          <FieldRow
            key={field.name}
            item={item}
            field={field}
            editable={mayEdit && isEditable(field)}
            save={(value, related) => void save(item, field, value, related)}
          />
        ))}
      </dl>
      {(hidden > 0 || all) && (
        <Button size="compact-xs" variant="subtle" mt="xs" onClick={() => setAll(!all)}>
          {all ? t.record.filledOnly : t.record.emptyToo(hidden)}
        </Button>
      )}
    </Card>
  );
}

interface RowProps {
  item: Item;
  field: SeenField;
  editable: boolean;
  save: Parameters<typeof InlineEditor>[0]['save'];
}

function FieldRow({ item, field, editable, save }: RowProps) {
  const { t } = useI18n();
  const say = useSay();
  const [editing, setEditing] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const value = held(item, field.name);
  const label = say(field.label);
  const close = (focus: boolean) => {
    setEditing(false);
    if (focus) requestAnimationFrame(() => button.current?.focus());
  };
  return (
    <div className="field" data-field={field.name}>
      <dt>{label}</dt>
      <dd>
        {editing ? (
          <InlineEditor item={item} field={field} save={save} close={close} />
        ) : (
          <>
            <span key={JSON.stringify(value ?? null)} className={field.kind.type === 'long_text' ? 'long' : undefined}>
              <ShownValue item={item} field={field} />
            </span>
            {editable && (
              <button
                ref={button}
                type="button"
                className="edit"
                aria-label={t.edit.open(label)}
                title={t.edit.open(label)}
                onClick={() => setEditing(true)}
              />
            )}
          </>
        )}
      </dd>
    </div>
  );
}
