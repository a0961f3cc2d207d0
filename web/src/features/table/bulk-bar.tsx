/** What can be done with the selected records at once. */
import { ActionIcon, Button, Group, Paper, Select, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Pencil, RotateCcw, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { ProblemError } from '~/api/client';
import type { ObjectFact } from '~/api/objects';
import { bulk, type Edit, listsKey, type Related } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useFields, useSay } from '~/records/reader';
import { isEditable } from '~/records/schema';
import { useUndo } from '~/records/undo';
import { ValueInput } from '~/records/value-input';

/** Edits of one request. */
const AT_ONCE = 10_000;

interface BulkProps {
  object: ObjectFact;
  ids: string[];
  trash: boolean;
  clear(): void;
}

export function BulkBar({ object, ids, trash, clear }: BulkProps) {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  const [editing, setEditing] = useState(false);
  const count = format.number(ids.length, 0);
  const send = async (edits: Edit[], text: string) => {
    const { batch } = await bulk(object.name, edits.slice(0, AT_ONCE));
    clear();
    await client.invalidateQueries({ queryKey: listsKey(object.name) });
    notice.done({ id: `batch-${batch}`, text, undo: () => undo(batch) });
  };
  const act = (op: 'delete' | 'restore') =>
    send(
      ids.map((id) => ({ op, id })),
      op === 'delete' ? t.table.removed(ids.length, count) : t.table.changed(ids.length, count),
    ).catch((error: unknown) => notice.failed(t.table.bulkFailed, error));
  return (
    <Paper withBorder p="xs" role="region" aria-label={t.table.selected(ids.length, count)}>
      <Group gap="xs">
        <Text size="sm" role="status">
          {t.table.selected(ids.length, count)}
        </Text>
        {object.may.update && !trash && (
          <Button
            size="xs"
            variant="default"
            leftSection={<Pencil size={14} aria-hidden />}
            onClick={() => setEditing(true)}
          >
            {t.table.edit}
          </Button>
        )}
        {object.may.delete && !trash && (
          <Button
            size="xs"
            variant="default"
            leftSection={<Trash2 size={14} aria-hidden />}
            onClick={() => void act('delete')}
          >
            {t.table.remove}
          </Button>
        )}
        {object.may.delete && trash && (
          <Button
            size="xs"
            variant="default"
            leftSection={<RotateCcw size={14} aria-hidden />}
            onClick={() => void act('restore')}
          >
            {t.table.restore}
          </Button>
        )}
        <ActionIcon variant="subtle" color="gray" aria-label={t.table.clear} onClick={clear} ml="auto">
          <X size={16} aria-hidden />
        </ActionIcon>
      </Group>
      {editing && (
        <EditDialog
          object={object}
          close={() => setEditing(false)}
          submit={async (fields) => {
            const edits = ids.map((id): Edit => ({ op: 'update', id, fields }));
            await send(edits, t.table.changed(ids.length, count));
          }}
        />
      )}
    </Paper>
  );
}

interface EditProps {
  object: ObjectFact;
  close(): void;
  submit(fields: Record<string, unknown>): Promise<void>;
}

/** One value for one field of all selected records. */
function EditDialog({ object, close, submit }: EditProps) {
  const { t } = useI18n();
  const say = useSay();
  const fields = [...useFields(object).values()].filter((field) => isEditable(field) && !field.unique);
  const [name, setName] = useState(fields[0]?.name ?? '');
  const [value, setValue] = useState<unknown>(null);
  const [related, setRelated] = useState<Related[]>([]);
  const field = fields.find((one) => one.name === name);
  return (
    <FormDialog
      title={t.table.edit}
      send={t.edit.save}
      failed={t.table.bulkFailed}
      disabled={!field || (field.required && value === null)}
      submit={() => submit({ [name]: value }).catch(withFirstRow)}
      close={close}
    >
      <Select
        label={t.edit.field}
        searchable
        data={fields.map((one) => ({ value: one.name, label: say(one.label) }))}
        value={name}
        allowDeselect={false}
        onChange={(next) => {
          setName(next ?? name);
          setValue(null);
        }}
      />
      {field && (
        <ValueInput
          key={name}
          field={{ ...field, required: false }}
          label={t.edit.value}
          value={value}
          related={related}
          onChange={(next, titles = []) => {
            setValue(next);
            setRelated(titles);
          }}
        />
      )}
    </FormDialog>
  );
}

/** Of many refused records the first one tells what is wrong. */
function withFirstRow(error: unknown): never {
  const rows =
    error instanceof ProblemError ? (error.problem as { rows?: { what: string }[] } | null)?.rows : undefined;
  throw rows?.[0] ? new Error(rows[0].what) : error;
}
