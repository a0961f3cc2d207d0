/** What was done about a record and is to be done: notes, tasks, meetings, calls, the newest first; and writing one. */
import { Button, Checkbox, Group, Stack, Text, Textarea } from '@mantine/core';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { create, fewQuery, type Item, listsKey, update } from '~/api/records';
import { Ago } from '~/components/ago';
import { AnchorTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { usePerson, useSay } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { titleOf } from '~/records/schema';
import { useDelete } from '~/records/trash';
import { given, type Link, linkFilter } from './links';

/** The newest of each kind. */
const SHOWN = 30;
/** Letters of a note that are its title. */
const TITLE = 80;

interface ActivitiesProps {
  object: ObjectFact;
  item: Item;
  links: Link[];
}

export function Activities({ object, item, links }: ActivitiesProps) {
  const { t } = useI18n();
  const say = useSay();
  const [making, setMaking] = useState<Link | null>(null);
  const found = useQueries({
    queries: links.map((link) => fewQuery(link.object.name, linkFilter(link, item.id), SHOWN)),
  });
  const note = links.find((link) => link.object.name === 'note' && link.object.may.create);
  const done = found
    .flatMap((one, place) => (one.data?.records ?? []).map((record) => ({ record, link: links[place] })))
    .sort((one, other) => (one.record.created_at < other.record.created_at ? 1 : -1));
  const related = making && {
    [making.field.name]: [{ id: item.id, object: object.name, title: titleOf(object, item) }],
  };
  return (
    <Stack gap="sm">
      {note && <NoteBox link={note} id={item.id} />}
      <Group gap="xs">
        {links
          .filter((link) => link !== note && link.object.may.create)
          .map((link) => (
            <Button key={link.object.name} size="compact-xs" variant="default" onClick={() => setMaking(link)}>
              {t.table.create(say(link.object.label))}
            </Button>
          ))}
      </Group>
      {found.some((one) => one.isPending) && <Waiting />}
      {done.length === 0 && found.every((one) => !one.isPending) && <Text size="sm">{t.record.noActivity}</Text>}
      <ol className="past" aria-label={t.record.activity}>
        {done.map(({ record, link }) => link && <Activity key={record.id} object={link.object} item={record} />)}
      </ol>
      {making && (
        <RecordDialog
          object={making.object}
          given={given(making, item.id)}
          related={related ?? undefined}
          close={() => setMaking(null)}
        />
      )}
    </Stack>
  );
}

function NoteBox({ link, id }: { link: Link; id: string }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const remove = useDelete(link.object);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body = text.trim();
    if (body === '') return;
    setBusy(true);
    try {
      const title = [...(body.split('\n')[0] ?? body)].slice(0, TITLE).join('');
      const made = await create(link.object.name, { title, body, ...given(link, id) });
      setText('');
      await client.invalidateQueries({ queryKey: listsKey(link.object.name) });
      notice.done({ text: t.record.noted, undo: made ? () => remove(made) : undefined });
    } catch (error) {
      notice.failed(t.record.notCreated, error);
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Textarea
        aria-label={t.record.note}
        placeholder={t.record.note}
        autosize
        minRows={2}
        maxRows={10}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(event);
        }}
      />
      <Group justify="flex-end" mt={4}>
        <Button type="submit" size="compact-sm" loading={busy} disabled={text.trim() === ''}>
          {t.record.addNote}
        </Button>
      </Group>
    </form>
  );
}

function Activity({ object, item }: { object: ObjectFact; item: Item }) {
  const say = useSay();
  const person = usePerson();
  const title = titleOf(object, item);
  const body = item.fields.body ?? item.fields.description;
  const hasMore = typeof body === 'string' && body !== title;
  return (
    <li data-activity={object.name}>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        {object.name === 'task' && <TaskBox object={object} item={item} title={title} />}
        <div style={{ flex: 1, minWidth: 0 }}>
          <AnchorTo size="sm" fw={500} to="/objects/$object/$id" params={{ object: object.name, id: item.id }}>
            {title}
          </AnchorTo>
          {hasMore && (
            <Text size="sm" style={{ whiteSpace: 'pre-wrap' }} lineClamp={6}>
              {body}
            </Text>
          )}
          <Text size="xs" c="dimmed">
            {say(object.label)} · {person(item.created_by)} · <Ago at={item.created_at} />
          </Text>
        </div>
      </Group>
    </li>
  );
}

/** A task is done with one click, and undone with the next. */
function TaskBox({ object, item, title }: { object: ObjectFact; item: Item; title: string }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const isDone = item.fields.status === 'done';
  const turn = async () => {
    try {
      await update(object.name, item.id, { status: isDone ? 'open' : 'done' }, item.version);
    } catch (error) {
      notice.failed(t.edit.failed(title), error);
    }
    await client.invalidateQueries({ queryKey: listsKey(object.name) });
  };
  return (
    <Checkbox
      size="xs"
      mt={3}
      aria-label={t.record.taskDone(title)}
      checked={isDone}
      disabled={!object.may.update}
      onChange={() => void turn()}
    />
  );
}
