/** The table: rows of any number, of which only the visible ones are drawn; keys, sorting, selecting, editing in place. */
import { Checkbox } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { KindName, ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import { useI18n } from '~/i18n';
import type { Save } from '~/records/edit';
import { useSay } from '~/records/reader';
import { isEditable, isFigure, isSortable } from '~/records/schema';
import { moved, type Place } from './cursor';
import './grid.css';
import { Line } from './line';

const ROW_PX = 40;
/** Rows beyond the visible ones, so that scrolling shows no gaps. */
const OVERSCAN = 12;
/** The next page is asked for when so few rows are left below. */
const AHEAD = 40;
const WIDTHS: Partial<Record<KindName, number>> = { boolean: 100, number: 130, date: 140, choice: 150, date_time: 190 };
const WIDTH_PX = 190;
const TITLE_PX = 240;

export interface GridProps {
  object: ObjectFact;
  label: string;
  columns: SeenField[];
  items: Item[];
  /** Rows of the whole list, as far as it is known. */
  total: number;
  sort: string;
  /** Whether heads of columns sort: results of a search have their own order. */
  sortable: boolean;
  setSort(sort: string): void;
  more: (() => void) | null;
  selected: ReadonlySet<string>;
  select(ids: ReadonlySet<string>): void;
  moves: ReadonlyMap<string, number>;
  editable: boolean;
  save: Save;
  open(item: Item): void;
  /** Whether the list stands at its top, so that new rows may come in. */
  onTop(isTop: boolean): void;
}

export function Grid(props: GridProps) {
  const { object, columns, items, selected, select, more, editable } = props;
  const frame = useRef<HTMLDivElement>(null);
  // The cell belongs to its record: rows that come in above it do not move the keys, nor what is being typed, to another.
  const [held, setHeld] = useState<Place & { id: string | null }>({ id: null, row: 0, column: 0 });
  const places = useMemo(() => new Map(items.map((item, place) => [item.id, place])), [items]);
  const known = held.id === null ? undefined : places.get(held.id);
  const row = known ?? Math.min(held.row, Math.max(items.length - 1, 0));
  const active = useMemo(() => ({ row, column: held.column }), [row, held.column]);
  const latest = useRef(items);
  useEffect(() => {
    latest.current = items;
  });
  const setActive = useCallback((place: Place) => setHeld({ ...place, id: latest.current[place.row]?.id ?? null }), []);
  const [editing, setEditing] = useState(false);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => frame.current,
    estimateSize: () => ROW_PX,
    overscan: OVERSCAN,
    scrollPaddingStart: ROW_PX,
  });
  const visible = rows.getVirtualItems();
  const last = visible.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= items.length - AHEAD) more();
  }, [more, last, items.length]);

  const refocus = useCallback((place: Place) => {
    // The row may have to be drawn first.
    requestAnimationFrame(() => {
      frame.current?.querySelector<HTMLElement>(`[data-place="${place.row}-${place.column}"]`)?.focus();
    });
  }, []);
  const go = useCallback(
    (place: Place) => {
      setActive(place);
      rows.scrollToIndex(place.row, { align: 'auto' });
      refocus(place);
    },
    [rows, refocus, setActive],
  );
  const focus = useCallback((row: number, column: number) => setActive({ row, column }), [setActive]);
  const edit = useCallback(
    (row: number, column: number) => {
      const field = columns[column];
      if (!editable || !field || !isEditable(field)) return;
      setActive({ row, column });
      setEditing(true);
    },
    [columns, editable, setActive],
  );
  const endEdit = useCallback(
    (back: boolean) => {
      setEditing(false);
      if (back) refocus(active);
    },
    [refocus, active],
  );
  const toggle = useCallback(
    (id: string) => {
      const next = new Set(selected);
      if (!next.delete(id)) next.add(id);
      select(next);
    },
    [selected, select],
  );
  const save = useCallback((...change: Parameters<Save>) => void props.save(...change), [props.save]);

  const keys = (event: KeyboardEvent) => {
    if ((editing && known !== undefined) || !(event.target as HTMLElement).closest('[role="gridcell"]')) return;
    const item = items[active.row];
    const place = moved(active, event.key, event.ctrlKey || event.metaKey, items.length, columns.length);
    if (place) go(place);
    else if (event.key === 'Enter' || event.key === 'F2') edit(active.row, active.column);
    else if (event.key === ' ' && item) toggle(item.id);
    else if (event.key === 'o' && item) props.open(item);
    else return;
    event.preventDefault();
  };
  const width = (field: SeenField, column: number) => (column === 0 ? TITLE_PX : (WIDTHS[field.kind.type] ?? WIDTH_PX));
  const template = ['40px', ...columns.map((field, column) => `minmax(${width(field, column)}px, 1fr)`)].join(' ');
  return (
    <div
      ref={frame}
      role="grid"
      className="grid"
      aria-label={props.label}
      aria-rowcount={props.total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      style={{ '--columns': template, maxHeight: 'calc(100vh - 230px)' } as React.CSSProperties}
      onKeyDown={keys}
      onScroll={(event) => props.onTop(event.currentTarget.scrollTop < ROW_PX)}
    >
      <Head {...props} />
      <div role="rowgroup" style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {visible.map(({ index, start }) => {
          const item = items[index];
          if (!item) return null;
          return (
            <Line
              key={item.id}
              {...{ item, columns, focus, edit, endEdit, toggle, save }}
              object={object.name}
              title={object.title}
              place={index}
              top={start}
              active={active.row === index ? active.column : null}
              editing={editing && held.id === item.id}
              selected={selected.has(item.id)}
              moves={props.moves.get(item.id) ?? 0}
            />
          );
        })}
      </div>
    </div>
  );
}

function Head({ columns, items, selected, select, sort, sortable, setSort }: GridProps) {
  const { t } = useI18n();
  const say = useSay();
  const all = items.length > 0 && items.every((item) => selected.has(item.id));
  const [by, descending] = sort.startsWith('-') ? [sort.slice(1), true] : [sort, false];
  return (
    <div role="row" className="head" aria-rowindex={1}>
      <div role="columnheader" className="stuck" style={{ left: 0 }}>
        <Checkbox
          size="xs"
          aria-label={t.table.selectAll}
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
