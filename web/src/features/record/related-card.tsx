/** Records of one kind that belong to the record of the page. */
import { ActionIcon, Card, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import type { ObjectFact } from '~/api/objects';
import { fewQuery, type Item } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { useSay, useText } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { titleOf } from '~/records/schema';
import { given, type Link, linkFilter } from './links';

const SHOWN = 5;
/** Fields that tell most about a related record, the first that it has. */
const TELLING = ['amount', 'status', 'stage', 'email', 'job_title'];

export function RelatedCard({ of, item, link }: { of: ObjectFact; item: Item; link: Link }) {
  const { t, format } = useI18n();
  const say = useSay();
  const text = useText();
  const [making, setMaking] = useState(false);
  const { object } = link;
  const filter = linkFilter(link, item.id);
  const found = useQuery(fewQuery(object.name, filter, SHOWN));
  const records = found.data?.records ?? [];
  const total = found.data?.total ?? records.length;
  const telling = object.fields.find((field) => TELLING.includes(field.name) && field.name !== link.field.name);
  // Two fields may name the same object: the title says which one this is.
  const isPlain = link.field.name === of.name;
  const title = isPlain ? say(object.plural) : `${say(object.plural)} (${say(link.field.label)})`;
  return (
    <Card withBorder p="sm" data-related={`${object.name}-${link.field.name}`}>
      <Group justify="space-between" wrap="nowrap">
        <Title order={2} size="h6">
          {title} {total > 0 && format.number(total, 0)}
        </Title>
        {object.may.create && (
          <ActionIcon
            variant="subtle"
            size="sm"
            aria-label={`${t.table.create(say(object.label))}, ${say(link.field.label)}`}
            onClick={() => setMaking(true)}
          >
            <Plus size={14} aria-hidden />
          </ActionIcon>
        )}
      </Group>
      <Stack gap={4}>
        {records.map((one) => (
          <Group key={one.id} gap="xs" justify="space-between" wrap="nowrap">
            <AnchorTo size="sm" to="/objects/$object/$id" params={{ object: object.name, id: one.id }}>
              {titleOf(object, one)}
            </AnchorTo>
            {telling && (
              <Text size="xs" c="dimmed" ta="right">
                {text(one, telling)}
              </Text>
            )}
          </Group>
        ))}
      </Stack>
      {total > records.length && (
        <AnchorTo size="xs" mt={4} to="/objects/$object" params={{ object: object.name }} search={{ filter }}>
          {t.record.allOf(format.number(total, 0))}
        </AnchorTo>
      )}
      {making && (
        <RecordDialog
          object={object}
          given={given(link, item.id)}
          related={{ [link.field.name]: [{ id: item.id, object: of.name, title: titleOf(of, item) }] }}
          close={() => setMaking(false)}
        />
      )}
    </Card>
  );
}
