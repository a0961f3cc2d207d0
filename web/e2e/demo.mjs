/** Demo data: filled in by the command, told of on every page, removed by the button. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Tests by name; they run in this order, in the session that is open. */
export function demoTests({ page, server, send, binary, data, accessible, fits }) {
  const note = page.getByTestId('demo');
  const call = (path) => page.evaluate(async (path) => (await fetch(`/api/v1${path}`)).json(), path);
  return {
    async 'a filled company is there with its past, and said to be synthetic'() {
      await promisify(execFile)(binary, ['demo', '--data', data]);
      await page.goto(`${server().url}/objects/deal?sort=-created_at`);
      await note.getByText('are synthetic').waitFor();
      const { records } = await call('/objects/deal/records?limit=1&sort=created_at');
      assert.ok(Date.now() - Date.parse(records[0].created_at) > 300 * 86_400_000, records[0].created_at);
      await accessible('a notice of demo data');
      await page.setViewportSize({ width: 390, height: 800 });
      await fits('a notice of demo data');
      await page.setViewportSize({ width: 1200, height: 800 });
    },
    async 'a contact of the demo is the customer who acts'() {
      const filter = encodeURIComponent('customer_id != null');
      const path = `/objects/contact/records?limit=1&count=true&sort=created_at&filter=${filter}`;
      const { records, total } = await call(path);
      const { customer_id: userId, name, email } = records[0].fields;
      assert.match(userId, /^shopper-/);
      await send('identify', { userId, traits: { name, email, synthetic: true } });
      await send('track', { userId, event: 'Order Completed', messageId: 'of-the-demo', properties: { total: 12 } });
      await page.goto(`${server().url}/objects/contact/${records[0].id}`);
      await page.getByRole('heading', { name, level: 1 }).waitFor();
      await page.getByRole('tab', { name: 'Customer' }).click();
      await page.locator('[data-event="of-the-demo"]').waitFor();
      const after = await call(path);
      assert.deepEqual([after.total, after.records[0].created_by], [total, 'demo']);
    },
    async 'one button removes it and leaves what people made'() {
      await page.goto(`${server().url}/objects/ticket`);
      const before = await call('/demo');
      await note.getByRole('button', { name: 'Remove demo data' }).click();
      const dialog = page.getByRole('dialog', { name: 'Remove demo data' });
      await dialog.getByText('for good').waitFor();
      await accessible('the question before demo data is removed');
      await dialog.getByRole('button', { name: 'Remove demo data' }).click();
      await page.getByText('records of the demo were removed').waitFor({ timeout: 60_000 });
      await note.waitFor({ state: 'detached' });
      const { demo } = await call('/demo');
      assert.deepEqual([demo.state, demo.removed, demo.kept], ['removed', before.demo.records, 0]);
      const contacts = (await call('/objects/contact/records?limit=500')).records;
      assert.ok(contacts.length > 0 && contacts.every((contact) => contact.created_by !== 'demo'));
    },
  };
}
