/**
 * Keeps the focus on the active cell while rows come and go under it.
 *
 * It moves as soon as the cell is drawn and not in a later frame: a key that is pressed in between would go nowhere.
 */
import { type FocusEvent, type RefObject, useCallback, useLayoutEffect, useRef } from 'react';
import type { Place } from './cursor';

export function useCellFocus(frame: RefObject<HTMLDivElement | null>, active: Place) {
  /** Whether the active cell is to have the focus. */
  const wanted = useRef(false);
  /** Whether a cell has it. */
  const inside = useRef(false);
  useLayoutEffect(() => {
    // A row that is dropped, or comes in place of a blank one, takes the focus away without telling.
    const isLost = inside.current && document.activeElement === document.body;
    if (!wanted.current && !isLost) return;
    const cell = frame.current?.querySelector<HTMLElement>(`[data-place="${active.row}-${active.column}"]`);
    if (!cell) return;
    cell.focus({ preventScroll: true });
    if (wanted.current) cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    wanted.current = false;
  });
  const onFocus = useCallback((event: FocusEvent) => {
    inside.current = event.target.closest('[role="gridcell"]') !== null;
  }, []);
  const onBlur = useCallback(() => {
    inside.current = false;
  }, []);
  return { wanted, inside, onFocus, onBlur };
}
