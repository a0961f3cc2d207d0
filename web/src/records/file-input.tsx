/** A file as a value: one that is there already, or one that is brought now. */
import { ActionIcon, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { useState } from 'react';
import { uploadFile } from '~/api/files';
import { listsKey } from '~/api/records';
import { FileChoice } from '~/components/file-choice';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useObjects } from './reader';
import { RelationInput, type RelationProps } from './relation-input';

export function FileInput(props: Omit<RelationProps, 'object' | 'many'>) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const [busy, setBusy] = useState(false);
  const mayCreate = useObjects().some((object) => object.name === 'file' && object.may.create);
  const bring = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    try {
      const made = await uploadFile(file);
      await client.invalidateQueries({ queryKey: listsKey('file') });
      if (made) props.onChange(made.id, [{ id: made.id, object: 'file', title: file.name }]);
    } catch (error) {
      notice.failed(t.files.failed(file.name), error);
    }
    setBusy(false);
  };
  return (
    <Group gap={4} wrap="nowrap" align="flex-end">
      <div style={{ flex: 1 }}>
        <RelationInput {...props} object="file" />
      </div>
      {mayCreate && (
        <FileChoice onChange={(file) => void bring(file)}>
          {(button) => (
            <ActionIcon
              {...button}
              variant="default"
              size={props.input.size === 'xs' ? 'md' : 'input-sm'}
              loading={busy}
              aria-label={t.files.upload}
            >
              <Upload size={14} aria-hidden />
            </ActionIcon>
          )}
        </FileChoice>
      )}
    </Group>
  );
}
