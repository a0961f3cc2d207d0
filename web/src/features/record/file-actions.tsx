/** What can be done with a file itself: taking its content, and giving it another. */
import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Download, Upload } from 'lucide-react';
import { useState } from 'react';
import { fileAddress, replaceFile } from '~/api/files';
import type { ObjectFact } from '~/api/objects';
import { type Item, recordsKey } from '~/api/records';
import { FileChoice } from '~/components/file-choice';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { titleOf } from '~/records/schema';

export function FileActions({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const [busy, setBusy] = useState(false);
  const has = typeof item.fields.hash === 'string';
  const title = titleOf(object, item);
  const bring = async (file: File | null) => {
    if (!file) return;
    setBusy(true);
    try {
      await replaceFile(item.id, file, item.version);
      notice.done({ text: t.files.replaced(title) });
    } catch (error) {
      notice.failed(t.files.failed(file.name), error);
    }
    setBusy(false);
    await client.invalidateQueries({ queryKey: [...recordsKey, object.name] });
  };
  return (
    <>
      {has && (
        <Button
          size="xs"
          component="a"
          href={fileAddress(item.id)}
          download
          leftSection={<Download size={14} aria-hidden />}
        >
          {t.files.download}
        </Button>
      )}
      {object.may.update && (
        <FileChoice onChange={(file) => void bring(file)}>
          {(button) => (
            <Button
              {...button}
              size="xs"
              variant="default"
              loading={busy}
              leftSection={<Upload size={14} aria-hidden />}
            >
              {has ? t.files.replace : t.files.upload}
            </Button>
          )}
        </FileChoice>
      )}
    </>
  );
}
