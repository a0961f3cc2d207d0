/** Files in the browser: attached, dropped, taken away, replaced, as values of fields; the trash; the whole workspace. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

const file = (name, text) => ({ name, mimeType: 'text/html', buffer: Buffer.from(text) });

/** Tests by name; they run in this order, in the session that is open. */
export function fileTests({ page, server, accessible, fits }) {
  const go = (path) => page.goto(`${server().url}${path}`);
  const notice = (text) => page.getByRole('alert').filter({ hasText: text });
  const card = page.locator('[data-files]');
  /** What a click lets the browser keep: its name and what is in it. */
  const kept = async (click) => {
    const [download] = await Promise.all([page.waitForEvent('download'), click()]);
    return [download.suggestedFilename(), await readFile(await download.path())];
  };
  const make = (object, fields) =>
    page.evaluate(
      async ([object, fields]) => {
        const headers = { 'X-Rapport-Request': '1', 'Content-Type': 'application/json' };
        const body = JSON.stringify({ fields });
        const answer = await fetch(`/api/v1/objects/${object}/records`, { method: 'POST', headers, body });
        if (!answer.ok) throw new Error(await answer.text());
        return answer.json();
      },
      [object, fields],
    );
  let contact;
  return {
    async 'a file is attached to a record, and taken away as it was'() {
      contact = await make('contact', { name: 'Radia Perlman' });
      await go(`/objects/contact/${contact.id}`);
      await card.getByText('Drop files here').waitFor();
      await card.locator('input[type=file]').setInputFiles([file('plan “1”.html', '<b>one</b>')]);
      await notice('is attached').waitFor();
      const link = card.getByRole('link', { name: 'plan “1”.html', exact: true });
      await link.waitFor();
      await card.getByText('10 bytes').waitFor();
      assert.equal(await card.locator('input[type=file]').inputValue(), '', 'the same file can be chosen again');
      const [name, bytes] = await kept(() => link.click());
      assert.deepEqual([name, bytes.toString()], ['plan “1”.html', '<b>one</b>']);
      await accessible('a record with a file');
      await fits('a record with a file');
    },
    async 'a file that is dropped on the card is attached'() {
      const transfer = await page.evaluateHandle(() => {
        const data = new DataTransfer();
        data.items.add(new File(['dropped'], 'dropped.txt'));
        return data;
      });
      await card.dispatchEvent('drop', { dataTransfer: transfer });
      await card.getByRole('link', { name: 'dropped.txt', exact: true }).waitFor();
    },
    async 'a file gets another content, which its history tells'() {
      await card.getByRole('link', { name: 'Details of dropped.txt' }).click();
      await page.getByTestId('title').getByText('dropped.txt').waitFor();
      await page.locator('input[type=file]').setInputFiles([file('x', 'another')]);
      await notice('has another content').waitFor();
      const [name, bytes] = await kept(() => page.getByRole('link', { name: 'Download' }).click());
      assert.deepEqual([name, bytes.toString()], ['dropped.txt', 'another']);
      await accessible('the page of a file');
    },
    async 'a field takes a file that is brought right there'() {
      const label = (en) => ({ en, zh: en });
      await page.evaluate(
        async (object) => {
          const headers = { 'X-Rapport-Request': '1', 'Content-Type': 'application/json' };
          const answer = await fetch('/api/v1/objects/engine', {
            method: 'PUT',
            headers,
            body: JSON.stringify(object),
          });
          if (!answer.ok) throw new Error(await answer.text());
        },
        {
          name: 'engine',
          label: label('Engine'),
          plural: label('Engines'),
          title: 'name',
          fields: [
            { name: 'name', label: label('Name'), kind: { type: 'text' } },
            { name: 'manual', label: label('Manual'), kind: { type: 'file' } },
          ],
        },
      );
      const engine = await make('engine', { name: 'V8' });
      await go(`/objects/engine/${engine.id}`);
      await page.getByRole('button', { name: /Show \d+ empty/ }).click();
      const row = page.locator('[data-field="manual"]');
      await row.getByRole('button', { name: /Manual/ }).click();
      await row.locator('input[type=file]').setInputFiles([file('manual.txt', 'read me')]);
      await row.getByRole('link', { name: 'manual.txt' }).waitFor();
      // What has just changed is lit for a moment.
      await page.reload();
      await row.getByRole('link', { name: 'manual.txt' }).waitFor();
      await accessible('a field that holds a file');
    },
    async 'the trash is emptied for good after a question'() {
      await page.evaluate(async (id) => {
        await fetch(`/api/v1/objects/contact/records/${id}`, {
          method: 'DELETE',
          headers: { 'X-Rapport-Request': '1' },
        });
      }, contact.id);
      await go('/objects/contact?trash=true');
      await page.getByRole('link', { name: 'Radia Perlman' }).waitFor();
      await page.getByRole('button', { name: 'Empty the trash' }).click();
      const dialog = page.getByRole('dialog', { name: 'Empty the trash of Contacts' });
      await dialog.getByText('gone for good').waitFor();
      await accessible('the question before the trash is emptied');
      await dialog.getByRole('button', { name: 'Empty the trash' }).click();
      await page.getByText('The trash is empty').waitFor();
    },
    async 'the whole workspace is exported, and the audit tells of it'() {
      await go('/settings/workspace');
      await accessible('the export of everything');
      const [name, bytes] = await kept(() => page.getByRole('link', { name: 'Download the workspace' }).click());
      assert.equal(name, 'workspace.zip');
      assert.ok(bytes.includes('records/contact.jsonl') && bytes.includes('schema.json'));
      await go('/settings/audit');
      await page
        .getByRole('cell', { name: /Export of everything/ })
        .first()
        .waitFor();
    },
  };
}
