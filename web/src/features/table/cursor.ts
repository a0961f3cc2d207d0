/** The active cell of a table and where the keys take it. Pure. */

export interface Place {
  row: number;
  column: number;
}

/** Rows that a page key moves by. */
const LEAP = 12;

/** Where `key` leads from `at` in a table of so many rows and columns; null if it does not move. */
export function moved(at: Place, key: string, withControl: boolean, rows: number, columns: number): Place | null {
  const within = (row: number, column: number): Place => ({
    row: Math.max(0, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  });
  switch (key) {
    case 'ArrowDown':
      return within(at.row + 1, at.column);
    case 'ArrowUp':
      return within(at.row - 1, at.column);
    case 'ArrowRight':
      return within(at.row, at.column + 1);
    case 'ArrowLeft':
      return within(at.row, at.column - 1);
    case 'PageDown':
      return within(at.row + LEAP, at.column);
    case 'PageUp':
      return within(at.row - LEAP, at.column);
    case 'Home':
      return within(withControl ? 0 : at.row, 0);
    case 'End':
      return within(withControl ? rows - 1 : at.row, columns - 1);
    default:
      return null;
  }
}
