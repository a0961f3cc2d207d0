/** The views of an object: their order, names, who sees them, which one comes first; deleting them, with the way back. */
import { ActionIcon, Modal, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Star, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { type Change, changeView, deleteView, saveView, type View, viewsKey, viewsQuery } from '~/api/views';
import { useNotice } from '~/components/notice';
import { OrderList } from '~/components/order-list';
import { useI18n } from '~/i18n';
import { moved, renumbered } from '~/records/order';
import { grouped } from './grouped';
import { SharingInput } from './sharing-input';
import { useMyId } from './use-my-id';
import { useOpenView } from './use-views';

interface ManageProps {
  object: string;
  views: View[];
  /** The one that is looked at. */
  view: View | undefined;
  close(): void;
}

export function ManageDialog({ object, views, view, close }: ManageProps) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const open = useOpenView(object);
  const { mine, others } = grouped(views, useMyId());
  const again = () => client.invalidateQueries({ queryKey: viewsKey });
  /** Shows it at once; what the server says comes after. */
  const put = (next: View[]) =>
    client.setQueryData(viewsQuery(object).queryKey, (known) => (known ? { views: next } : known));
  const act = async (work: () => Promise<unknown>, failed = t.views.failed) => {
    try {
      await work();
    } catch (error) {
      notice.failed(failed, error);
    }
    await again();
  };
  const change = (known: View, next: Change) => act(() => changeView(known.id, next));
  const move = (group: View[], rest: View[]) => (from: number, to: number) => {
    const ordered = moved(group, from, to);
    put([...ordered.map((one, at) => ({ ...one, position: at + 1 })), ...rest]);
    const places = renumbered(ordered, (one) => one.position);
    return act(() => Promise.all(places.map(({ item, position }) => changeView(item.id, { position }))));
  };
  const remove = (known: View) =>
    act(async () => {
      await deleteView(known.id);
      if (known.id === view?.id) open(undefined, known.definition.kind);
      const { name, shared, team, definition, position } = known;
      const back = () =>
        act(async () => {
          const made = await saveView({ object, name, shared, team, definition });
          await changeView(made.id, known.first ? { position, first: true } : { position });
        });
      notice.done({ id: `view-${known.id}`, text: t.views.removed(name), undo: back });
    }, t.views.removeFailed);
  const list = (label: string, group: View[], rest: View[]) =>
    group.length > 0 && (
      <div>
        <Text size="sm" fw={600}>
          {label}
        </Text>
        <OrderList
          label={label}
          items={group}
          nameOf={(one) => one.name}
          move={group.length > 1 && group.every((one) => one.editable) ? move(group, rest) : null}
          row={(one) => (
            <Row
              view={one}
              change={(next) => change(one, next)}
              remove={() => void remove(one)}
              setFirst={() => void change(one, { first: !one.first })}
            />
          )}
        />
      </div>
    );
  return (
    <Modal
      opened
      onClose={close}
      title={t.views.manage}
      size="lg"
      centered
      closeButtonProps={{ 'aria-label': t.app.close }}
    >
      <Stack>
        {list(t.views.mine, mine, others)}
        {list(t.views.others, others, mine)}
        <Text size="xs" c="dimmed">
          {t.views.manageHelp}
        </Text>
      </Stack>
    </Modal>
  );
}

interface RowProps {
  view: View;
  change(next: Change): Promise<void>;
  remove(): void;
  setFirst(): void;
}

function Row({ view, change, remove, setFirst }: RowProps) {
  const { t } = useI18n();
  // What the reader has not typed is the view's own name: another one may have renamed it since.
  const [typed, setTyped] = useState<string | null>(null);
  const rename = async () => {
    const next = typed?.trim();
    if (next && next !== view.name) await change({ name: next });
    setTyped((known) => (known === typed ? null : known));
  };
  return (
    <>
      <ActionIcon
        variant="subtle"
        color={view.first ? undefined : 'gray'}
        aria-pressed={view.first}
        aria-label={t.views.firstOf(view.name)}
        title={t.views.first}
        onClick={setFirst}
      >
        <Star size={16} fill={view.first ? 'currentColor' : 'none'} aria-hidden />
      </ActionIcon>
      <TextInput
        size="xs"
        flex={1}
        aria-label={t.views.nameOf(view.name)}
        maxLength={80}
        readOnly={!view.editable}
        value={typed ?? view.name}
        onChange={(event) => setTyped(event.currentTarget.value)}
        onBlur={() => void rename()}
        onKeyDown={(event) => {
          if (event.key === 'Enter') void rename();
        }}
      />
      {view.editable && (
        <>
          <SharingInput
            size="xs"
            w={150}
            aria-label={t.views.sharedOf(view.name)}
            value={{ shared: view.shared, team: view.team ?? null }}
            onChange={(sharing) => void change(sharing)}
          />
          <ActionIcon variant="subtle" color="gray" aria-label={t.views.remove(view.name)} onClick={remove}>
            <Trash2 size={16} aria-hidden />
          </ActionIcon>
        </>
      )}
    </>
  );
}
