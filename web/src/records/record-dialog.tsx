/** A new record: its fields, what is wrong with them, and records that may be the same one. */
import { Alert, Button, Group, Modal, SimpleGrid, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ProblemError } from '~/api/client';
import { similarQuery } from '~/api/duplicates';
import type { ObjectFact, SeenField } from '~/api/objects';
import { create, type Fields, type Item, listsKey, type Related } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useFields, useSay } from './reader';
import { useReasons } from './reasons';
import { isEditable, isLarge, titleOf } from './schema';
import { useDelete } from './trash';
import { ValueInput } from './value-input';

/** Fields that the dialog begins with; the others come on demand. */
const FIRST = 8;

interface DialogProps {
  object: ObjectFact;
  /** What is known already, such as the contact that a task is about. */
  given?: Fields;
  related?: Record<string, Related[]>;
  close(): void;
  done?(item: Item): void;
}

/** The fields of the dialog: the title, what is required or given, then what is short and stands first. */
function ordered(object: ObjectFact, fields: SeenField[], given: Fields) {
  const open = fields.filter(isEditable);
  const rank = (field: SeenField) => {
    if (field.name === object.title) return 0;
    if (field.required || field.name in given) return 1;
    return isLarge(field) ? 3 : 2;
  };
  return open.map((field) => ({ field, rank: rank(field) })).sort((one, other) => one.rank - other.rank);
}

export function RecordDialog({ object, given = {}, related: titles = {}, close, done }: DialogProps) {
  const { t } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useDelete(object);
  const [fields, setFields] = useState<Fields>(given);
  const [related, setRelated] = useState(titles);
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const wanted = ordered(object, [...useFields(object).values()], given);
  const shown = all ? wanted : wanted.filter(({ rank }, place) => rank < 2 || place < FIRST);
  const wrong = error instanceof ProblemError ? error.problem?.field : undefined;
  const isShown = shown.some(({ field }) => field.name === wrong);
  const missing = wanted.some(({ field }) => field.required && (fields[field.name] ?? null) === null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const item = await create(object.name, fields);
      close();
      await client.invalidateQueries({ queryKey: listsKey(object.name) });
      if (!item) return;
      notice.done({ text: t.record.created(titleOf(object, item)), undo: () => undo(item) });
      done?.(item);
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t.table.create(say(object.label))}
      size="lg"
      closeButtonProps={{ 'aria-label': t.app.close }}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
            {shown.map(({ field }, place) => (
              <div key={field.name} data-autofocus={place === 0 || undefined} data-field={field.name}>
                <ValueInput
                  field={field}
                  label={say(field.label)}
                  value={fields[field.name] ?? null}
                  related={related[field.name]}
                  error={wrong === field.name ? error?.message : undefined}
                  onChange={(value, chosen = []) => {
                    const { [field.name]: _, ...others } = fields;
                    setFields(value === null ? others : { ...others, [field.name]: value });
                    setRelated({ ...related, [field.name]: chosen });
                  }}
                />
              </div>
            ))}
          </SimpleGrid>
          {!all && wanted.length > shown.length && (
            <Button variant="subtle" size="xs" onClick={() => setAll(true)}>
              {t.record.allFields}
            </Button>
          )}
          <PossibleDuplicates object={object} fields={fields} />
          {error && !isShown && (
            <Alert color="red" title={t.record.notCreated} role="alert">
              {error.message}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t.app.cancel}
            </Button>
            <Button type="submit" loading={busy} disabled={missing}>
              {t.edit.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Says who this may be already, while it is being written. */
function PossibleDuplicates({ object, fields }: { object: ObjectFact; fields: Fields }) {
  const { t } = useI18n();
  const because = useReasons();
  const [written] = useDebouncedValue(fields, 400);
  const title = written[object.title];
  const enabled = typeof title === 'string' && title.trim().length > 1;
  const found = useQuery({ ...similarQuery(object.name, written), enabled });
  if (!found.data || found.data.length === 0) return null;
  return (
    <Alert color="yellow" title={t.record.similar} role="status">
      <Stack gap={4}>
        {found.data.map((one) => (
          <Text key={one.id} size="sm" component="div">
            <AnchorTo to="/objects/$object/$id" params={{ object: object.name, id: one.id }} target="_blank">
              {one.title}
            </AnchorTo>{' '}
            {because(one.reasons)}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}
