/** Choosing records or people by typing a part of what they are called. */
import { type ComboboxParsedItem, MultiSelect, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type Ref, useState } from 'react';
import { colleaguesQuery } from '~/api/people';
import { page, type Related, recordsKey } from '~/api/records';
import { useI18n } from '~/i18n';
import { useObjects } from './reader';
import { titleOf } from './schema';

/** Records that are offered at once. */
const OFFERED = 20;

export interface RelationProps {
  /** The object that is chosen from; people if none. */
  object?: string;
  value: unknown;
  related: Related[];
  onChange(value: unknown, related: Related[]): void;
  many?: boolean;
  input: { label?: string; 'aria-label'?: string; size?: string; error?: string; required?: boolean };
  inputRef?: Ref<HTMLInputElement>;
  opened?: boolean;
  onBlur?(): void;
}

/** The records that a text finds; without one the newest. */
function useOffered(object: string | undefined, text: string): Related[] {
  const objects = useObjects();
  const definition = objects.find((one) => one.name === object);
  const [wanted] = useDebouncedValue(text.trim(), 150);
  const users = useQuery({ ...colleaguesQuery, enabled: object === undefined });
  const found = useQuery({
    queryKey: [...recordsKey, object, 'offered', wanted],
    queryFn: ({ signal }) => page(object ?? '', { q: wanted, limit: OFFERED }, signal),
    enabled: object !== undefined,
  });
  if (object === undefined) {
    return (users.data ?? []).map((user) => ({ id: user.id, object: 'user', title: user.name }));
  }
  return (found.data?.records ?? []).map((item) => ({
    id: item.id,
    object,
    title: definition ? titleOf(definition, item) : item.id,
  }));
}

export function RelationInput({ object, value, related, onChange, many, input, inputRef, ...rest }: RelationProps) {
  const { t } = useI18n();
  const [text, setText] = useState('');
  const ids = Array.isArray(value) ? value.map(String) : typeof value === 'string' ? [value] : [];
  const chosen = ids.map((id) => related.find((one) => one.id === id) ?? { id, object: object ?? 'user', title: id });
  // What has just been chosen is known from the offer, before the record is read again.
  const offered = useOffered(object, chosen.some((one) => one.title === text) ? '' : text);
  const named = chosen.map((one) => offered.find((other) => other.id === one.id) ?? one);
  const known = new Map([...offered, ...named].map((one) => [one.id, one]));
  const common = {
    ...input,
    ref: inputRef,
    data: [...known.values()].map((one) => ({ value: one.id, label: one.title })),
    searchable: true,
    searchValue: text,
    onSearchChange: setText,
    // The server has searched already, and finds more than equal letters.
    filter: object === undefined ? undefined : ({ options }: { options: ComboboxParsedItem<string>[] }) => options,
    placeholder: ids.length === 0 ? t.values.search : undefined,
    nothingFoundMessage: t.values.nothing,
    defaultDropdownOpened: rest.opened,
    onBlur: rest.onBlur,
    comboboxProps: { withinPortal: true },
  };
  const pick = (next: string[]) => next.flatMap((id) => known.get(id) ?? []);
  if (many) {
    return (
      <MultiSelect
        {...common}
        hidePickedOptions
        value={ids}
        onChange={(next) => onChange(next.length === 0 ? null : next, pick(next))}
      />
    );
  }
  return (
    <Select
      {...common}
      clearable
      value={ids[0] ?? null}
      onChange={(next) => onChange(next, pick(next === null ? [] : [next]))}
    />
  );
}
