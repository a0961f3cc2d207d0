/** The records of an object as a table. What it shows stands in its address, so that it can be linked, saved and gone back to. */
import { Alert, Button, Stack, Text, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Navigate, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { ProblemError } from '~/api/client';
import { type ObjectFact, objectsQuery } from '~/api/objects';
import { type Item, PAGE } from '~/api/records';
import type { View } from '~/api/views';
import { Failed, Waiting } from '~/components/states';
import { useViews } from '~/features/views/use-views';
import { useI18n } from '~/i18n';
import { useSave } from '~/records/edit';
import { useFields, useSay } from '~/records/reader';
import { RecordDialog } from '~/records/record-dialog';
import { firstColumns } from '~/records/schema';
import { BulkBar } from './bulk-bar';
import { EmptyTrash } from './empty-trash';
import { FilterPanel } from './filter-panel';
import { Grid } from './grid';
import { useLiveList } from './live-list';
import { changed, effective, type ListSearch } from './search';
import { Toolbar } from './toolbar';
import { useRows } from './use-rows';

export function TablePage() {
  const { object: name } = useParams({ from: '/shell/objects/$object' });
  const { t } = useI18n();
  const objects = useQuery(objectsQuery);
  if (objects.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const object = objects.data.find((one) => one.name === name);
  // Another object begins anew: its own selection, filter and cell.
  return object ? <Viewed key={name} object={object} /> : <Alert m="md">{t.table.missing}</Alert>;
}

/** Waits for the view that the list opens with; one that is a board has another page. */
function Viewed({ object }: { object: ObjectFact }) {
  const search = useSearch({ from: '/shell/objects/$object' });
  const { views, view, isPending } = useViews(object.name, search);
  if (isPending) return <Waiting />;
  if (view?.definition.kind === 'board') {
    const there = { ...search, view: view.id };
    return <Navigate to="/objects/$object/board" params={{ object: object.name }} search={there} replace />;
  }
  return <Table {...{ object, views, view }} />;
}

interface TableProps {
  object: ObjectFact;
  views: View[];
  view: View | undefined;
}

function Table({ object, views, view }: TableProps) {
  const search = useSearch({ from: '/shell/objects/$object' });
  const navigate = useNavigate();
  const say = useSay();
  const fields = useFields(object);
  const shown = effective(search, view);
  const { filter, sort, q, trash } = shown;
  const wanted = useMemo(
    () => ({ filter, sort: q === '' ? sort : undefined, q, trash: trash || undefined }),
    [filter, sort, q, trash],
  );
  const { head, rows, failed } = useRows(object.name, wanted);
  const { total } = rows;
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [onTop, setOnTop] = useState(true);
  const [filtering, setFiltering] = useState(false);
  const [creating, setCreating] = useState(false);
  const live = useLiveList({ object: object.name, filter, trash, items: rows.items, whole: onTop && total <= PAGE });
  const save = useSave(object);

  const change = (next: Partial<ListSearch>) => {
    setSelected(new Set());
    void navigate({
      to: '/objects/$object',
      params: { object: object.name },
      search: changed(search, next, view?.id),
      replace: true,
    });
  };
  const open = useCallback(
    (item: Item) => void navigate({ to: '/objects/$object/$id', params: { object: object.name, id: item.id } }),
    [navigate, object.name],
  );
  const mayCreate = object.may.create && !trash;
  useHotkeys([['n', () => mayCreate && setCreating(true)]]);

  const chosen = (shown.columns ?? firstColumns(object)).flatMap((column) => fields.get(column) ?? []);
  const title = fields.get(object.title);
  const columns = title ? [title, ...chosen.filter((field) => field !== title)] : chosen;
  const error = head.error ?? failed?.error ?? null;
  const mistake = error instanceof ProblemError && error.status < 500 ? error : null;
  return (
    <Stack gap="sm">
      <Toolbar
        {...{ object, views, view, search, change, filtering, live }}
        fields={[...fields.values()]}
        columns={columns.map((field) => field.name)}
        shown={shown}
        total={head.data ? total : null}
        create={mayCreate ? () => setCreating(true) : null}
        toggleFilter={() => setFiltering(!filtering)}
      />
      {(filtering || (mistake && filter !== '')) && (
        <FilterPanel
          key={filter}
          object={object}
          filter={filter}
          mistake={mistake?.message ?? null}
          apply={(next) => change({ filter: next })}
        />
      )}
      {selected.size > 0 && (
        <BulkBar object={object} ids={[...selected]} trash={trash} clear={() => setSelected(new Set())} />
      )}
      {head.isPending && <Waiting />}
      {error && <ListFailed error={error} filter={filter} retry={() => (failed ?? head).refetch()} />}
      {head.isSuccess && total === 0 && (
        <Empty
          object={object}
          filtered={filter !== '' || q !== ''}
          trash={trash}
          all={() => change({ filter: '', q: '' })}
        />
      )}
      {trash && total > 0 && object.may.delete && <EmptyTrash object={object} />}
      {total > 0 && (
        <Grid
          {...{ object, columns, rows, wanted, selected, open, save }}
          label={say(object.plural)}
          sort={sort}
          sortable={q === ''}
          setSort={(next) => change({ sort: next })}
          select={setSelected}
          moves={live.moves}
          editable={object.may.update && !trash}
          onTop={setOnTop}
        />
      )}
      {creating && <RecordDialog object={object} close={() => setCreating(false)} />}
    </Stack>
  );
}

function ListFailed({ error, filter, retry }: { error: Error; filter: string; retry(): unknown }) {
  const { t } = useI18n();
  const isFilter = error instanceof ProblemError && error.status === 422 && filter !== '';
  return <Failed error={error} title={isFilter ? t.table.badFilter : t.table.failed} retry={retry} />;
}

function Empty(props: { object: ObjectFact; filtered: boolean; trash: boolean; all(): void }) {
  const { t } = useI18n();
  const say = useSay();
  const [title, help] = props.filtered
    ? [t.table.nothing, t.table.nothingHelp]
    : props.trash
      ? [t.table.emptyTrash, null]
      : [t.table.empty(say(props.object.plural)), t.table.emptyHelp];
  return (
    <Stack align="flex-start" py="xl">
      <Title order={2} size="h4">
        {title}
      </Title>
      {help && <Text>{help}</Text>}
      {props.filtered && (
        <Button size="xs" variant="default" onClick={props.all}>
          {t.table.clearFilter}
        </Button>
      )}
    </Stack>
  );
}
