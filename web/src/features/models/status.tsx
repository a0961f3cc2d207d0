/** Where a model stands: in service, on trial, imported. */
import { Badge, Group } from '@mantine/core';
import type { Model } from '~/api/schema';
import { useI18n } from '~/i18n';

export function Status({ model }: { model: Model }) {
  const { t } = useI18n();
  return (
    <Group gap={4}>
      {model.active && (
        <Badge variant="dot" color="green" tt="none" data-status="live">
          {t.models.live}
        </Badge>
      )}
      {model.trial && (
        <Badge variant="light" tt="none" data-status={model.trial.mode}>
          {model.trial.mode === 'shadow' ? t.models.shadow : t.models.canary(String(model.trial.percent ?? ''))}
        </Badge>
      )}
      {model.origin !== 'trained' && (
        <Badge variant="default" tt="none">
          {model.origin === 'imported' ? t.models.imported : t.models.retrained}
        </Badge>
      )}
    </Group>
  );
}
