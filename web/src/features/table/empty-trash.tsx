/** Deletes what lies in a trash for good, after asking: nothing brings it back. */
import { Button, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { emptyTrash, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';

export function EmptyTrash({ object }: { object: ObjectFact }) {
  const { t, format } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const notice = useNotice();
  const [asking, setAsking] = useState(false);
  const what = say(object.plural);
  const submit = async () => {
    const { gone } = await emptyTrash(object.name);
    setAsking(false);
    await client.invalidateQueries({ queryKey: [...recordsKey, object.name] });
    notice.done({ text: t.files.purged(gone, format.number(gone, 0)) });
  };
  return (
    <div>
      <Button
        size="xs"
        color="red"
        variant="light"
        leftSection={<Trash2 size={14} aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {t.files.emptyTrash}
      </Button>
      {asking && (
        <FormDialog
          title={t.files.emptyTrashOf(what)}
          send={t.files.emptyTrash}
          failed={t.files.notPurged}
          disabled={false}
          submit={submit}
          close={() => setAsking(false)}
        >
          <Text size="sm">{t.files.emptyTrashHelp}</Text>
        </FormDialog>
      )}
    </div>
  );
}
