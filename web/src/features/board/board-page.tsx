/** Records as cards in columns by a stage or a choice: moved by mouse, key or menu; counts and sums move with them. */
import { Alert, Button, Group, SegmentedControl, Select, Stack, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Filter, Plus } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { ProblemError } from '~/api/client';
import { type ObjectFact, objectsQuery, type SeenField } from '~/api/objects';
import { boardKey, boardQuery, CARDS } from '~/api/records';
import { Failed, Waiting } from '~/components/states';
import { FilterPanel } from '~/features/table/filter-panel';
import { useI18n } from '~/i18n';
import { throttle } from '~/live/throttle';
import { useRecordChanges } from '~/live/use-changes';
import { useSay } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { boardField } from '~/records/schema';
import { Columns } from './columns';

/** The board is asked for again at most this often while records change. */
const AGAIN_MS = 500;

export function BoardPage() {
  const { object: name } = useParams({ from: '/shell/objects/$object/board' });
  const search = useSearch({ from: '/shell/objects/$object/board' });
  const { t } = useI18n();
  const objects = useQuery(objectsQuery);
  if (objects.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const object = objects.data.find((one) => one.name === name);
  if (!object) return <Alert m="md">{t.table.missing}</Alert>;
  const group = object.fields.find((field) => field.name === search.group) ?? boardField(object);
  if (!group) return <Alert m="md">{t.board.none}</Alert>;
  return <Board key={`${name} ${group.name}`} object={object} group={group} filter={search.filter ?? ''} />;
}

function Board({ object, group, filter }: { object: ObjectFact; group: SeenField; filter: string }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const [limit, setLimit] = useState(CARDS);
  const [filtering, setFiltering] = useState(filter !== '');
  const [creating, setCreating] = useState(false);
  const navigate = useNavigate();
  const sum = object.fields.find((field) => !field.retired && field.kind.type === 'money')?.name;
  const board = useQuery({
    ...boardQuery(object.name, { group: group.name, sum, filter, limit }),
    placeholderData: keepPreviousData,
  });
  const again = useMemo(
    () => throttle(() => client.invalidateQueries({ queryKey: boardKey(object.name) }), AGAIN_MS),
    [client, object.name],
  );
  useEffect(() => again.cancel, [again]);
  useRecordChanges({
    onChanges: (changes) => changes.some((change) => change.object === object.name) && again(),
    onResync: again,
  });
  useHotkeys([['n', () => object.may.create && setCreating(true)]]);
  const apply = (next: string) =>
    void navigate({
      to: '/objects/$object/board',
      params: { object: object.name },
      search: { group: group.name, filter: next === '' ? undefined : next },
    });
  const refused = board.error instanceof ProblemError && board.error.status < 500 ? board.error.message : null;
  return (
    <Stack gap="sm">
      <Head
        {...{ object, group, filter }}
        filtering={filtering}
        toggleFilter={() => setFiltering(!filtering)}
        create={object.may.create ? () => setCreating(true) : null}
      />
      {(filtering || refused) && (
        <FilterPanel key={filter} object={object} filter={filter} mistake={refused} apply={apply} />
      )}
      {board.isPending && <Waiting />}
      {board.isError && <Failed error={board.error} title={t.table.failed} retry={() => board.refetch()} />}
      {board.data && (
        <Columns
          object={object}
          group={group}
          sum={sum}
          filter={filter}
          columns={board.data.columns}
          limit={limit}
          setLimit={setLimit}
        />
      )}
      {creating && <RecordDialog object={object} close={() => setCreating(false)} done={again} />}
    </Stack>
  );
}

interface HeadProps {
  object: ObjectFact;
  group: SeenField;
  filter: string;
  filtering: boolean;
  toggleFilter(): void;
  create: (() => void) | null;
}

function Head({ object, group, filter, filtering, toggleFilter, create }: HeadProps) {
  const { t } = useI18n();
  const say = useSay();
  const navigate = useNavigate();
  const params = { object: object.name };
  const kept = filter === '' ? undefined : filter;
  const groups = object.fields.filter(
    (field) => !field.retired && (field.kind.type === 'choice' || field.kind.object === 'stage'),
  );
  return (
    <Group justify="space-between" align="flex-end" gap="xs">
      <Title order={1} size="h2">
        {say(object.plural)}
      </Title>
      <Group gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={t.table.shownAs}
          value="board"
          data={[
            { value: 'table', label: t.table.table },
            { value: 'board', label: t.table.board },
          ]}
          onChange={() => void navigate({ to: '/objects/$object', params, search: { filter: kept } })}
        />
        {groups.length > 1 && (
          <Select
            size="xs"
            w={150}
            aria-label={t.board.group}
            data={groups.map((field) => ({ value: field.name, label: say(field.label) }))}
            value={group.name}
            allowDeselect={false}
            onChange={(next) =>
              void navigate({
                to: '/objects/$object/board',
                params,
                search: { filter: kept, group: next ?? group.name },
              })
            }
          />
        )}
        <Button
          size="xs"
          variant="default"
          leftSection={<Filter size={14} aria-hidden />}
          aria-expanded={filtering}
          onClick={toggleFilter}
        >
          {t.table.filter}
        </Button>
        {create && (
          <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={create}>
            {t.table.create(say(object.label))}
          </Button>
        )}
      </Group>
    </Group>
  );
}
