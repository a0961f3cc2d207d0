/** Records as cards in columns by a stage or a choice: moved by mouse, key or menu; counts and sums move with them. */
import { Alert, Stack } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { ProblemError } from '~/api/client';
import { type ObjectFact, objectsQuery, type SeenField } from '~/api/objects';
import { boardKey, boardQuery, CARDS, type Item } from '~/api/records';
import type { View } from '~/api/views';
import { Failed, Waiting } from '~/components/states';
import { FilterPanel } from '~/features/table/filter-panel';
import { changed, effective, type ListSearch } from '~/features/table/search';
import { useViews } from '~/features/views/use-views';
import { useI18n } from '~/i18n';
import { throttle } from '~/live/throttle';
import { useRecordChanges } from '~/live/use-changes';
import { usePipelines } from '~/records/pipelines';
import { RecordDialog } from '~/records/record-dialog';
import { boardField } from '~/records/schema';
import { BoardHead } from './board-head';
import { Columns } from './columns';
import { columnsOf, ofPipeline, pipelinePath, readPipeline } from './pipelines';

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
  return <Viewed key={`${name} ${group.name}`} object={object} group={group} />;
}

/** Waits for the view that the board opens with, and for the pipelines that it can be of. */
function Viewed({ object, group: usual }: { object: ObjectFact; group: SeenField }) {
  const search = useSearch({ from: '/shell/objects/$object/board' });
  const { views, view: found, isPending } = useViews(object.name, search);
  // A view that is a table is shown by the table's page; here it would be another one.
  const view = found?.definition.kind === 'board' ? found : undefined;
  const shown = effective(search, view);
  const group = object.fields.find((field) => field.name === shown.group && !field.retired) ?? usual;
  const path = pipelinePath(object, group);
  const pipelines = usePipelines(path !== null);
  if (isPending || pipelines.isPending) return <Waiting />;
  const kept = readPipeline(shown.filter, path);
  const wanted = search.pipeline ?? kept.pipeline;
  const several = pipelines.all.length > 1 ? pipelines.all : NONE;
  const pipeline = several.find((one) => one.id === wanted) ?? several[0];
  const { filter } = pipeline ? kept : shown;
  return <Board key={group.name} {...{ object, group, filter, views, view, path, pipelines, pipeline }} />;
}

const NONE: Item[] = [];

export interface BoardProps {
  object: ObjectFact;
  group: SeenField;
  /** Without what says of which pipeline the records are. */
  filter: string;
  views: View[];
  view: View | undefined;
  /** What names the pipeline of a record. */
  path: string | null;
  pipelines: { all: Item[]; stages: Item[] };
  /** The one whose stages are the columns, where there are several. */
  pipeline: Item | undefined;
}

function Board(props: BoardProps) {
  const { object, group, filter, path, pipelines, pipeline } = props;
  const search = useSearch({ from: '/shell/objects/$object/board' });
  const { t } = useI18n();
  const client = useQueryClient();
  const [limit, setLimit] = useState(CARDS);
  const [filtering, setFiltering] = useState(filter !== '');
  const [creating, setCreating] = useState(false);
  const navigate = useNavigate();
  const sum = object.fields.find((field) => !field.retired && field.kind.type === 'money')?.name;
  const whole = pipeline && path ? ofPipeline(filter, path, pipeline.id) : filter;
  const board = useQuery({
    ...boardQuery(object.name, { group: group.name, sum, filter: whole, limit }),
    // What is on its way shows what was before, but not of another pipeline.
    placeholderData: (known, before) => {
      const wanted = before?.queryKey.at(-1) as { filter?: string } | undefined;
      return readPipeline(wanted?.filter ?? '', path).pipeline === pipeline?.id ? known : undefined;
    },
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
  const change = (next: Partial<ListSearch>) =>
    void navigate({
      to: '/objects/$object/board',
      params: { object: object.name },
      search: changed(search, next, props.view?.id),
      replace: true,
    });
  const columns =
    board.data && pipeline ? columnsOf(board.data.columns, pipelines.stages, pipeline.id) : board.data?.columns;
  // A new record stands on the board that is looked at.
  const begun =
    pipeline && path && !path.includes('.')
      ? { given: { [path]: pipeline.id }, related: { [path]: [titled(pipeline)] } }
      : undefined;
  const refused = board.error instanceof ProblemError && board.error.status < 500 ? board.error.message : null;
  return (
    <Stack gap="sm">
      <BoardHead
        {...props}
        {...{ search, whole, change, filtering }}
        toggleFilter={() => setFiltering(!filtering)}
        create={object.may.create ? () => setCreating(true) : null}
      />
      {(filtering || refused) && (
        <FilterPanel
          key={filter}
          object={object}
          filter={filter}
          mistake={refused}
          apply={(next) => change({ filter: next })}
        />
      )}
      {board.isPending && <Waiting />}
      {board.isError && <Failed error={board.error} title={t.table.failed} retry={() => board.refetch()} />}
      {columns && (
        <Columns
          object={object}
          group={group}
          sum={sum}
          filter={whole}
          columns={columns}
          limit={limit}
          setLimit={setLimit}
        />
      )}
      {creating && <RecordDialog object={object} {...begun} close={() => setCreating(false)} done={again} />}
    </Stack>
  );
}

const titled = (pipeline: Item) => ({ id: pipeline.id, object: 'pipeline', title: String(pipeline.fields.name ?? '') });
