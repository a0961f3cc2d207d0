/** A list whose items are put in order: dragged by their handle, or moved by the arrow keys while the handle has the focus. */
import { ActionIcon } from '@mantine/core';
import { GripVertical } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { useI18n } from '~/i18n';
import './order-list.css';

interface OrderProps<T> {
  label: string;
  items: T[];
  nameOf(item: T): string;
  /** None where the order is not the reader's to change. */
  move: ((from: number, to: number) => unknown) | null;
  row(item: T): ReactNode;
}

export function OrderList<T extends { id: string }>({ label, items, nameOf, move, row }: OrderProps<T>) {
  const { t, format } = useI18n();
  const frame = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  /** The item that was moved by key: the focus stays with it. */
  const [carried, setCarried] = useState<string | null>(null);
  const [told, setTold] = useState('');
  useEffect(() => {
    if (carried !== null) frame.current?.querySelector<HTMLElement>(`[data-handle="${CSS.escape(carried)}"]`)?.focus();
  });
  const to = (id: string, place: number) => {
    const from = items.findIndex((item) => item.id === id);
    const item = items[from];
    if (!move || !item || place < 0 || place >= items.length || place === from) return;
    void move(from, place);
    setTold(t.order.moved(nameOf(item), format.number(place + 1), format.number(items.length)));
  };
  const keys = (event: KeyboardEvent, id: string) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    setCarried(id);
    to(id, items.findIndex((item) => item.id === id) + step);
  };
  const end = () => {
    setDragged(null);
    setOver(null);
  };
  return (
    <>
      <p className="unseen" aria-live="assertive">
        {told}
      </p>
      <ol ref={frame} className="order" aria-label={label}>
        {items.map((item, place) => (
          <li
            key={item.id}
            className={over === item.id && dragged !== item.id ? 'over' : undefined}
            data-ordered={item.id}
            onDragOver={(event) => {
              // What is dragged in a list inside of this one is none of its items.
              if (dragged === null) return;
              event.preventDefault();
              setOver(item.id);
            }}
            onDrop={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              to(dragged, place);
              end();
            }}
          >
            {move && (
              <ActionIcon
                variant="subtle"
                color="gray"
                className="handle"
                title={t.order.keys}
                aria-label={t.order.move(nameOf(item))}
                data-handle={item.id}
                draggable
                onDragStart={(event) => {
                  event.stopPropagation();
                  event.dataTransfer.setData('text/plain', item.id);
                  event.dataTransfer.effectAllowed = 'move';
                  const line = event.currentTarget.closest('li');
                  if (line) event.dataTransfer.setDragImage(line, 8, 8);
                  setDragged(item.id);
                }}
                onDragEnd={end}
                onKeyDown={(event) => keys(event, item.id)}
                onBlur={() => setCarried(null)}
              >
                <GripVertical size={16} aria-hidden />
              </ActionIcon>
            )}
            {row(item)}
          </li>
        ))}
      </ol>
    </>
  );
}
