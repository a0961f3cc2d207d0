/** The records of an object as a table. What it shows stands in its address, so that it can be linked, saved and gone back to. */
import { Alert, Button, Stack, Text, Title } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { ProblemError } from '~/api/client';
import { type ObjectFact, objectsQuery } from '~/api/objects';
import { type Item, listQuery } from '~/api/records';
import { viewsQuery } from '~/api/views';
import { Failed, Waiting } from '~/components/states';
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
import { effective, type ListSearch } from './search';
import { Toolbar } from './toolbar';

export function TablePage() {
  const { object: name } = useParams({ from: '/shell/objects/$object' });
  const { t } = useI18n();
  const objects = useQuery(objectsQuery);
  if (objects.isPending) return <Waiting />;
  if (objects.isError) return <Failed error={objects.error} retry={() => objects.refetch()} />;
  const object = objects.data.find((one) => one.name === name);
  // Another object begins anew: its own selection, filter and cell.
  return object ? <Table key={name} object={object} /> : <Alert m="md">{t.table.missing}</Alert>;
}

function Table({ object }: { object: ObjectFact }) {
  const search = useSearch({ from: '/shell/objects/$object' });
  const navigate = useNavigate();
  const say = useSay();
  const fields = useFields(object);
  const views = useQuery(viewsQuery(object.name)).data ?? [];
  const view = views.find((one) => one.id === search.view);
  const shown = effective(search, view);
  const { filter, sort, q, trash } = shown;
  const wanted = { filter, sort: q === '' ? sort : undefined, q, trash: trash || undefined };
  const list = useInfiniteQuery(listQuery(object.name, wanted));
  const items = useMemo(() => list.data?.pages.flatMap((page) => page.records) ?? [], [list.data]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [onTop, setOnTop] = useState(true);
  const [filtering, setFiltering] = useState(false);
  const [creating, setCreating] = useState(false);
  const whole = onTop && (list.data?.pages.length ?? 0) <= 1;
  const live = useLiveList({ object: object.name, filter, trash, items, whole });
  const save = useSave(object);

  const change = (next: Partial<ListSearch>) => {
    setSelected(new Set());
    void navigate({
      to: '/objects/$object',
      params: { object: object.name },
      search: { ...search, ...next },
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
  const total = list.data?.pages[0]?.total ?? items.length;
  const mistake = list.error instanceof ProblemError && list.error.status < 500 ? list.error : null;
  const { fetchNextPage, hasNextPage, isFetchingNextPage } = list;
  const more = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const found = [...selected].filter((id) => items.some((item) => item.id === id));
  return (
    <Stack gap="sm">
      <Toolbar
        {...{ object, views, view, search, change, filtering, live }}
        fields={[...fields.values()]}
        columns={columns.map((field) => field.name)}
        shown={shown}
        total={list.data ? total : null}
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
      {found.length > 0 && <BulkBar object={object} ids={found} trash={trash} clear={() => setSelected(new Set())} />}
      {list.isPending && <Waiting />}
      {list.isError && <ListFailed error={list.error} filter={filter} retry={() => list.refetch()} />}
      {list.isSuccess && items.length === 0 && (
        <Empty
          object={object}
          filtered={filter !== '' || q !== ''}
          trash={trash}
          all={() => change({ filter: '', q: '' })}
        />
      )}
      {trash && items.length > 0 && object.may.delete && <EmptyTrash object={object} />}
      {items.length > 0 && (
        <Grid
          {...{ object, columns, items, total, selected, open, save }}
          label={say(object.plural)}
          sort={sort}
          sortable={q === ''}
          setSort={(next) => change({ sort: next })}
          more={hasNextPage && !isFetchingNextPage ? more : null}
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
