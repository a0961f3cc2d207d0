/** Attributes, edited in place: shown at once, sent as an entry of the log, and taken back with one click. */
import { ActionIcon, Button, Card, Group, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { customerKey, setAttributes } from '~/api/queries';
import type { Customer } from '~/api/schema';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

const NAME = /^[\p{L}\p{N}_.]{1,64}$/u;

/** What a person typed: JSON where it is a number, a truth or a structure, else text. */
export function read(text: string): unknown {
  const trimmed = text.trim();
  if (!/^(-?\d|true$|false$|\{|\[)/.test(trimmed)) return trimmed;
  try {
    return JSON.parse(trimmed) as unknown;
  } catch {
    return trimmed;
  }
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

function useSetAttribute(customer: Customer) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  return async function set(name: string, value: unknown, undoing = false): Promise<void> {
    const before = customer.attributes[name] ?? null;
    const put = (next: unknown) =>
      client.setQueriesData<Customer>({ queryKey: customerKey }, (known) => {
        if (known?.id !== customer.id) return known;
        const { [name]: _, ...others } = known.attributes;
        return { ...known, attributes: next === null ? others : { ...others, [name]: next } };
      });
    put(value);
    try {
      await setAttributes(customer.id, { [name]: value });
    } catch (error) {
      put(before);
      notice.failed(t.attributes.failed(name), error);
      return;
    }
    const text = undoing
      ? t.attributes.undone(name)
      : value === null
        ? t.attributes.removed(name)
        : t.attributes.set(name, shown(value));
    const undo = undoing ? undefined : () => set(name, before, true);
    notice.done({ id: `attribute-${customer.id}-${name}`, text, undo });
  };
}

export function Attributes({ customer }: { customer: Customer }) {
  const { t } = useI18n();
  const set = useSetAttribute(customer);
  const [editing, setEditing] = useState<string | null>(null);
  const attributes = Object.entries(customer.attributes);
  return (
    <Card withBorder>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h4">
          {t.attributes.title}
        </Title>
        <ActionIcon variant="subtle" aria-label={t.attributes.add} onClick={() => setEditing('')}>
          <Plus size={16} aria-hidden />
        </ActionIcon>
      </Group>
      {attributes.length === 0 && editing === null && <Text size="sm">{t.attributes.none}</Text>}
      {attributes.length > 0 && (
        <Table verticalSpacing={4} layout="fixed" aria-label={t.attributes.title}>
          <Table.Tbody>
            {attributes.map(([name, value]) => (
              <Table.Tr key={name} data-attribute={name}>
                <Table.Th fw={500} w="35%">
                  {name}
                </Table.Th>
                <Table.Td>{shown(value)}</Table.Td>
                <Table.Td w={80}>
                  <Group gap={0} wrap="nowrap">
                    <ActionIcon variant="subtle" aria-label={t.attributes.edit(name)} onClick={() => setEditing(name)}>
                      <Pencil size={14} aria-hidden />
                    </ActionIcon>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t.attributes.remove(name)}
                      onClick={() => void set(name, null)}
                    >
                      <X size={14} aria-hidden />
                    </ActionIcon>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {editing !== null && (
        <Editor
          key={editing}
          name={editing}
          value={editing === '' ? '' : shown(customer.attributes[editing] ?? '')}
          close={() => setEditing(null)}
          save={(name, value) => {
            setEditing(null);
            void set(name, value);
          }}
        />
      )}
    </Card>
  );
}

interface EditorProps {
  name: string;
  value: string;
  save(name: string, value: unknown): void;
  close(): void;
}

function Editor({ name: given, value: before, save, close }: EditorProps) {
  const { t } = useI18n();
  const [name, setName] = useState(given);
  const [value, setValue] = useState(before);
  const valid = NAME.test(name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (valid) save(name, read(value));
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="xs" mt="xs">
        <TextInput
          label={t.attributes.name}
          value={name}
          disabled={given !== ''}
          error={name !== '' && !valid ? t.attributes.invalidName : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <TextInput
          label={t.attributes.value}
          description={t.attributes.hint}
          value={value}
          onChange={(event) => setValue(event.currentTarget.value)}
          data-autofocus
        />
        <Group gap="xs">
          <Button type="submit" size="xs" disabled={!valid}>
            {t.attributes.save}
          </Button>
          <Button size="xs" variant="default" onClick={close}>
            {t.attributes.cancel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
