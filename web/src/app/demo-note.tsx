/** Says that records are made up while demo data is there; administrators remove it here. */
import { Alert, Button, Group, Progress, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type Demo, demoKey, demoQuery, removeDemo } from '~/api/demo';
import { colleaguesKey, meQuery } from '~/api/people';
import { batchesKey, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

export function DemoNote() {
  const { t, format } = useI18n();
  const demo = useQuery(demoQuery).data;
  const me = useQuery(meQuery).data;
  const [asking, { open, close }] = useDisclosure(false);
  useTellEnd(demo);
  if (!demo || demo.state === 'removed') return null;
  const isAdministrator = me === null || me?.administrator === true;
  const left = demo.records - demo.removed;
  return (
    <Alert variant="light" color="yellow" mb="md" py="xs" data-testid="demo">
      {demo.state === 'filled' ? (
        <Group justify="space-between" gap="xs">
          <Text size="sm" style={{ flex: '1 1 20rem' }}>
            {t.demo.note(format.number(demo.records, 0))}
          </Text>
          {isAdministrator && (
            <Button size="compact-sm" variant="default" onClick={open}>
              {t.demo.remove}
            </Button>
          )}
        </Group>
      ) : (
        <>
          <Text size="sm" role="status">
            {t.demo.removing(format.number(left, 0))}
          </Text>
          <Progress
            mt={6}
            size="sm"
            value={demo.records === 0 ? 100 : (demo.removed / demo.records) * 100}
            aria-label={t.demo.removing(format.number(left, 0))}
          />
        </>
      )}
      {asking && <RemoveDialog demo={demo} close={close} />}
    </Alert>
  );
}

function RemoveDialog({ demo, close }: { demo: Demo; close(): void }) {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const submit = async () => {
    await removeDemo();
    close();
    await client.invalidateQueries({ queryKey: demoKey });
  };
  return (
    <FormDialog
      title={t.demo.remove}
      send={t.demo.remove}
      failed={t.demo.failed}
      disabled={false}
      submit={submit}
      close={close}
    >
      <Text size="sm">{t.demo.goes(format.number(demo.records, 0))}</Text>
      <Text size="sm">{t.demo.stays}</Text>
    </FormDialog>
  );
}

/** When a removal ends: what came of it, and everything that may show records is asked for again. */
function useTellEnd(demo: Demo | null | undefined): void {
  const { t, format } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const before = useRef(demo?.state);
  useEffect(() => {
    const was = before.current;
    before.current = demo?.state;
    if (was !== 'removing' || demo?.state !== 'removed') return;
    const [removed, kept] = [format.number(demo.removed, 0), format.number(demo.kept, 0)];
    notice.done({ text: t.demo.removed(removed, demo.kept === 0 ? null : kept) });
    for (const queryKey of [recordsKey, batchesKey, colleaguesKey, ['duplicates'], ['audit']]) {
      void client.invalidateQueries({ queryKey: [...queryKey] });
    }
  }, [demo, client, notice, t, format]);
}
