/** A model that was made elsewhere comes into the registry. */
import { FileInput, Select, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { importModel, modelsKey } from '~/api/models';
import type { ScoreDefinition } from '~/api/queries';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useTitles } from '~/components/titles';
import { useI18n } from '~/i18n';

export function ImportDialog({ scores, close }: { scores: ScoreDefinition[]; close(): void }) {
  const { t } = useI18n();
  const title = useTitles();
  const client = useQueryClient();
  const navigate = useNavigate();
  const notice = useNotice();
  const [score, setScore] = useState(scores[0]?.name ?? '');
  const [file, setFile] = useState<File | null>(null);
  const [inputs, setInputs] = useState('');
  const submit = async () => {
    if (!file) return;
    const imported = await importModel(score, file, inputs);
    await client.invalidateQueries({ queryKey: modelsKey });
    notice.done({ text: t.importing.done(String(imported.version)) });
    await navigate({ to: '/models/$score/$version', params: { score, version: String(imported.version) } });
  };
  return (
    <FormDialog
      title={t.models.import}
      send={t.models.import}
      failed={t.importing.failed}
      disabled={!file}
      submit={submit}
      close={close}
    >
      <Select
        label={t.training.score}
        data={scores.map((one) => ({ value: one.name, label: title(one.name) }))}
        value={score}
        onChange={(next) => setScore(next ?? score)}
        allowDeselect={false}
      />
      <FileInput
        label={t.importing.file}
        description={t.importing.fileHelp}
        placeholder={t.importing.choose}
        value={file}
        onChange={setFile}
      />
      <TextInput
        label={t.importing.inputs}
        description={t.importing.inputsHelp}
        value={inputs}
        onChange={(event) => setInputs(event.currentTarget.value)}
      />
      <Text size="sm" c="dimmed">
        {t.importing.help}
      </Text>
    </FormDialog>
  );
}
