/** Above the board: what it is, as which view, of which pipeline, by which field. */
import { Button, Group, Select, Title } from '@mantine/core';
import { Filter, Plus } from 'lucide-react';
import type { ListSearch } from '~/features/table/search';
import { ShownAs } from '~/features/views/shown-as';
import { ViewsMenu } from '~/features/views/views-menu';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import type { BoardProps } from './board-page';

interface HeadProps extends BoardProps {
  search: ListSearch;
  /** The filter with what says of which pipeline the records are. */
  whole: string;
  change(next: Partial<ListSearch>): void;
  filtering: boolean;
  toggleFilter(): void;
  /** None where nothing can be made. */
  create: (() => void) | null;
}

export function BoardHead(props: HeadProps) {
  const { object, group, filter, views, view, pipelines, pipeline, search, whole, change } = props;
  const { filtering, toggleFilter, create } = props;
  const { t } = useI18n();
  const say = useSay();
  const changed = ['filter', 'group', 'pipeline'].some((name) => search[name as keyof ListSearch] !== undefined);
  const groups = object.fields.filter(
    (field) => !field.retired && (field.kind.type === 'choice' || field.kind.object === 'stage'),
  );
  return (
    <Group justify="space-between" align="flex-end" gap="xs">
      <Title order={1} size="h2">
        {say(object.plural)}
      </Title>
      <Group gap="xs">
        <ShownAs object={object.name} value="board" filter={filter} />
        <ViewsMenu
          object={object.name}
          views={views}
          view={view}
          shown={{ kind: 'board', group: group.name, ...(whole && { filter: whole }) }}
          changed={changed}
        />
        {pipeline && (
          <Select
            size="xs"
            w={170}
            aria-label={t.board.pipeline}
            data={pipelines.all.map((one) => ({ value: one.id, label: String(one.fields.name ?? one.id) }))}
            value={pipeline.id}
            allowDeselect={false}
            onChange={(next) => change({ pipeline: next ?? pipeline.id })}
          />
        )}
        {groups.length > 1 && (
          <Select
            size="xs"
            w={150}
            aria-label={t.board.group}
            data={groups.map((field) => ({ value: field.name, label: say(field.label) }))}
            value={group.name}
            allowDeselect={false}
            onChange={(next) => change({ group: next ?? group.name })}
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
