/** Where a table is scrolled to, as the rows that are drawn. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useState } from 'react';
import { type Drawn, drawnAt, ROW_PX, scrolledTo } from './scroll';

export interface Scroll {
  drawn: Drawn;
  /** Brings a row into view. */
  to(row: number): void;
  /** Looks where the frame is scrolled to. */
  look(): void;
}

/** `frame` scrolls `rows` rows under a head that is as high as one. */
export function useScroll(frame: RefObject<HTMLDivElement | null>, rows: number): Scroll {
  const [drawn, setDrawn] = useState<Drawn>(() => drawnAt(0, rows, 0));
  const look = useCallback(() => {
    const element = frame.current;
    if (!element) return;
    const next = drawnAt(element.scrollTop, rows, element.clientHeight - ROW_PX);
    setDrawn((known) => (same(known, next) ? known : next));
  }, [frame, rows]);
  useLayoutEffect(look, [look]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => watch.disconnect();
  }, [frame, look]);
  const to = useCallback(
    (row: number) => {
      const element = frame.current;
      if (!element) return;
      element.scrollTop = scrolledTo(row, element.scrollTop, rows, element.clientHeight - ROW_PX);
      // The row is drawn along with what else the key does: the event of the scrolling comes later.
      look();
    },
    [frame, rows, look],
  );
  return { drawn, to, look };
}

const same = (one: Drawn, other: Drawn) =>
  one.first === other.first && one.last === other.last && one.origin === other.origin && one.shift === other.shift;
