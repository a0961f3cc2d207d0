/** What the sections of the settings share: a table of what there is, and acting on it. */
import { ActionIcon, Button, Group, Stack, Table, Text } from '@mantine/core';
import { type UseQueryResult, useQueryClient } from '@tanstack/react-query';
import { Pencil, Plus, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useNotice } from '~/components/notice';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';

interface PartProps<T> {
  label: string;
  lead: string;
  query: UseQueryResult<T[]>;
  heads: string[];
  row(item: T): ReactNode;
  /** What adding one is called, and what it does. */
  add?: { label: string; act(): void };
  children?: ReactNode;
}

export function Part<T>({ label, lead, query, heads, row, add, children }: PartProps<T>) {
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" maw={640}>
          {lead}
        </Text>
        {add && (
          <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={add.act}>
            {add.label}
          </Button>
        )}
      </Group>
      {children}
      {query.isPending && <Waiting />}
      {query.isError && <Failed error={query.error} retry={() => query.refetch()} />}
      {query.data && (
        <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
          <Table verticalSpacing="xs" aria-label={label}>
            <Table.Thead>
              <Table.Tr>
                {heads.map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
                <Table.Td />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>{query.data.map(row)}</Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Stack>
  );
}

interface Deed {
  label: string;
  act(): void;
  disabled?: boolean;
}

/** The end of a row: changing what it is of, where that can be changed, and taking it away. */
export function Deeds({ edit, remove }: { edit?: Deed; remove: Deed }) {
  return (
    <Table.Td>
      <Group gap={0} wrap="nowrap" justify="flex-end">
        {edit && (
          <ActionIcon variant="subtle" aria-label={edit.label} disabled={edit.disabled} onClick={edit.act}>
            <Pencil size={14} aria-hidden />
          </ActionIcon>
        )}
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={remove.label}
          disabled={remove.disabled}
          onClick={remove.act}
        >
          <Trash2 size={14} aria-hidden />
        </ActionIcon>
      </Group>
    </Table.Td>
  );
}

/** Does something and asks again for what it changed. */
export function useRun(key: readonly unknown[]): (work: () => Promise<unknown>) => Promise<void> {
  const client = useQueryClient();
  return async (work) => {
    await work();
    await client.invalidateQueries({ queryKey: key });
  };
}

/** The same outside of a dialog: says that it was done, or that it failed. */
export function useAct(key: readonly unknown[]): (work: () => Promise<unknown>, done?: string) => Promise<void> {
  const { t } = useI18n();
  const run = useRun(key);
  const notice = useNotice();
  return async (work, done) => {
    try {
      await run(work);
      if (done) notice.done({ text: done });
    } catch (error) {
      notice.failed(t.settings.failed, error);
    }
  };
}
