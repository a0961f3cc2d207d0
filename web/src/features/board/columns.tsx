/** The columns of a board and the three ways to move a card between them. */
import { Button, Group, Text, Title } from '@mantine/core';
import { type KeyboardEvent, useCallback, useEffect, useRef, useState } from 'react';
import type { KindName, ObjectFact, SeenField } from '~/api/objects';
import { type BoardColumn, CARDS_MOST, type Item } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { sumsText } from '~/records/cell';
import { both } from '~/records/condition';
import { useSay } from '~/records/reader';
import { isEditable, titleOf } from '~/records/schema';
import './board.css';
import { BoardCard } from './board-card';
import { beside, findCard, keyOf, moveCard } from './moves';
import { useMoves } from './use-moves';

/** What a card tells: of each kind the first field, in this order. */
const TOLD: KindName[] = ['money', 'relation', 'date', 'date_time'];

interface ColumnsProps {
  object: ObjectFact;
  group: SeenField;
  sum: string | undefined;
  filter: string;
  columns: BoardColumn[];
  limit: number;
  setLimit(limit: number): void;
}

export function Columns({ object, group, sum, filter, columns: known, limit, setLimit }: ColumnsProps) {
  const { t, format } = useI18n();
  const say = useSay();
  const frame = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  /** A card that was lifted by key, and the column it hovers over. */
  const [lifted, setLifted] = useState<{ id: string; to: string } | null>(null);
  const [told, setTold] = useState('');
  const nameOf = useCallback(
    (column: BoardColumn) => {
      const option = group.kind.options?.find((one) => one.value === column.value);
      return option ? say(option.label) : (column.title ?? (keyOf(column) === '' ? t.board.without : keyOf(column)));
    },
    [group, say, t],
  );
  const move = useMoves(object, group.name, sum, nameOf);
  const columns = lifted ? moveCard(known, lifted.id, lifted.to, group.name, sum) : known;
  const shown = columns.filter((column) => keyOf(column) !== '' || column.count > 0);
  const movable = object.may.update && isEditable(group);
  const fields = TOLD.flatMap(
    (kind) =>
      object.fields.find(
        (one) => !one.retired && one.kind.type === kind && one.kind.object !== 'pipeline' && one !== group,
      ) ?? [],
  );

  const focus = (id: string | undefined) =>
    id !== undefined && frame.current?.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)?.focus();
  const lift = lifted?.id;
  const target = lifted?.to;
  // A card that hovers over another column is another element: the focus goes along.
  useEffect(() => {
    if (lift !== undefined && target !== undefined) focus(lift);
  });
  const drop = (id: string, to: string) => {
    setLifted(null);
    setDragged(null);
    setOver(null);
    void move(known, id, to);
    requestAnimationFrame(() => focus(id));
  };
  const keys = (event: KeyboardEvent, item: Item) => {
    if (event.target !== event.currentTarget) return;
    const at = findCard(columns, item.id);
    if (!at) return;
    const here = keyOf(at.column);
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const title = titleOf(object, item);
    const say = (column: string) => nameOf(shown.find((one) => keyOf(one) === column) ?? at.column);
    if (event.key === ' ' || (event.key === 'Enter' && lifted)) {
      if (lifted) drop(item.id, lifted.to);
      else if (movable) {
        setLifted({ id: item.id, to: here });
        setTold(t.board.lifted(title, say(here)));
      }
    } else if (event.key === 'Escape' && lifted) {
      setLifted(null);
      setTold(t.board.cancelled(title));
      requestAnimationFrame(() => focus(item.id));
    } else if (lifted && step !== 0) {
      const to = beside(shown, here, step);
      setLifted({ id: item.id, to });
      setTold(t.board.over(title, say(to)));
    } else if (step !== 0) {
      const next = shown.find((one) => keyOf(one) === beside(shown, here, step));
      focus(next?.records[Math.min(at.column.records.indexOf(at.item), next.records.length - 1)]?.id);
    } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const place = at.column.records.indexOf(at.item) + (event.key === 'ArrowDown' ? 1 : -1);
      focus(at.column.records[place]?.id);
    } else return;
    event.preventDefault();
  };
  return (
    <>
      <p id="board-keys" className="unseen">
        {t.board.keys}
      </p>
      <p className="unseen" aria-live="assertive">
        {told}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
      <div ref={frame} className="board" role="group" aria-label={t.table.board} tabIndex={0}>
        {shown.map((column) => {
          const key = keyOf(column);
          const name = nameOf(column);
          return (
            <section
              key={key}
              className={over === key && dragged ? 'over' : undefined}
              aria-label={name}
              data-board-column={key}
              onDragOver={(event) => {
                if (!dragged) return;
                event.preventDefault();
                setOver(key);
              }}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged) drop(dragged, key);
              }}
            >
              <Group justify="space-between" align="baseline" gap={4} mb={6}>
                <Title order={2} size="h6" className="name">
                  {name}{' '}
                  <Text span size="sm" data-testid="count">
                    {format.number(column.count, 0)}
                  </Text>
                </Title>
                <Text size="xs" ta="right" data-testid="sum">
                  {sumsText(column.sums, format)}
                </Text>
              </Group>
              <ol>
                {column.records.map((item) => (
                  <BoardCard
                    key={item.id}
                    {...{ object, item, movable }}
                    told={fields}
                    lifted={lifted?.id === item.id}
                    targets={shown
                      .filter((one) => one !== column)
                      .map((one) => ({ key: keyOf(one), name: nameOf(one) }))}
                    move={(to) => drop(item.id, to)}
                    onKeyDown={(event) => keys(event, item)}
                    onDragStart={() => setDragged(item.id)}
                    onDragEnd={() => {
                      setDragged(null);
                      setOver(null);
                    }}
                  />
                ))}
              </ol>
              {column.count > column.records.length &&
                (limit < CARDS_MOST ? (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    mt={6}
                    onClick={() => setLimit(Math.min(limit * 2, CARDS_MOST))}
                  >
                    {t.board.more(format.number(column.count - column.records.length, 0))}
                  </Button>
                ) : (
                  <AnchorTo
                    size="xs"
                    to="/objects/$object"
                    params={{ object: object.name }}
                    search={{ filter: both(filter, ofColumn(group, column)) }}
                  >
                    {t.board.inTable(format.number(column.count, 0))}
                  </AnchorTo>
                ))}
            </section>
          );
        })}
      </div>
    </>
  );
}

/** True of the records of a column. */
function ofColumn(group: SeenField, column: BoardColumn): string {
  return keyOf(column) === '' ? `${group.name} == null` : `${group.name} == ${JSON.stringify(column.value)}`;
}
