/** A dialog with something to fill in and to send. */
import { Alert, Button, Group, Modal, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useI18n } from '~/i18n';

/** Waits for the answer and says why there was none; after a good one it stays until `submit` has closed it. */
export function FormDialog(props: {
  title: string;
  send: string;
  failed: string;
  disabled: boolean;
  /** Wider than usual, where things stand side by side. */
  size?: 'lg' | 'xl';
  submit(): Promise<void>;
  close(): void;
  children: ReactNode;
}) {
  const { t } = useI18n();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await props.submit();
    } catch (reason) {
      setError(reason as Error);
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={props.close}
      title={props.title}
      size={props.size}
      closeButtonProps={{ 'aria-label': t.app.close }}
      centered
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          {props.children}
          {error && (
            <Alert color="red" title={props.failed} role="alert">
              {error.message}
            </Alert>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.close}>
              {t.app.cancel}
            </Button>
            <Button type="submit" loading={busy} disabled={props.disabled}>
              {props.send}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
