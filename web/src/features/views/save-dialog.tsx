/** Keeps what is shown as a view. */
import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { saveView, type View, type ViewDefinition } from '~/api/views';
import { FormDialog } from '~/components/form-dialog';
import { useI18n } from '~/i18n';
import { type Sharing, SharingInput } from './sharing-input';

interface SaveProps {
  object: string;
  shown: Partial<ViewDefinition>;
  close(): void;
  done(view: View): Promise<void>;
}

export function SaveDialog({ object, shown, close, done }: SaveProps) {
  const { t } = useI18n();
  const [name, setName] = useState('');
  const [sharing, setSharing] = useState<Sharing>({ shared: 'private', team: null });
  return (
    <FormDialog
      title={t.views.save}
      send={t.edit.save}
      failed={t.views.failed}
      disabled={name.trim() === ''}
      submit={async () => done(await saveView({ object, name: name.trim(), ...sharing, definition: shown }))}
      close={close}
    >
      <TextInput
        label={t.views.name}
        data-autofocus
        maxLength={80}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <SharingInput label={t.views.shared} value={sharing} onChange={setSharing} />
    </FormDialog>
  );
}
