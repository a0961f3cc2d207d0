/** A file becomes records: it is brought, its columns are mapped, a dry run shows what would come of it, then it runs. */
import { Alert, Button, FileInput, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { type Check, importKey, importQuery, uploadImport } from '~/api/imports';
import { type ObjectFact, objectsQuery } from '~/api/objects';
import { AnchorTo } from '~/components/links';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { CheckStep } from './check-step';
import { MappingStep } from './mapping-step';
import { RunStep } from './run-step';

export function ImportPage() {
  const { object: name } = useParams({ from: '/shell/objects/$object/import' });
  const { id } = useSearch({ from: '/shell/objects/$object/import' });
  const { t } = useI18n();
  const say = useSay();
  const objects = useQuery(objectsQuery);
  if (objects.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const object = objects.data.find((one) => one.name === name);
  if (!object) return <Alert m="md">{t.table.missing}</Alert>;
  return (
    <Stack maw={1100}>
      <div>
        <AnchorTo to="/objects/$object" params={{ object: name }} size="sm">
          {say(object.plural)}
        </AnchorTo>
        <Title order={1} size="h2">
          {t.import.title(say(object.plural))}
        </Title>
      </div>
      {id ? <Steps key={id} object={object} id={id} /> : <Upload object={object} />}
    </Stack>
  );
}

function Upload({ object }: { object: ObjectFact }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [file, setFile] = useState<File | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const send = async () => {
    if (!file) return;
    setBusy(true);
    setError(null);
    try {
      const made = await uploadImport(object.name, file);
      client.setQueryData([...importKey, made.id], made);
      await navigate({ to: '/objects/$object/import', params: { object: object.name }, search: { id: made.id } });
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <Stack maw={520}>
      <FileInput
        label={t.import.file}
        description={t.import.fileHelp}
        placeholder={t.importing.choose}
        accept=".csv,.tsv,.txt,.xlsx,.jsonl"
        value={file}
        onChange={setFile}
      />
      {error && (
        <Alert color="red" title={t.import.notRead} role="alert">
          {error.message}
        </Alert>
      )}
      <Group>
        <Button disabled={!file} loading={busy} onClick={() => void send()}>
          {t.import.next}
        </Button>
      </Group>
    </Stack>
  );
}

function Steps({ object, id }: { object: ObjectFact; id: string }) {
  const { t } = useI18n();
  const found = useQuery(importQuery(id));
  const [check, setCheck] = useState<Check | null>(null);
  if (found.isPending) return <Waiting />;
  if (found.isError) return <Failed error={found.error} retry={() => found.refetch()} />;
  const work = found.data;
  if (work.state !== 'uploaded') return <RunStep object={object} work={work} />;
  if (check) return <CheckStep object={object} work={work} check={check} back={() => setCheck(null)} />;
  return (
    <>
      <Text size="sm">
        {work.name} · {t.import.rows(work.total)} · {work.about.encoding}
        {work.about.system && ` · ${work.about.system}`}
        {work.about.remembered && ` · ${t.import.remembered}`}
      </Text>
      <MappingStep object={object} work={work} checked={setCheck} />
    </>
  );
}
