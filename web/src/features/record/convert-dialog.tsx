/** A lead becomes a contact and a company, and a deal if there is something to sell. */
import { Checkbox, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { convert } from '~/api/duplicates';
import { type Item, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { useI18n } from '~/i18n';
import { useFields, useObjects, useSay } from '~/records/reader';
import { useUndo } from '~/records/undo';
import { ValueInput } from '~/records/value-input';

export function ConvertDialog({ item, close }: { item: Item; close(): void }) {
  const { t } = useI18n();
  const client = useQueryClient();
  const navigate = useNavigate();
  const notice = useNotice();
  const undo = useUndo();
  const deal = useObjects().find((object) => object.name === 'deal' && object.may.create);
  const [withDeal, setWithDeal] = useState(deal !== undefined);
  const [name, setName] = useState(String(item.fields.company_name ?? item.fields.name ?? ''));
  const [amount, setAmount] = useState<unknown>(item.fields.value ?? null);
  const submit = async () => {
    const wanted = deal && withDeal ? { name: name.trim(), ...(amount ? { amount } : {}) } : undefined;
    const made = await convert(item.id, wanted);
    close();
    await client.invalidateQueries({ queryKey: [...recordsKey] });
    notice.done({ id: `batch-${made.batch}`, text: t.convert.done, undo: () => undo(made.batch) });
    if (made.contact) await navigate({ to: '/objects/$object/$id', params: { object: 'contact', id: made.contact } });
  };
  return (
    <FormDialog
      title={t.record.convert}
      send={t.record.convert}
      failed={t.convert.failed}
      disabled={withDeal && name.trim() === ''}
      submit={submit}
      close={close}
    >
      <Text size="sm">{t.convert.help}</Text>
      {deal && (
        <Checkbox
          label={t.convert.withDeal}
          checked={withDeal}
          onChange={(event) => setWithDeal(event.currentTarget.checked)}
        />
      )}
      {deal && withDeal && (
        <>
          <TextInput label={t.convert.dealName} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <DealAmount object={deal} value={amount} onChange={setAmount} />
        </>
      )}
    </FormDialog>
  );
}

function DealAmount(props: {
  object: Parameters<typeof useFields>[0];
  value: unknown;
  onChange(value: unknown): void;
}) {
  const say = useSay();
  const field = useFields(props.object).get('amount');
  if (!field) return null;
  return <ValueInput field={field} label={say(field.label)} value={props.value} onChange={props.onChange} />;
}
