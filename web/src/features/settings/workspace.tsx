/** Everything that the installation holds, as one file that any program reads. */
import { Button, List, Stack, Text } from '@mantine/core';
import { Download } from 'lucide-react';
import { workspaceAddress } from '~/api/files';
import { useI18n } from '~/i18n';

export function Workspace() {
  const { t } = useI18n();
  return (
    <Stack align="flex-start" maw={640}>
      <Text size="sm" c="dimmed">
        {t.workspace.lead}
      </Text>
      <Button component="a" href={workspaceAddress} download leftSection={<Download size={16} aria-hidden />}>
        {t.workspace.download}
      </Button>
      <List size="sm">
        {t.workspace.facts.map((fact) => (
          <List.Item key={fact}>{fact}</List.Item>
        ))}
      </List>
    </Stack>
  );
}
