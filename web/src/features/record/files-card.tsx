/** The files of a record: brought by a button or dropped here, taken away by their names. */
import { Anchor, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Paperclip } from 'lucide-react';
import { type DragEvent, useState } from 'react';
import { fileAddress, uploadFile } from '~/api/files';
import { fewQuery, type Item, listsKey } from '~/api/records';
import { FileChoice } from '~/components/file-choice';
import { AnchorTo } from '~/components/links';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { titleOf } from '~/records/schema';
import { useDelete } from '~/records/trash';
import { given, type Link, linkFilter } from './links';

const SHOWN = 10;

export function FilesCard({ item, link }: { item: Item; link: Link }) {
  const { t, format } = useI18n();
  const say = useSay();
  const client = useQueryClient();
  const notice = useNotice();
  const remove = useDelete(link.object);
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const { object } = link;
  const filter = linkFilter(link, item.id);
  const found = useQuery(fewQuery(object.name, filter, SHOWN));
  const records = found.data?.records ?? [];
  const total = found.data?.total ?? records.length;
  const mayBring = object.may.create && !item.deleted_at;
  const bring = async (files: File[]) => {
    setBusy(true);
    for (const file of files) {
      try {
        const made = await uploadFile(file, given(link, item.id));
        notice.done({ text: t.files.attached(file.name), undo: made ? () => remove(made) : undefined });
      } catch (error) {
        notice.failed(t.files.failed(file.name), error);
      }
    }
    setBusy(false);
    await client.invalidateQueries({ queryKey: listsKey(object.name) });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void bring([...event.dataTransfer.files]);
  };
  const target = mayBring && {
    onDragOver: (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: () => setOver(false),
    onDrop: drop,
  };
  return (
    <Card withBorder p="sm" data-files data-over={over || undefined} {...target}>
      <Group justify="space-between" wrap="nowrap" mb={4}>
        <Title order={2} size="h6">
          {say(object.plural)} {total > 0 && format.number(total, 0)}
        </Title>
        {mayBring && (
          <FileChoice multiple onChange={(files) => void bring(files)}>
            {(button) => (
              <Button
                {...button}
                size="compact-xs"
                variant="subtle"
                loading={busy}
                leftSection={<Paperclip size={14} aria-hidden />}
              >
                {t.files.attach}
              </Button>
            )}
          </FileChoice>
        )}
      </Group>
      {mayBring && records.length === 0 && (
        <Text size="xs" c="dimmed">
          {t.files.drop}
        </Text>
      )}
      <Stack gap={4}>
        {records.map((one) => (
          <FileLine key={one.id} link={link} item={one} />
        ))}
      </Stack>
      {total > records.length && (
        <AnchorTo size="xs" mt={4} to="/objects/$object" params={{ object: object.name }} search={{ filter }}>
          {t.record.allOf(format.number(total, 0))}
        </AnchorTo>
      )}
    </Card>
  );
}

function FileLine({ link, item }: { link: Link; item: Item }) {
  const { t, format } = useI18n();
  const title = titleOf(link.object, item);
  const { hash, size } = item.fields;
  return (
    <Group gap="xs" justify="space-between" wrap="nowrap" data-file={item.id}>
      {typeof hash === 'string' ? (
        <Anchor
          size="sm"
          href={fileAddress(item.id)}
          download
          title={t.files.download}
          style={{ overflowWrap: 'anywhere' }}
        >
          {title}
        </Anchor>
      ) : (
        <Text size="sm">{title}</Text>
      )}
      <Group gap="xs" wrap="nowrap" style={{ flexShrink: 0, whiteSpace: 'nowrap' }}>
        {typeof size === 'number' && (
          <Text size="xs" c="dimmed">
            {format.bytes(size)}
          </Text>
        )}
        <AnchorTo
          size="xs"
          to="/objects/$object/$id"
          params={{ object: link.object.name, id: item.id }}
          aria-label={t.files.about(title)}
        >
          {t.files.details}
        </AnchorTo>
      </Group>
    </Group>
  );
}
