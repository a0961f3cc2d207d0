/** An import that runs or has ended: how far it is, what it became, the way back. */
import { Alert, Button, Group, Progress, Stack, Title } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { cancelImport, errorsAddress, type Import, importKey } from '~/api/imports';
import type { ObjectFact } from '~/api/objects';
import { ButtonTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { useUndo } from '~/records/undo';
import { Counts } from './check-step';

export function RunStep({ object, work }: { object: ObjectFact; work: Import }) {
  const { t, format } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const notice = useNotice();
  const undo = useUndo();
  const isRunning = work.state === 'running';
  const stop = async () => {
    try {
      client.setQueryData([...importKey, work.id], await cancelImport(work.id));
    } catch (error) {
      notice.failed(t.settings.failed, error);
    }
  };
  const { batch } = work;
  return (
    <Stack>
      <Title order={2} size="h4" role="status">
        {t.import.states[work.state]}
      </Title>
      {isRunning && (
        <Progress
          value={work.total === 0 ? 0 : (100 * work.position) / work.total}
          aria-label={t.import.progress(format.number(work.position, 0), format.number(work.total, 0))}
        />
      )}
      {work.message && <Alert color="red">{work.message}</Alert>}
      <Counts tally={work} />
      <Group>
        {isRunning && (
          <Button variant="default" onClick={() => void stop()}>
            {t.import.stop}
          </Button>
        )}
        {!isRunning && (
          <ButtonTo to="/objects/$object" params={{ object: object.name }}>
            {t.import.toRecords(say(object.plural))}
          </ButtonTo>
        )}
        {work.failed > 0 && (
          <Button component="a" href={errorsAddress(work.id)} download variant="default">
            {t.import.errors}
          </Button>
        )}
        {!isRunning && batch && (
          <Button variant="default" onClick={() => void undo(batch)}>
            {t.import.undo}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
