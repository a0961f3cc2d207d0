/** What kinds of records there are: the organisation's own objects and fields are added here. */
import { Badge, Button, Group, Stack, Table, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import {
  defineObject,
  type ObjectDefinition,
  type ObjectFact,
  objectsKey,
  objectsQuery,
  type SeenField,
} from '~/api/objects';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { FieldDefinitionDialog } from './field-definition-dialog';
import { ObjectDialog } from './object-dialog';
import { Part, useAct } from './part';

export function Objects() {
  const { t, format } = useI18n();
  const say = useSay();
  const objects = useQuery(objectsQuery);
  const [adding, setAdding] = useState(false);
  const [chosen, setChosen] = useState<string | null>(null);
  const object = objects.data?.find((one) => one.name === chosen);
  if (object) return <ObjectFields object={object} close={() => setChosen(null)} />;
  return (
    <Part
      label={t.settings.sections.objects}
      lead={t.objects.lead}
      query={objects}
      heads={[t.objects.object, t.objects.name, t.objects.fields]}
      add={{ label: t.objects.add, act: () => setAdding(true) }}
      row={(one) => (
        <Table.Tr key={one.name} data-object={one.name}>
          <Table.Td>
            <AnchorTo size="sm" to="/objects/$object" params={{ object: one.name }}>
              {say(one.plural)}
            </AnchorTo>{' '}
            {one.custom && <Badge variant="default">{t.objects.own}</Badge>}
          </Table.Td>
          <Table.Td ff="monospace">{one.name}</Table.Td>
          <Table.Td>{format.number(one.fields.filter((field) => !field.retired).length, 0)}</Table.Td>
          <Table.Td ta="right">
            <Button size="compact-xs" variant="default" onClick={() => setChosen(one.name)}>
              {t.objects.editFields(say(one.plural))}
            </Button>
          </Table.Td>
        </Table.Tr>
      )}
    >
      {adding && <ObjectDialog taken={objects.data ?? []} close={() => setAdding(false)} />}
    </Part>
  );
}

/** The definition as it is written: without what is said of the reader. */
export function definitionOf({ may: _, fields, ...object }: ObjectFact): ObjectDefinition {
  return { ...object, fields: fields.map(({ writable: __, ...field }) => field) };
}

function ObjectFields({ object, close }: { object: ObjectFact; close(): void }) {
  const { t } = useI18n();
  const say = useSay();
  const act = useAct(objectsKey);
  const [adding, setAdding] = useState(false);
  const retire = (field: SeenField) => {
    const definition = definitionOf(object);
    const fields = definition.fields.map((one) =>
      one.name === field.name ? { ...one, retired: !field.retired } : one,
    );
    const text = field.retired ? t.objects.broughtBack(say(field.label)) : t.objects.retired(say(field.label));
    void act(() => defineObject({ ...definition, fields }), text);
  };
  return (
    <Stack>
      <Group justify="space-between">
        <Button size="xs" variant="subtle" onClick={close}>
          {t.objects.back}
        </Button>
        <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={() => setAdding(true)}>
          {t.objects.addField}
        </Button>
      </Group>
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
        <Table verticalSpacing="xs" aria-label={say(object.plural)}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.edit.field}</Table.Th>
              <Table.Th>{t.objects.name}</Table.Th>
              <Table.Th>{t.objects.kind}</Table.Th>
              <Table.Td />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {object.fields.map((field) => (
              <Table.Tr key={field.name} opacity={field.retired ? 0.7 : 1} data-field={field.name}>
                <Table.Td>
                  {say(field.label)} {field.custom && <Badge variant="default">{t.objects.own}</Badge>}
                </Table.Td>
                <Table.Td ff="monospace">{field.name}</Table.Td>
                <Table.Td>
                  {t.objects.kinds[field.kind.type]}
                  {field.required && (
                    <Text span size="xs" c="dimmed">
                      {' '}
                      {t.objects.required}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td ta="right">
                  {field.custom && field.name !== object.title && (
                    <Button size="compact-xs" variant="default" onClick={() => retire(field)}>
                      {field.retired ? t.objects.bringBack : t.objects.retire}
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {adding && <FieldDefinitionDialog object={object} close={() => setAdding(false)} />}
    </Stack>
  );
}
