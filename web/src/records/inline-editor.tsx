/** Editing a value where it stands. Enter and leaving save, Escape does not. */
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Field, KindName } from '~/api/objects';
import type { Item, Related } from '~/api/records';
import { relatedOf } from './cell';
import { FieldDialog } from './field-dialog';
import { held, isLarge } from './schema';
import { ValueInput } from './value-input';

/** Kinds whose value is chosen: choosing is all that there is to do. */
const CHOSEN = new Set<KindName>(['choice', 'boolean', 'relation', 'user', 'file']);

interface InlineProps {
  item: Item;
  field: Field;
  save(value: unknown, related?: Related[]): void;
  /** `focus`: whether the place that was edited gets the focus back. */
  close(focus: boolean): void;
}

export function InlineEditor(props: InlineProps) {
  if (isLarge(props.field)) return <FieldDialog {...props} close={() => props.close(true)} />;
  return <Inline {...props} />;
}

function Inline({ item, field, save, close }: InlineProps) {
  const [value, setValue] = useState<unknown>(held(item, field.name) ?? null);
  const [related, setRelated] = useState(relatedOf(item, field.name));
  const frame = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select?.();
  }, []);
  const end = (focus: boolean, kept: boolean, next = value, titles = related) => {
    if (ended.current) return;
    ended.current = true;
    if (kept) save(next, titles);
    close(focus);
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'Escape') end(true, false);
    if (event.key !== 'Enter' || CHOSEN.has(field.kind.type)) return;
    event.preventDefault();
    end(true, true);
  };
  const left = () => {
    // The focus goes from the amount to its currency, or into a list of choices, without leaving.
    requestAnimationFrame(() => {
      if (frame.current?.contains(document.activeElement)) return;
      end(false, true);
    });
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the input within
    <div ref={frame} className="inline" onKeyDown={keys} onClick={(event) => event.stopPropagation()}>
      <ValueInput
        field={field}
        value={value}
        related={related}
        size="xs"
        inputRef={input}
        opened
        onBlur={left}
        onChange={(next, titles = []) => {
          setValue(next);
          setRelated(titles);
          if (CHOSEN.has(field.kind.type)) end(true, true, next, titles);
        }}
      />
    </div>
  );
}
