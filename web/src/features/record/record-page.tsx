/** One record, live: its fields, what happened to it and was done about it, what belongs to it. */
import { Alert, Button, Card, Grid, Group, Stack, Tabs, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { GitMerge, RotateCcw, Trash2, UserCheck } from 'lucide-react';
import { useState } from 'react';
import { ProblemError } from '~/api/client';
import { type ObjectFact, objectsQuery } from '~/api/objects';
import { type Item, itemKey, itemQuery, listsKey, recordsKey, restore } from '~/api/records';
import { Ago } from '~/components/ago';
import { AnchorTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useRecordChanges } from '~/live/use-changes';
import { usePerson, useSay } from '~/records/reader';
import { titleOf } from '~/records/schema';
import { useDelete } from '~/records/trash';
import { Activities } from './activities';
import { ConvertDialog } from './convert-dialog';
import { CustomerPanel } from './customer-panel';
import { FieldsCard } from './fields-card';
import { FileActions } from './file-actions';
import { FilesCard } from './files-card';
import { History } from './history';
import { activitiesOf, holdsFiles, isActivity, linksTo } from './links';
import { MergeDialog } from './merge-dialog';
import { RelatedCard } from './related-card';

export function RecordPage() {
  const { object: name, id } = useParams({ from: '/shell/objects/$object/$id' });
  const { t } = useI18n();
  const client = useQueryClient();
  const objects = useQuery(objectsQuery);
  const item = useQuery(itemQuery(name, id));
  useRecordChanges({
    onChanges: (changes) => {
      const known = item.data?.version ?? 0;
      if (changes.some((one) => one.record === id && one.version > known)) {
        void client.invalidateQueries({ queryKey: itemKey(name, id) });
      }
      // Tasks, notes and what else names the record may have come or gone.
      for (const object of new Set(changes.map((one) => one.object))) {
        if (object !== name) void client.invalidateQueries({ queryKey: listsKey(object) });
      }
    },
    onResync: () => void client.invalidateQueries({ queryKey: [...recordsKey] }),
  });
  if (objects.isPending || item.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const object = objects.data.find((one) => one.name === name);
  if (!object) return <Alert m="md">{t.table.missing}</Alert>;
  if (item.isError) {
    const isMissing = item.error instanceof ProblemError && item.error.status === 404;
    return isMissing ? (
      <Missing object={object} />
    ) : (
      <Failed error={item.error} title={t.record.failed} retry={() => item.refetch()} />
    );
  }
  return <Known key={id} object={object} objects={objects.data} item={item.data} />;
}

function Missing({ object }: { object: ObjectFact }) {
  const { t } = useI18n();
  const say = useSay();
  return (
    <Stack align="flex-start">
      <Title order={1} size="h3">
        {t.record.missing}
      </Title>
      <Text>{t.record.missingHelp}</Text>
      <AnchorTo to="/objects/$object" params={{ object: object.name }}>
        {say(object.plural)}
      </AnchorTo>
    </Stack>
  );
}

function Known({ object, objects, item }: { object: ObjectFact; objects: ObjectFact[]; item: Item }) {
  const { t } = useI18n();
  const links = linksTo(objects, object.name);
  const activities = activitiesOf(links);
  const customer = typeof item.fields.customer_id === 'string' ? item.fields.customer_id : null;
  const [tab, setTab] = useState(activities.length > 0 ? 'activity' : 'history');
  return (
    <Stack gap="sm">
      <Head object={object} item={item} />
      <Grid>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <FieldsCard object={object} item={item} />
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Card withBorder>
            <Tabs value={tab} onChange={(next) => setTab(next ?? tab)} keepMounted={false}>
              <Tabs.List mb="sm">
                {activities.length > 0 && <Tabs.Tab value="activity">{t.record.activity}</Tabs.Tab>}
                <Tabs.Tab value="history">{t.record.history}</Tabs.Tab>
                {customer && <Tabs.Tab value="customer">{t.record.customer}</Tabs.Tab>}
              </Tabs.List>
              <Tabs.Panel value="activity">
                <Activities object={object} item={item} links={activities} />
              </Tabs.Panel>
              <Tabs.Panel value="history">
                <History object={object} item={item} />
              </Tabs.Panel>
              {customer && (
                <Tabs.Panel value="customer">
                  <CustomerPanel customer={customer} />
                </Tabs.Panel>
              )}
            </Tabs>
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 3 }}>
          <Stack gap="sm">
            {links
              .filter((link) => !isActivity(link))
              .map((link) => {
                const key = `${link.object.name}-${link.field.name}`;
                return holdsFiles(link) ? (
                  <FilesCard key={key} item={item} link={link} />
                ) : (
                  <RelatedCard key={key} of={object} item={item} link={link} />
                );
              })}
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Head({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const say = useSay();
  const person = usePerson();
  return (
    <Group justify="space-between" align="flex-end">
      <div>
        <AnchorTo to="/objects/$object" params={{ object: object.name }} size="sm">
          {say(object.plural)}
        </AnchorTo>
        <Title order={1} size="h2" data-testid="title">
          {titleOf(object, item)}
        </Title>
        <Text size="sm" c="dimmed">
          {t.record.changedBy(person(item.updated_by))} <Ago at={item.updated_at} />
        </Text>
      </div>
      {item.deleted_at ? <Deleted object={object} item={item} /> : <Actions object={object} item={item} />}
    </Group>
  );
}

function Deleted({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const notice = useNotice();
  const back = async () => {
    try {
      await restore(object.name, item.id);
    } catch (error) {
      notice.failed(t.table.undoFailed, error);
    }
    await client.invalidateQueries({ queryKey: [...recordsKey, object.name] });
  };
  return (
    <Group gap="xs">
      <Text size="sm">{t.record.inTrash}</Text>
      {object.may.delete && (
        <Button size="xs" leftSection={<RotateCcw size={14} aria-hidden />} onClick={() => void back()}>
          {t.table.restore}
        </Button>
      )}
    </Group>
  );
}

function Actions({ object, item }: { object: ObjectFact; item: Item }) {
  const { t } = useI18n();
  const navigate = useNavigate();
  const remove = useDelete(object);
  const [dialog, setDialog] = useState<'merge' | 'convert' | null>(null);
  const leave = () => navigate({ to: '/objects/$object', params: { object: object.name } });
  const close = () => setDialog(null);
  const isLead = object.name === 'lead' && item.fields.status !== 'converted';
  const common = { size: 'xs', variant: 'default' } as const;
  return (
    <Group gap="xs">
      {object.name === 'file' && <FileActions object={object} item={item} />}
      {isLead && object.may.update && (
        <Button size="xs" leftSection={<UserCheck size={14} aria-hidden />} onClick={() => setDialog('convert')}>
          {t.record.convert}
        </Button>
      )}
      {object.may.update && object.may.delete && (
        <Button {...common} leftSection={<GitMerge size={14} aria-hidden />} onClick={() => setDialog('merge')}>
          {t.record.merge}
        </Button>
      )}
      {object.may.delete && (
        <Button {...common} leftSection={<Trash2 size={14} aria-hidden />} onClick={() => void remove(item, leave)}>
          {t.table.remove}
        </Button>
      )}
      {dialog === 'merge' && <MergeDialog object={object} item={item} close={close} />}
      {dialog === 'convert' && <ConvertDialog item={item} close={close} />}
    </Group>
  );
}
