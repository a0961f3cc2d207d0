/** The model as documents. Not every model can be each of them, so a document is fetched first and a refusal is told. */
import { Button, Card, Group, Text, Title } from '@mantine/core';
import { Download, FileText } from 'lucide-react';
import { type MouseEvent, useState } from 'react';
import { fetchDocument } from '~/api/client';
import { documentAddress, type Form } from '~/api/models';
import type { Model } from '~/api/schema';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';

export function Documents({ model }: { model: Model }) {
  const { t } = useI18n();
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb={4}>
        {t.model.documents}
      </Title>
      <Text size="sm" mb="xs">
        {t.model.documentsHelp}
      </Text>
      <Group gap="xs">
        <Document model={model} form="report" label={t.model.report} />
        <Document model={model} form="artifact" label={t.model.artifact} />
        <Document model={model} form="onnx" label={t.model.onnx} />
      </Group>
    </Card>
  );
}

const ENDINGS = { artifact: 'model', onnx: 'onnx' };

function Document({ model, form, label }: { model: Model; form: Form; label: string }) {
  const { t, language } = useI18n();
  const notice = useNotice();
  const [busy, setBusy] = useState(false);
  const { score, version } = model;
  const address = documentAddress(score, version, form, language);
  const open = async (event: MouseEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const content = await fetchDocument(address);
      if (form === 'report') window.open(address, '_blank', 'noopener');
      else save(content, `${score}-${version}.${ENDINGS[form]}`);
    } catch (error) {
      notice.failed(t.model.noDocument, error);
    }
    setBusy(false);
  };
  const Icon = form === 'report' ? FileText : Download;
  return (
    <Button
      component="a"
      href={address}
      onClick={(event) => void open(event)}
      loading={busy}
      size="xs"
      variant="default"
      leftSection={<Icon size={14} aria-hidden />}
    >
      {label}
    </Button>
  );
}

function save(content: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
