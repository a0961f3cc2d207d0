/** Something that is shown once: a key, a link, codes. */
import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { useI18n } from '~/i18n';

export function Secret({ title, help, text, close }: { title: string; help: string; text: string; close(): void }) {
  const { t } = useI18n();
  return (
    <Alert color="green" title={title} role="status">
      <Stack gap="xs">
        <Text size="sm">{help}</Text>
        <Code block data-testid="secret">
          {text}
        </Code>
        <Group gap="xs">
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? t.app.copied : t.app.copy}
              </Button>
            )}
          </CopyButton>
          <Button size="xs" variant="default" onClick={close}>
            {t.app.close}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
