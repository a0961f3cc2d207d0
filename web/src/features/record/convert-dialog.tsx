/** A lead becomes a contact and a company, or comes to those that are there already; and a deal if there is something to sell. */
import { Checkbox, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { type Converted, convert, type Proposal, proposalQuery } from '~/api/duplicates';
import { type Item, recordsKey } from '~/api/records';
import { FormDialog } from '~/components/form-dialog';
import { useNotice } from '~/components/notice';
import { Failed, Waiting } from '~/components/states';
import { useI18n } from '~/i18n';
import { useFields, useObjects, useSay } from '~/records/reader';
import { useUndo } from '~/records/undo';
import { ValueInput } from '~/records/value-input';
import { becomes, begun, partOf } from './conversion';
import { PartInput } from './part-input';

export function ConvertDialog({ item, close }: { item: Item; close(): void }) {
  const { t } = useI18n();
  const proposal = useQuery(proposalQuery(item.id));
  const form = { title: t.record.convert, send: t.record.convert, failed: t.convert.failed, close };
  if (proposal.data) return <Known {...{ item, close }} form={form} proposal={proposal.data} />;
  return (
    <FormDialog {...form} disabled submit={async () => {}}>
      {proposal.isError ? <Failed error={proposal.error} retry={() => proposal.refetch()} /> : <Waiting />}
    </FormDialog>
  );
}

interface KnownProps {
  item: Item;
  proposal: Proposal;
  form: { title: string; send: string; failed: string; close(): void };
  close(): void;
}

function Known({ item, proposal, form, close }: KnownProps) {
  const { t } = useI18n();
  const client = useQueryClient();
  const navigate = useNavigate();
  const notice = useNotice();
  const undo = useUndo();
  const objects = useObjects();
  const may = (name: string) => objects.find((object) => object.name === name)?.may.create === true;
  const deal = objects.find((object) => object.name === 'deal' && object.may.create);
  const hasCompany = typeof item.fields.company_name === 'string';
  const [company, setCompany] = useState(() => begun(proposal.companies, hasCompany && may('company')));
  const [contact, setContact] = useState(() => begun(proposal.contacts, may('contact')));
  const [withDeal, setWithDeal] = useState(deal !== undefined);
  const [name, setName] = useState(String(item.fields.company_name ?? item.fields.name ?? ''));
  const [amount, setAmount] = useState<unknown>(item.fields.value ?? null);
  const wanted = {
    company: partOf(company),
    contact: partOf(contact),
    deal: deal && withDeal ? { name: name.trim(), ...(amount ? { amount } : {}) } : null,
  };
  const submit = async () => {
    if (!becomes(wanted)) return;
    const made = await convert(item.id, wanted);
    close();
    await client.invalidateQueries({ queryKey: [...recordsKey] });
    notice.done({ id: `batch-${made.batch}`, text: t.convert.done, undo: () => undo(made.batch) });
    const to = whereTo(made);
    if (to) await navigate({ to: '/objects/$object/$id', params: to });
  };
  return (
    <FormDialog {...form} size="lg" disabled={!becomes(wanted) || (withDeal && name.trim() === '')} submit={submit}>
      <Text size="sm">{t.convert.help}</Text>
      <PartInput
        object="contact"
        label={t.convert.contact}
        made={String(item.fields.name ?? '')}
        mayMake={may('contact')}
        found={proposal.contacts}
        value={contact}
        onChange={setContact}
      />
      <PartInput
        object="company"
        label={t.convert.company}
        made={String(item.fields.company_name ?? '')}
        mayMake={hasCompany && may('company')}
        found={proposal.companies}
        value={company}
        onChange={setCompany}
      />
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

/** The record that people go on with. */
function whereTo(made: Converted): { object: string; id: string } | undefined {
  for (const object of ['contact', 'company', 'deal'] as const) {
    const id = made[object];
    if (id) return { object, id };
  }
  return undefined;
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
