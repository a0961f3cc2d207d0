/** A model that was made elsewhere comes into the registry. */
import { Alert, Button, FileInput, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { importModel, modelsKey } from '~/api/models';
import type { ScoreDefinition } from '~/api/queries';
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
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!file) return;
    setBusy(true);
    setError(null);
    try {
      const imported = await importModel(score, file, inputs);
      await client.invalidateQueries({ queryKey: modelsKey });
      notice.done({ text: t.importing.done(String(imported.version)) });
      await navigate({ to: '/models/$score/$version', params: { score, version: String(imported.version) } });
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={t.models.import} closeButtonProps={{ 'aria-label': t.app.close }} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
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
          {error && (
            <Alert color="red" title={t.importing.failed} role="alert">
              {error.message}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t.app.cancel}
            </Button>
            <Button type="submit" loading={busy} disabled={!file}>
              {t.models.import}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
