/** An input for the value of a field, whatever its kind. The same one in tables, on records, in dialogs and filters. */
import { Group, MultiSelect, NumberInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { type Ref, useState } from 'react';
import type { Choice, Field } from '~/api/objects';
import type { Related } from '~/api/records';
import { useI18n } from '~/i18n';
import { type Address, isMoney } from './cell';
import { FileInput } from './file-input';
import { fromLocal, partsOrNone, toLocal } from './input-value';
import { useSay } from './reader';
import { RelationInput } from './relation-input';

/** The currency of an amount that has none yet. */
const CURRENCY = 'EUR';

export interface ValueInputProps {
  field: Field;
  /** Null for no value. */
  value: unknown;
  onChange(value: unknown, related?: Related[]): void;
  related?: Related[];
  /** Shown above; a cell of a table has its column instead. */
  label?: string;
  size?: string;
  error?: string;
  inputRef?: Ref<HTMLInputElement>;
  /** Lists of choices open at once. */
  opened?: boolean;
  onBlur?(): void;
}

export function ValueInput(props: ValueInputProps) {
  const { field, value, onChange, related = [], inputRef, opened, onBlur } = props;
  const { t } = useI18n();
  const say = useSay();
  const { label, size, error } = props;
  const name = label ?? say(field.label);
  const required = label !== undefined && field.required;
  const input = { label, 'aria-label': label ? undefined : name, size, error, required, onBlur };
  const text = typeof value === 'string' ? value : '';
  const options = (choices: Choice[] | undefined) =>
    (choices ?? []).map((one) => ({ value: one.value, label: say(one.label) }));
  const list = Array.isArray(value) ? value.map(String) : [];
  const many = (next: string[]) => onChange(next.length === 0 ? null : next);
  const line = (type: string, read: (text: string) => unknown = (given) => (given === '' ? null : given)) => (
    <TextInput
      {...input}
      ref={inputRef}
      type={type}
      value={type === 'datetime-local' ? toLocal(value) : text}
      onChange={(event) => onChange(read(event.currentTarget.value))}
    />
  );
  switch (field.kind.type) {
    case 'number':
      return (
        <NumberInput
          {...input}
          ref={inputRef}
          hideControls
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(next === '' ? null : Number(next))}
        />
      );
    case 'money':
      return <MoneyInput {...props} />;
    case 'date':
      return line('date');
    case 'date_time':
      return line('datetime-local', fromLocal);
    case 'email':
      return line('email');
    case 'phone':
      return line('tel');
    case 'url':
      return line('url');
    case 'boolean':
      return (
        <Select
          {...input}
          ref={inputRef}
          clearable
          defaultDropdownOpened={opened}
          data={[
            { value: 'true', label: t.values.yes },
            { value: 'false', label: t.values.no },
          ]}
          value={typeof value === 'boolean' ? String(value) : null}
          onChange={(next) => onChange(next === null ? null : next === 'true')}
        />
      );
    case 'choice':
      return (
        <Select
          {...input}
          ref={inputRef}
          clearable
          searchable
          defaultDropdownOpened={opened}
          data={options(field.kind.options)}
          value={text === '' ? null : text}
          onChange={(next) => onChange(next)}
        />
      );
    case 'multi_choice':
      return (
        <MultiSelect
          {...input}
          ref={inputRef}
          clearable
          searchable
          data={options(field.kind.options)}
          value={list}
          onChange={many}
        />
      );
    case 'emails':
    case 'phones':
      return <TagsInput {...input} ref={inputRef} value={list} onChange={many} />;
    case 'relation':
    case 'relations':
    case 'user':
      return (
        <RelationInput
          object={field.kind.object}
          many={field.kind.type === 'relations'}
          {...{ value, related, onChange, inputRef, opened, onBlur, input }}
        />
      );
    case 'file':
      return <FileInput {...{ value, related, onChange, inputRef, opened, onBlur, input }} />;
    case 'address':
      return <AddressInput {...props} />;
    case 'json':
      return <JsonInput {...props} />;
    case 'long_text':
      return (
        <Textarea
          {...input}
          autosize
          minRows={3}
          maxRows={14}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value === '' ? null : event.currentTarget.value)}
        />
      );
    default:
      return line('text');
  }
}

function MoneyInput({ field, value, onChange, label, size, error, inputRef, onBlur }: ValueInputProps) {
  const { t } = useI18n();
  const say = useSay();
  const money = isMoney(value) ? value : null;
  const [currency, setCurrency] = useState(money?.currency ?? CURRENCY);
  const tell = (amount: number | null, next: string) => onChange(amount === null ? null : { amount, currency: next });
  return (
    <Group gap={4} wrap="nowrap" align="flex-end">
      <NumberInput
        ref={inputRef}
        {...{ label, size, error, onBlur }}
        aria-label={label ? undefined : say(field.label)}
        required={label !== undefined && field.required}
        hideControls
        decimalScale={4}
        style={{ flex: 1 }}
        value={money ? Number(money.amount) : ''}
        onChange={(next) => tell(next === '' ? null : Number(next), currency)}
      />
      <TextInput
        size={size}
        aria-label={t.values.currency}
        w={64}
        maxLength={3}
        value={currency}
        onBlur={onBlur}
        onChange={(event) => {
          const next = event.currentTarget.value.toUpperCase();
          setCurrency(next);
          if (money) tell(Number(money.amount), next);
        }}
      />
    </Group>
  );
}

const PARTS = ['street', 'postcode', 'city', 'region', 'country'] as const;

function AddressInput({ value, onChange, label, error }: ValueInputProps) {
  const { t } = useI18n();
  const address = (value ?? {}) as Address;
  return (
    <Stack component="fieldset" gap={4} bd="none" p={0} m={0}>
      {label && <legend>{label}</legend>}
      {PARTS.map((part, place) => (
        <TextInput
          key={part}
          aria-label={t.values.address[part]}
          placeholder={t.values.address[part]}
          value={address[part] ?? ''}
          error={place === 0 ? error : undefined}
          onChange={(event) => onChange(partsOrNone({ ...address, [part]: event.currentTarget.value }))}
        />
      ))}
    </Stack>
  );
}

/** Holds the text while it is not JSON yet. */
function JsonInput({ field, value, onChange, label, error }: ValueInputProps) {
  const { t } = useI18n();
  const say = useSay();
  const [text, setText] = useState(value === null || value === undefined ? '' : JSON.stringify(value, null, 2));
  const [bad, setBad] = useState(false);
  const change = (next: string) => {
    setText(next);
    try {
      onChange(next.trim() === '' ? null : (JSON.parse(next) as unknown));
      setBad(false);
    } catch {
      setBad(true);
    }
  };
  return (
    <Textarea
      label={label ?? say(field.label)}
      error={bad ? t.values.json : error}
      autosize
      minRows={3}
      maxRows={14}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}
