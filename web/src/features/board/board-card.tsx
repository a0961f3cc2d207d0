/** A card of the board. It is dragged, lifted by key, or moved by its menu. */
import { ActionIcon, Group, Menu, Text } from '@mantine/core';
import { EllipsisVertical } from 'lucide-react';
import type { DragEvent, KeyboardEvent } from 'react';
import type { ObjectFact, SeenField } from '~/api/objects';
import type { Item } from '~/api/records';
import { AnchorTo } from '~/components/links';
import { useI18n } from '~/i18n';
import { useText } from '~/records/reader';
import { titleOf } from '~/records/schema';

export interface BoardCardProps {
  object: ObjectFact;
  item: Item;
  /** Fields that a card shows below its title. */
  told: SeenField[];
  lifted: boolean;
  movable: boolean;
  /** Where the menu can move it: keys and names of the columns. */
  targets: { key: string; name: string }[];
  move(to: string): void;
  onKeyDown(event: KeyboardEvent): void;
  onDragStart(): void;
  onDragEnd(): void;
}

export function BoardCard({ object, item, told, lifted, movable, targets, move, ...events }: BoardCardProps) {
  const { t } = useI18n();
  const text = useText();
  const title = titleOf(object, item);
  const start = (event: DragEvent) => {
    // Firefox drags only what carries something.
    event.dataTransfer.setData('text/plain', item.id);
    event.dataTransfer.effectAllowed = 'move';
    events.onDragStart();
  };
  return (
    <li>
      <div
        role="group"
        className={`card${lifted ? ' lifted' : ''}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys that move a card need it to have the focus
        tabIndex={0}
        aria-label={title}
        aria-describedby="board-keys"
        data-card={item.id}
        draggable={movable}
        onDragStart={start}
        onDragEnd={events.onDragEnd}
        onKeyDown={events.onKeyDown}
      >
        <Group justify="space-between" wrap="nowrap" gap={4} align="flex-start">
          <AnchorTo
            size="sm"
            fw={500}
            draggable={false}
            to="/objects/$object/$id"
            params={{ object: object.name, id: item.id }}
          >
            {title}
          </AnchorTo>
          {movable && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t.board.moveOf(title)}>
                  <EllipsisVertical size={14} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>{t.board.moveTo}</Menu.Label>
                {targets.map((target) => (
                  <Menu.Item key={target.key} onClick={() => move(target.key)}>
                    {target.name}
                  </Menu.Item>
                ))}
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
        {told.map((field) => {
          const value = text(item, field);
          return (
            value !== '' && (
              <Text key={field.name} size="xs" c={field.kind.type === 'money' ? undefined : 'dimmed'}>
                {value}
              </Text>
            )
          );
        })}
      </div>
    </li>
  );
}
