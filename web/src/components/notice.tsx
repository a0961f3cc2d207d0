/** Says that something was done, with a button that takes it back; or that it failed. */
import { Button, Group } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useCallback, useMemo } from 'react';
import { useI18n } from '~/i18n';

const PLAIN_MS = 4_000;
/** Long enough to read what happened and to change one's mind. */
const UNDO_MS = 10_000;

interface Done {
  /** A later notice with the same id takes the place of this one. */
  id?: string;
  text: ReactNode;
  undo?: () => unknown;
  /** What the button says, if it does something else than taking back. */
  action?: string;
}

export function useNotice() {
  const { t } = useI18n();
  const closing = useMemo(() => ({ 'aria-label': t.app.close }), [t]);
  const done = useCallback(
    ({ id, text, undo, action }: Done) => {
      if (id) notifications.hide(id);
      const message = (
        <Group justify="space-between" wrap="nowrap">
          <span>{text}</span>
          {undo && (
            <Button
              size="compact-xs"
              variant="default"
              style={{ flexShrink: 0 }}
              onClick={() => {
                if (id) notifications.hide(id);
                void undo();
              }}
            >
              {action ?? t.app.undo}
            </Button>
          )}
        </Group>
      );
      const autoClose = undo ? UNDO_MS : PLAIN_MS;
      notifications.show({ id: undo ? id : undefined, message, autoClose, closeButtonProps: closing });
    },
    [t, closing],
  );
  const failed = useCallback(
    (text: string, error: unknown) =>
      notifications.show({ color: 'red', message: `${text} ${(error as Error).message}`, closeButtonProps: closing }),
    [closing],
  );
  return useMemo(() => ({ done, failed }), [done, failed]);
}
