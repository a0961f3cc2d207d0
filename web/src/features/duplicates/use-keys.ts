/** Keys that act on what is looked at, unless something is being typed or a dialog is open. */
import { useEffect, useRef } from 'react';

export function useKeys(keys: Record<string, () => unknown>): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const act = (event: KeyboardEvent) => {
      const work = latest.current[event.key];
      if (!work || !isPressed(event) || isTyped(event.target)) return;
      event.preventDefault();
      work();
    };
    document.addEventListener('keydown', act);
    return () => document.removeEventListener('keydown', act);
  }, []);
}

/** Whether a key was pressed by itself. One that is held down acts once: what it acts on is another thing by then. */
export const isPressed = (event: Pick<KeyboardEvent, 'repeat' | 'ctrlKey' | 'metaKey' | 'altKey'>): boolean =>
  !(event.repeat || event.ctrlKey || event.metaKey || event.altKey);

/** Radios take arrows and the space only. */
function isTyped(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('[role="dialog"], textarea, select')) return true;
  return target instanceof HTMLInputElement && target.type !== 'radio';
}
