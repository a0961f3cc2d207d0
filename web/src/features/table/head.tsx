/** The heads of a table's columns: they sort, and the first one selects. */
import { Checkbox } from '@mantine/core';
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { Item } from '~/api/records';
import { useI18n } from '~/i18n';
import { useSay } from '~/records/reader';
import { isFigure, isSortable } from '~/records/schema';
import type { GridProps } from './grid';

type HeadProps = Pick<GridProps, 'columns' | 'selected' | 'select' | 'sort' | 'sortable' | 'setSort'> & {
  /** The rows near the view: those that one click selects. */
  items: Item[];
};

export function Head({ columns, items, selected, select, sort, sortable, setSort }: HeadProps) {
  const { t, format } = useI18n();
  const say = useSay();
  const near = t.table.selectNear(items.length, format.number(items.length, 0));
  const all = items.length > 0 && items.every((item) => selected.has(item.id));
  const [by, descending] = sort.startsWith('-') ? [sort.slice(1), true] : [sort, false];
  return (
    <div role="row" className="head" aria-rowindex={1}>
      <div role="columnheader" className="stuck" style={{ left: 0 }}>
        <Checkbox
          size="xs"
          aria-label={near}
          title={near}
          checked={all}
          indeterminate={!all && selected.size > 0}
          onChange={() => select(all ? new Set() : new Set(items.map((item) => item.id)))}
        />
      </div>
      {columns.map((field, column) => {
        const isSorted = sortable && by === field.name;
        const name = say(field.label);
        return (
          <div
            key={field.name}
            role="columnheader"
            className={`${column === 0 ? 'stuck' : ''}${isFigure(field) ? ' right' : ''}`}
            style={column === 0 ? { left: 40 } : undefined}
            aria-sort={isSorted ? (descending ? 'descending' : 'ascending') : undefined}
          >
            {sortable && isSortable(field) ? (
              <button
                type="button"
                title={t.table.sortBy(name)}
                onClick={() => setSort(isSorted && !descending ? `-${field.name}` : field.name)}
              >
                {name}
                {isSorted && (descending ? <ArrowDown size={14} aria-hidden /> : <ArrowUp size={14} aria-hidden />)}
              </button>
            ) : (
              <b>{name}</b>
            )}
          </div>
        );
      })}
    </div>
  );
}
