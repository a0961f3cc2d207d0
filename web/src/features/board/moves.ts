/** A board after a card has moved, before the server has said so. Pure. */
import type { BoardColumn, Item } from '~/api/records';
import { isMoney } from '~/records/cell';

/** Columns are told apart by their values; the column without one is `''`. */
export const keyOf = (column: Pick<BoardColumn, 'value'>): string =>
  column.value === null || column.value === undefined ? '' : String(column.value);

export interface Found {
  item: Item;
  column: BoardColumn;
}

/** The card and where it lies. */
export function findCard(columns: BoardColumn[], id: string): Found | undefined {
  for (const column of columns) {
    const item = column.records.find((one) => one.id === id);
    if (item) return { item, column };
  }
  return undefined;
}

/** The board with the card on top of the column `to`, counts and sums included; the same board if it is there already. */
export function moveCard(columns: BoardColumn[], id: string, to: string, group: string, sum?: string): BoardColumn[] {
  const found = findCard(columns, id);
  const target = columns.find((column) => keyOf(column) === to);
  if (!found || !target || target === found.column) return columns;
  const { [group]: _, ...others } = found.item.fields;
  const fields = to === '' ? others : { ...others, [group]: target.value };
  const moved = { ...found.item, fields };
  const value = sum ? found.item.fields[sum] : undefined;
  return columns.map((column) => {
    if (column === found.column) {
      const records = column.records.filter((one) => one.id !== id);
      return { ...column, records, count: column.count - 1, sums: added(column.sums, value, -1) };
    }
    if (column !== target) return column;
    return {
      ...column,
      records: [moved, ...column.records],
      count: column.count + 1,
      sums: added(column.sums, value, 1),
    };
  });
}

function added(sums: Record<string, number>, value: unknown, sign: 1 | -1): Record<string, number> {
  if (typeof value === 'number') return change(sums, '', value * sign);
  return isMoney(value) ? change(sums, value.currency, Number(value.amount) * sign) : sums;
}

/** Amounts have four decimals at most; sums that are nothing are left out. */
function change(sums: Record<string, number>, currency: string, by: number): Record<string, number> {
  const { [currency]: before = 0, ...others } = sums;
  const after = Math.round((before + by) * 10_000) / 10_000;
  return after === 0 ? others : { ...others, [currency]: after };
}

/** The column beside `from`, to the left or the right; `from` itself at the edge. */
export function beside(columns: BoardColumn[], from: string, step: 1 | -1): string {
  const place = columns.findIndex((column) => keyOf(column) === from);
  const next = columns[place + step];
  return next ? keyOf(next) : from;
}
