/** Saved views: choosing one, keeping what is shown as one, and the way to their order, names and sharing. */
import { Button, Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Bookmark, ChevronDown, Columns3, List, Settings2, Star } from 'lucide-react';
import { useState } from 'react';
import { changeView, type View, type ViewDefinition, viewsKey } from '~/api/views';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { grouped } from './grouped';
import { ManageDialog } from './manage-dialog';
import { SaveDialog } from './save-dialog';
import { useMyId } from './use-my-id';
import { useOpenView } from './use-views';

interface ViewsProps {
  object: string;
  views: View[];
  view: View | undefined;
  /** What is shown now, which a view would keep. */
  shown: Partial<ViewDefinition>;
  /** Whether it differs from the chosen view. */
  changed: boolean;
}

export function ViewsMenu({ object, views, view, shown, changed }: ViewsProps) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const open = useOpenView(object);
  const { mine, others } = grouped(views, useMyId());
  const [dialog, setDialog] = useState<'save' | 'manage' | null>(null);
  const close = () => setDialog(null);
  const saved = async (kept: View) => {
    await client.invalidateQueries({ queryKey: viewsKey });
    notice.done({ text: t.views.saved(kept.name) });
    open(kept);
  };
  const update = async (known: View) => {
    try {
      await saved(await changeView(known.id, { definition: shown }));
    } catch (error) {
      notice.failed(t.views.failed, error);
    }
  };
  const entry = (one: View) => (
    <Menu.Item
      key={one.id}
      fw={one.id === view?.id ? 600 : undefined}
      leftSection={
        one.definition.kind === 'board' ? <Columns3 size={14} aria-hidden /> : <List size={14} aria-hidden />
      }
      rightSection={one.first ? <Star size={12} aria-label={t.views.first} /> : undefined}
      onClick={() => open(one)}
    >
      {one.name}
    </Menu.Item>
  );
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
        <Menu.Dropdown mah={480} style={{ overflowY: 'auto' }}>
          <Menu.Item fw={view ? undefined : 600} onClick={() => open(undefined, shown.kind)}>
            {t.views.all}
          </Menu.Item>
          {mine.length > 0 && others.length > 0 && <Menu.Label>{t.views.mine}</Menu.Label>}
          {mine.map(entry)}
          {mine.length > 0 && others.length > 0 && <Menu.Label>{t.views.others}</Menu.Label>}
          {others.map(entry)}
          <Menu.Divider />
          {view?.editable && changed && (
            <Menu.Item onClick={() => void update(view)}>{t.views.update(view.name)}</Menu.Item>
          )}
          <Menu.Item onClick={() => setDialog('save')}>{t.views.save}</Menu.Item>
          {views.length > 0 && (
            <Menu.Item leftSection={<Settings2 size={14} aria-hidden />} onClick={() => setDialog('manage')}>
              {t.views.manage}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {dialog === 'save' && (
        <SaveDialog
          {...{ object, shown, close }}
          done={async (kept) => {
            close();
            await saved(kept);
          }}
        />
      )}
      {dialog === 'manage' && <ManageDialog {...{ object, views, view, close }} />}
    </>
  );
}
