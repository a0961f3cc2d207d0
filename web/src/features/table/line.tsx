/** A row of the table. Drawn anew only when something of it changes. */
import { Checkbox } from '@mantine/core';
import { memo } from 'react';
import type { SeenField } from '~/api/objects';
import type { Item, Related } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { InlineEditor } from '~/records/inline-editor';
import { isFigure } from '~/records/schema';
import { ShownValue } from '~/records/shown-value';

export interface LineProps {
  item: Item;
  object: string;
  /** The field that links to the record. */
  title: string;
  place: number;
  top: number;
  columns: SeenField[];
  /** The column of the active cell, if it is in this row. */
  active: number | null;
  editing: boolean;
  selected: boolean;
  /** How often this record has moved since the page was opened. */
  moves: number;
  toggle(id: string): void;
  focus(row: number, column: number): void;
  edit(row: number, column: number): void;
  endEdit(focus: boolean): void;
  save(item: Item, field: SeenField, value: unknown, related?: Related[]): void;
}

export const Line = memo(function Line(props: LineProps) {
  const { item, object, title, place, top, columns, active, editing, selected, moves } = props;
  const { t } = useI18n();
  const name = typeof item.fields[title] === 'string' ? (item.fields[title] as string) : item.id;
  const motion = moves === 0 ? '' : moves % 2 === 0 ? ' even' : ' odd';
  return (
    <div
      role="row"
      className={`line${motion}`}
      aria-rowindex={place + 2}
      aria-selected={selected}
      data-record={item.id}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="gridcell" className="stuck" style={{ left: 0 }}>
        <Checkbox
          size="xs"
          tabIndex={-1}
          aria-label={t.table.select(name)}
          checked={selected}
          onChange={() => props.toggle(item.id)}
        />
      </div>
      {columns.map((field, column) => {
        const isActive = active === column;
        const isEdited = isActive && editing;
        const side = isFigure(field) ? ' right' : '';
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the table has the keys of all cells
          <div
            key={field.name}
            role="gridcell"
            className={`${column === 0 ? 'stuck' : ''}${isEdited ? ' editing' : ''}${side}`}
            style={column === 0 ? { left: 40 } : undefined}
            data-column={field.name}
            data-place={`${place}-${column}`}
            tabIndex={isActive ? 0 : -1}
            onClick={() => props.focus(place, column)}
            onDoubleClick={() => props.edit(place, column)}
          >
            {isEdited ? (
              <InlineEditor
                item={item}
                field={field}
                save={(value, related) => props.save(item, field, value, related)}
                close={props.endEdit}
              />
            ) : (
              <span className="shown">
                {field.name === title ? (
                  <AnchorTo size="sm" fw={500} to="/objects/$object/$id" params={{ object, id: item.id }} tabIndex={-1}>
                    {name}
                  </AnchorTo>
                ) : (
                  <ShownValue item={item} field={field} tabIndex={-1} />
                )}
              </span>
            )}
          </div>
        );
      })}
    </div>
  );
});

/** A row that has not come yet. */
export function Blank({
  place,
  top,
  columns,
  active,
  focus,
}: Pick<LineProps, 'place' | 'top' | 'columns' | 'active' | 'focus'>) {
  return (
    <div
      role="row"
      className="line blank"
      aria-rowindex={place + 2}
      aria-busy
      style={{ transform: `translateY(${top}px)` }}
    >
      <div role="gridcell" className="stuck" style={{ left: 0 }} />
      {columns.map((field, column) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the table has the keys of all cells
        <div
          key={field.name}
          role="gridcell"
          className={column === 0 ? 'stuck' : undefined}
          style={column === 0 ? { left: 40 } : undefined}
          data-place={`${place}-${column}`}
          tabIndex={active === column ? 0 : -1}
          onClick={() => focus(place, column)}
        >
          <span className="shown" aria-hidden />
        </div>
      ))}
    </div>
  );
}
