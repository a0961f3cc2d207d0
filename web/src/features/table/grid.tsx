/** The table: rows of any number, of which only the visible ones are drawn; keys, sorting, selecting, editing in place. */
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { KindName, ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import type { Save } from '~/records/edit';
import { isEditable } from '~/records/schema';
import { moved, type Place } from './cursor';
import './grid.css';
import { Head } from './head';
import { Blank, Line } from './line';
import { heightOf, ROW_PX } from './scroll';
import { useCellFocus } from './use-cell-focus';
import type { Rows } from './use-rows';
import { useScroll } from './use-scroll';

const WIDTHS: Partial<Record<KindName, number>> = { boolean: 100, number: 130, date: 140, choice: 150, date_time: 190 };
const WIDTH_PX = 190;
const TITLE_PX = 240;

export interface GridProps {
  object: ObjectFact;
  label: string;
  columns: SeenField[];
  rows: Rows;
  /** Which list it is: another one begins at its top. */
  wanted: unknown;
  sort: string;
  /** Whether heads of columns sort: results of a search have their own order. */
  sortable: boolean;
  setSort(sort: string): void;
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
  const { object, columns, rows, selected, select, editable } = props;
  const { total, near, show, keep } = rows;
  const frame = useRef<HTMLDivElement>(null);
  const { drawn, to, look } = useScroll(frame, total);
  useEffect(() => show(drawn.first, drawn.last), [show, drawn.first, drawn.last]);
  const list = useRef(props.wanted);
  useEffect(() => {
    if (list.current === props.wanted) return;
    list.current = props.wanted;
    frame.current?.scrollTo({ top: 0 });
  }, [props.wanted]);
  // The cell belongs to its record: rows that come in above it do not move the keys, nor what is being typed, to another.
  const [held, setHeld] = useState<Place & { id: string | null }>({ id: null, row: 0, column: 0 });
  const latest = useRef(rows);
  useEffect(() => {
    latest.current = rows;
  });
  const row = useMemo(() => placeOf(rows, held), [rows, held]);
  const active = useMemo(() => ({ row, column: held.column }), [row, held.column]);
  const setActive = useCallback(
    (place: Place) => setHeld({ ...place, id: latest.current.at(place.row)?.id ?? null }),
    [],
  );
  const [editing, setEditing] = useState(false);
  // What is being typed is not lost when its row is scrolled away.
  useEffect(() => keep(editing ? row : null), [keep, editing, row]);
  const { wanted, inside, onFocus, onBlur } = useCellFocus(frame, active);

  const go = useCallback(
    (place: Place) => {
      setActive(place);
      to(place.row);
      wanted.current = true;
    },
    [to, wanted, setActive],
  );
  const focus = useCallback((row: number, column: number) => setActive({ row, column }), [setActive]);
  const edit = useCallback(
    (row: number, column: number) => {
      const field = columns[column];
      if (!editable || !field || !isEditable(field) || !latest.current.at(row)) return;
      setActive({ row, column });
      setEditing(true);
    },
    [columns, editable, setActive],
  );
  const endEdit = useCallback(
    (back: boolean) => {
      setEditing(false);
      wanted.current = back;
    },
    [wanted],
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

  const item = rows.at(active.row);
  // The keys went to a row before it came: now that it is there the cell belongs to it.
  const isNew = item !== undefined && held.id === null && inside.current;
  useEffect(() => {
    if (isNew) setActive(active);
  }, [isNew, active, setActive]);
  const isEditing = editing && item !== undefined && item.id === held.id;
  const keys = (event: KeyboardEvent) => {
    if (isEditing || !(event.target as HTMLElement).closest('[role="gridcell"]')) return;
    const place = moved(active, event.key, event.ctrlKey || event.metaKey, total, columns.length);
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
      aria-rowcount={total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable
      style={{ '--columns': template, maxHeight: 'calc(100vh - 230px)' } as React.CSSProperties}
      onKeyDown={keys}
      onFocus={onFocus}
      onBlur={onBlur}
      onScroll={(event) => {
        look();
        props.onTop(event.currentTarget.scrollTop < ROW_PX);
      }}
    >
      <Head {...props} items={near} />
      <div role="rowgroup" style={{ height: heightOf(total), position: 'relative' }}>
        <div className="lines" role="presentation" style={{ transform: `translateY(${drawn.shift}px)` }}>
          {drawnRows(drawn.first, drawn.last, active.row, total).map((index) => {
            const item = rows.at(index);
            const common = {
              place: index,
              // The active row keeps the focus also where it is out of view, just beyond what is drawn.
              top: (Math.max(drawn.first - 1, Math.min(index, drawn.last)) - drawn.origin) * ROW_PX,
              columns,
              active: active.row === index ? active.column : null,
              focus,
            };
            if (!item) return <Blank key={index} {...common} />;
            return (
              <Line
                key={item.id}
                {...{ ...common, item, edit, endEdit, toggle, save }}
                object={object.name}
                title={object.title}
                editing={isEditing && held.id === item.id}
                selected={selected.has(item.id)}
                moves={props.moves.get(item.id) ?? 0}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** The row of the cell that the keys are at: that of its record where this is held, else where it was. */
function placeOf(rows: Rows, held: Place & { id: string | null }): number {
  const within = Math.min(held.row, Math.max(rows.total - 1, 0));
  if (held.id === null || rows.at(within)?.id === held.id) return within;
  return rows.place(held.id) ?? within;
}

function drawnRows(first: number, last: number, active: number, total: number): number[] {
  const drawn = Array.from({ length: last - first }, (_, at) => first + at);
  if (active < first) return [active, ...drawn];
  return active >= last && active < total ? [...drawn, active] : drawn;
}
