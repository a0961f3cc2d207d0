/** A new field of an object. */
import { Checkbox, Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { defineObject, type Kind, type KindName, type ObjectFact, objectsKey } from '~/api/objects';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { useObjects, useSay } from '~/records/reader';
import { nameFrom } from './object-dialog';
import { definitionOf } from './objects';
import { useRun } from './part';

/** What can be chosen; the other kinds belong to Rapport's own fields. */
const KINDS: KindName[] = [
  'text',
  'long_text',
  'number',
  'money',
  'date',
  'date_time',
  'boolean',
  'choice',
  'multi_choice',
  'email',
  'phone',
  'url',
  'address',
  'relation',
  'relations',
  'user',
  'formula',
];

export function FieldDefinitionDialog({ object, close }: { object: ObjectFact; close(): void }) {
  const { t } = useI18n();
  const say = useSay();
  const objects = useObjects();
  const run = useRun(objectsKey);
  const [label, setLabel] = useState('');
  const [given, setGiven] = useState<string | null>(null);
  const [type, setType] = useState<KindName>('text');
  const [options, setOptions] = useState('');
  const [target, setTarget] = useState<string | null>(null);
  const [expression, setExpression] = useState('');
  const [marks, setMarks] = useState({ required: false, unique: false, indexed: false });
  const name = given ?? nameFrom(label);
  const isTaken = object.fields.some((field) => field.name === name);
  const hasOptions = type === 'choice' || type === 'multi_choice';
  const isRelation = type === 'relation' || type === 'relations';
  const choices = options
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => ({ value: nameFrom(line) || line, label: { en: line, zh: line } }));
  const kind: Kind = {
    type,
    ...(hasOptions ? { options: choices } : {}),
    ...(isRelation && target ? { object: target } : {}),
    ...(type === 'formula' ? { expression: expression.trim() } : {}),
  };
  const isWhole =
    (!hasOptions || choices.length > 0) && (!isRelation || target) && (type !== 'formula' || expression.trim() !== '');
  const submit = async () => {
    const definition = definitionOf(object);
    const both = { en: label.trim(), zh: label.trim() };
    const field = { name, label: both, kind, ...marks, searchable: type === 'text', custom: true, retired: false };
    await run(() => defineObject({ ...definition, fields: [...definition.fields, field] }));
    close();
  };
  return (
    <FormDialog
      title={t.objects.addField}
      send={t.edit.save}
      failed={t.settings.failed}
      disabled={label.trim() === '' || name === '' || isTaken || !isWhole}
      submit={submit}
      close={close}
    >
      <TextInput
        label={t.objects.fieldLabel}
        data-autofocus
        value={label}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <TextInput
        label={t.objects.name}
        description={t.objects.nameHelp}
        error={isTaken ? t.objects.taken : undefined}
        value={name}
        onChange={(event) => setGiven(event.currentTarget.value)}
      />
      <Select
        label={t.objects.kind}
        data={KINDS.map((one) => ({ value: one, label: t.objects.kinds[one] }))}
        value={type}
        allowDeselect={false}
        onChange={(next) => setType((next ?? 'text') as KindName)}
      />
      {hasOptions && (
        <Textarea
          label={t.objects.options}
          description={t.objects.optionsHelp}
          autosize
          minRows={3}
          value={options}
          onChange={(event) => setOptions(event.currentTarget.value)}
        />
      )}
      {isRelation && (
        <Select
          label={t.objects.target}
          data={objects.map((one) => ({ value: one.name, label: say(one.plural) }))}
          value={target}
          onChange={setTarget}
        />
      )}
      {type === 'formula' && (
        <TextInput
          label={t.objects.expression}
          description={t.objects.expressionHelp}
          ff="monospace"
          value={expression}
          onChange={(event) => setExpression(event.currentTarget.value)}
        />
      )}
      {(['required', 'unique', 'indexed'] as const).map((mark) => (
        <Checkbox
          key={mark}
          label={t.objects.marks[mark]}
          checked={marks[mark]}
          onChange={(event) => setMarks({ ...marks, [mark]: event.currentTarget.checked })}
        />
      ))}
    </FormDialog>
  );
}
