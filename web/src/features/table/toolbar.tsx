/** Above the table: what it is, how many, and what can be done with the list. */
import { ActionIcon, Badge, Button, Group, Menu, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedCallback, useHotkeys } from '@mantine/hooks';
import { useNavigate } from '@tanstack/react-router';
import { Ellipsis, Filter, Plus } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ObjectFact, SeenField } from '~/api/objects';
import { exportAddress } from '~/api/records';
import type { View } from '~/api/views';
import { ShownAs } from '~/features/views/shown-as';
import { ViewsMenu } from '~/features/views/views-menu';
import { useI18n } from '~/i18n';
import { readCondition } from '~/records/condition';
import { usePaths } from '~/records/paths';
import { useSay } from '~/records/reader';
import { boardField, isCompared } from '~/records/schema';
import { ColumnsMenu } from './columns-menu';
import { EVERYTHING, type effective, type ListSearch } from './search';

export interface ToolbarProps {
  object: ObjectFact;
  fields: SeenField[];
  columns: string[];
  views: View[];
  view: View | undefined;
  search: ListSearch;
  shown: ReturnType<typeof effective>;
  change(next: Partial<ListSearch>): void;
  /** None until it is known. */
  total: number | null;
  /** None where nothing can be made. */
  create: (() => void) | null;
  filtering: boolean;
  toggleFilter(): void;
  live: { fresh: number; show(): void };
}

const FORMATS = ['csv', 'xlsx', 'jsonl'] as const;

export function Toolbar(props: ToolbarProps) {
  const { object, fields, columns, views, view, search, shown, change, total, create, live } = props;
  const { t, format } = useI18n();
  const say = useSay();
  const navigate = useNavigate();
  const paths = usePaths(object);
  const { filter, q, sort, trash } = shown;
  const conditions = filter === '' ? 0 : (readCondition(filter, paths.kindOf)?.length ?? 1);
  const group = boardField(object);
  const isChanged = ['filter', 'sort', 'columns'].some((name) => search[name as keyof ListSearch] !== undefined);
  // A file always has what every record has; the fields of the object are chosen.
  const exported = columns.filter((name) => object.fields.some((field) => field.name === name));
  return (
    <>
      <Group justify="space-between" align="flex-end" gap="xs">
        <div>
          <Title order={1} size="h2">
            {say(object.plural)}
            {trash && ` · ${t.table.trash}`}
          </Title>
          <Text size="sm" c="dimmed" data-testid="total">
            {total !== null &&
              (q !== ''
                ? t.table.firstFound(format.number(total, 0))
                : (filter === '' ? t.table.total : t.table.found)(total, format.number(total, 0)))}
          </Text>
        </div>
        <Group gap="xs">
          {live.fresh > 0 && (
            <Button size="xs" variant="light" onClick={live.show} role="status">
              {t.table.fresh(live.fresh, format.number(live.fresh, 0))}
            </Button>
          )}
          <SearchBox object={object} q={q} change={change} />
          {create && (
            <Button size="xs" leftSection={<Plus size={14} aria-hidden />} onClick={create}>
              {t.table.create(say(object.label))}
            </Button>
          )}
        </Group>
      </Group>
      <Group gap="xs" title={t.table.keys}>
        <ViewsMenu
          object={object.name}
          views={views}
          view={view}
          shown={{ kind: 'table', columns, ...(filter && { filter }), ...(sort && { sort }) }}
          changed={isChanged}
        />
        <Button
          size="xs"
          variant="default"
          leftSection={<Filter size={14} aria-hidden />}
          aria-expanded={props.filtering}
          onClick={props.toggleFilter}
          rightSection={
            conditions > 0 ? (
              <Badge size="sm" circle>
                {conditions}
              </Badge>
            ) : undefined
          }
        >
          {t.table.filter}
        </Button>
        <ColumnsMenu fields={fields} columns={columns} choose={(next) => change({ columns: next.join(',') })} />
        {group && !trash && <ShownAs object={object.name} value="table" filter={filter} />}
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="default" aria-label={t.table.actions}>
              <Ellipsis size={16} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {create && (
              <Menu.Item
                onClick={() => void navigate({ to: '/objects/$object/import', params: { object: object.name } })}
              >
                {t.table.import}
              </Menu.Item>
            )}
            {FORMATS.map((one) => (
              <Menu.Item
                key={one}
                component="a"
                download
                href={exportAddress(object.name, one, { filter, sort, fields: exported.join(',') })}
              >
                {t.table.exported} {one.toUpperCase()}
              </Menu.Item>
            ))}
            {isCompared(object) && (
              <Menu.Item onClick={() => void navigate({ to: '/duplicates', search: { object: object.name } })}>
                {t.duplicates.title}
              </Menu.Item>
            )}
            <Menu.Divider />
            <Menu.Item onClick={() => change({ trash: trash ? undefined : true, view: EVERYTHING })}>
              {trash ? say(object.plural) : t.table.trash}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    </>
  );
}

function SearchBox({ object, q, change }: Pick<ToolbarProps, 'object' | 'change'> & { q: string }) {
  const { t } = useI18n();
  const say = useSay();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(q);
  // Another view has another search.
  useEffect(() => setText(q), [q]);
  const find = useDebouncedCallback((wanted: string) => change({ q: wanted.trim() || undefined }), 200);
  useHotkeys([['/', () => input.current?.focus()]]);
  return (
    <TextInput
      ref={input}
      size="xs"
      type="search"
      aria-label={t.table.search(say(object.plural))}
      placeholder={t.table.searchHint}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        find(event.currentTarget.value);
      }}
    />
  );
}
