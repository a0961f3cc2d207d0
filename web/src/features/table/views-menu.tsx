/** Saved views: choosing one, saving what is shown as one, taking one away. */
import { Button, Menu, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Bookmark, ChevronDown, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { meQuery, teamsQuery } from '~/api/people';
import { changeView, deleteView, type Shared, saveView, type View, type ViewDefinition, viewsKey } from '~/api/views';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

interface ViewsProps {
  object: string;
  views: View[];
  view: View | undefined;
  /** What is shown now, which a view would keep. */
  shown: ViewDefinition;
  /** Whether it differs from the chosen view. */
  changed: boolean;
  choose(id: string | undefined): void;
}

export function ViewsMenu({ object, views, view, shown, changed, choose }: ViewsProps) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const [saving, setSaving] = useState(false);
  const again = () => client.invalidateQueries({ queryKey: viewsKey });
  const update = async (known: View) => {
    try {
      await changeView(known.id, { definition: shown });
      await again();
      notice.done({ text: t.views.saved(known.name) });
      choose(known.id);
    } catch (error) {
      notice.failed(t.views.failed, error);
    }
  };
  const remove = async (known: View) => {
    try {
      await deleteView(known.id);
      choose(undefined);
      await again();
      const { object: of, name, shared, team, definition } = known;
      const kept = { object: of, name, shared, team, definition };
      notice.done({ text: t.views.removed(known.name), undo: () => saveView(kept).then(again) });
    } catch (error) {
      notice.failed(t.views.removeFailed, error);
    }
  };
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target>
          <Button
            size="xs"
            variant="default"
            leftSection={<Bookmark size={14} aria-hidden />}
            rightSection={<ChevronDown size={14} aria-hidden />}
            aria-label={`${t.views.title}: ${view?.name ?? t.views.all}`}
          >
            {view?.name ?? t.views.all}
            {changed && ' *'}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => choose(undefined)}>{t.views.all}</Menu.Item>
          {views.map((one) => (
            <Menu.Item key={one.id} onClick={() => choose(one.id)} fw={one.id === view?.id ? 600 : undefined}>
              {one.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          {view?.editable && changed && (
            <Menu.Item onClick={() => void update(view)}>{t.views.update(view.name)}</Menu.Item>
          )}
          <Menu.Item onClick={() => setSaving(true)}>{t.views.save}</Menu.Item>
          {view?.editable && (
            <Menu.Item leftSection={<Trash2 size={14} aria-hidden />} onClick={() => void remove(view)}>
              {t.views.remove(view.name)}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {saving && (
        <SaveDialog
          object={object}
          shown={shown}
          close={() => setSaving(false)}
          done={async (made) => {
            setSaving(false);
            await again();
            notice.done({ text: t.views.saved(made.name) });
            choose(made.id);
          }}
        />
      )}
    </>
  );
}

function SaveDialog(props: { object: string; shown: ViewDefinition; close(): void; done(view: View): Promise<void> }) {
  const { t } = useI18n();
  const [name, setName] = useState('');
  const [shared, setShared] = useState<Shared>('private');
  const [team, setTeam] = useState<string | null>(null);
  const me = useQuery(meQuery).data;
  const teams = (useQuery(teamsQuery).data ?? []).filter((one) => me?.teams.includes(one.id));
  const levels: Shared[] = teams.length > 0 ? ['private', 'team', 'all'] : ['private', 'all'];
  const submit = async () => {
    const view = { object: props.object, name: name.trim(), shared, definition: props.shown };
    await props.done(await saveView(shared === 'team' ? { ...view, team: team ?? teams[0]?.id } : view));
  };
  return (
    <FormDialog
      title={t.views.save}
      send={t.edit.save}
      failed={t.views.failed}
      disabled={name.trim() === ''}
      submit={submit}
      close={props.close}
    >
      <TextInput
        label={t.views.name}
        data-autofocus
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label={t.views.shared}
        data={levels.map((one) => ({ value: one, label: t.views.sharing[one] }))}
        value={shared}
        allowDeselect={false}
        onChange={(next) => setShared((next ?? 'private') as Shared)}
      />
      {shared === 'team' && (
        <Select
          label={t.views.team}
          data={teams.map((one) => ({ value: one.id, label: one.name }))}
          value={team ?? teams[0]?.id ?? null}
          allowDeselect={false}
          onChange={setTeam}
        />
      )}
    </FormDialog>
  );
}
