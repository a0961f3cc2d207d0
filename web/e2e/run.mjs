/**
 * The pages in a real Chromium, against a real server that this starts and stops.
 *
 * RAPPORT_BINARY is the server's binary, RAPPORT_CHROMIUM the browser. Waits are for things on the page, never for time.
 * `npm run e2e sign-on` runs only the tests of that file, which needs a server of its own.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { demoTests } from './demo.mjs';
import { fileTests } from './files.mjs';
import { longListTests } from './long-list.mjs';
import { modelTests } from './models.mjs';
import { recordTests } from './records.mjs';
import { binary, serve } from './server.mjs';
import { signOnTests } from './sign-on.mjs';
import { upkeepTests } from './upkeep.mjs';

const executablePath = process.env.RAPPORT_CHROMIUM ?? '/usr/bin/chromium';
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const data = await mkdtemp(join(tmpdir(), 'rapport-e2e-'));

let server = await serve(data, '127.0.0.1:0');
const basic = `Basic ${Buffer.from(`${server.write_key}:`).toString('base64')}`;

async function send(call, body) {
  const response = await fetch(`${server.url}/v1/${call}`, {
    method: 'POST',
    headers: { Authorization: basic, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200, await response.text());
}

const order = (userId, total) =>
  send('track', { userId, event: 'Order Completed', properties: { total, order_id: `${total}` } });

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, locale: 'en-GB' });
const page = await context.newPage();
page.setDefaultTimeout(15_000);
const faults = [];
page.on('pageerror', (error) => faults.push(String(error)));

async function accessible(name, shown = page) {
  await shown.addScriptTag({ path: axe }).catch(async () => shown.evaluate(await readFile(axe, 'utf8')));
  const found = await shown.evaluate(() =>
    globalThis.axe
      .run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
      .then((result) =>
        result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`),
      ),
  );
  assert.deepEqual(found, [], name);
}

/** Whatever is on the page, only tables and code may scroll sideways, and each within its own frame. */
async function fits(name) {
  const { wide, width } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    width: window.innerWidth,
  }));
  assert.ok(wide <= width, `${name} is ${wide} px wide in a window of ${width} px`);
}

/** A call of the records API as the page itself makes it. */
const call = (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'X-Rapport-Request': '1', 'Content-Type': 'application/json' };
      const answer = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
    [method, path, body],
  );

const row = (id) => page.locator(`[data-customer="${id}"]`);
const tests = {
  async 'without a session the page says how to sign in'() {
    await page.goto(`${server.url}/`);
    await page.getByText('rapport link', { exact: true }).waitFor();
    assert.match(page.url(), /\/signin/);
    await accessible('sign-in');
  },
  async 'a one-time link signs in, and an empty list teaches'() {
    await page.goto(`${server.url}/signin?token=${server.admin_link_token}`);
    await page.getByText('No customers yet').waitFor();
    await page.getByTestId('live').getByText('live', { exact: true }).waitFor();
  },
  async 'a link does not work twice'() {
    const other = await browser.newContext();
    const second = await other.newPage();
    await second.goto(`${server.url}/signin?token=${server.admin_link_token}`);
    await second.getByRole('alert').waitFor();
    await other.close();
  },
  async 'a customer appears and moves without a reload'() {
    await send('identify', { userId: 'ada', traits: { name: 'Ada Lovelace', country: 'United Kingdom' } });
    await row('user:ada').waitFor();
    await row('user:ada').getByText('Ada Lovelace').waitFor();
    await order('grace', 20);
    await row('user:grace').waitFor();
    await order('ada', 42);
    await row('user:ada').getByText('New customer').waitFor();
    await page.waitForFunction(() => document.querySelector('[data-customer]')?.dataset.customer === 'user:ada');
    await accessible('customers');
  },
  async 'search finds by name and says when there is nobody'() {
    await page.getByRole('searchbox', { name: 'Search customers' }).fill('lovelace');
    await page.getByText('1 found').waitFor();
    await row('user:grace').waitFor({ state: 'detached' });
    await page.getByRole('searchbox', { name: 'Search customers' }).fill('nobody at all');
    await page.getByText('No customer matches').waitFor();
    await page.getByRole('searchbox', { name: 'Search customers' }).fill('');
    await row('user:grace').waitFor();
  },
  async 'the keyboard walks the list and opens a customer'() {
    await row('user:ada').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/customers\/user%3Agrace/);
    await page.getByRole('heading', { name: 'grace' }).waitFor();
  },
  async 'timeline, features and segments of one customer move live'() {
    await page.goto(`${server.url}/customers/user%3Aada`);
    await page.locator('[data-feature="orders_lifetime"]').getByText('1', { exact: true }).waitFor();
    await send('track', { userId: 'ada', event: 'Order Completed', messageId: 'second', properties: { total: 8 } });
    await page.locator('[data-event="second"]').waitFor();
    await page.locator('[data-feature="orders_lifetime"]').getByText('2', { exact: true }).waitFor();
    await page.locator('[data-feature="revenue_lifetime"]').getByText('50', { exact: true }).waitFor();
    await page.locator('[data-segment="new_customer"]').waitFor({ state: 'detached' });
    await accessible('customer');
  },
  async 'an attribute is edited in place and the edit is undone'() {
    await page.getByRole('button', { name: 'Edit country' }).click();
    await page.getByLabel('Value', { exact: true }).fill('France');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('[data-attribute="country"]').getByText('France').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.locator('[data-attribute="country"]').getByText('United Kingdom').waitFor();
    await page.waitForFunction(async () => {
      const answer = await fetch('/v1/customers/user%3Aada');
      return (await answer.json()).attributes.country === 'United Kingdom';
    });
  },
  async 'the page speaks Chinese, and remembers it'() {
    await page.getByRole('button', { name: '切换到中文' }).click();
    await page.getByText('累计订单数').waitFor();
    await page.reload();
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
    await page
      .getByRole('button', { name: 'Switch to English' })
      .or(page.getByRole('button', { name: /English|英文/ }))
      .first()
      .click();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  },
  async 'dark and at the width of a phone it can still be read'() {
    await page.getByRole('button', { name: /dark/i }).click();
    await page.setViewportSize({ width: 390, height: 800 });
    await accessible('customer, dark, phone');
    await fits('a customer');
    await page.goto(`${server.url}/`);
    await row('user:ada').waitFor();
    await accessible('customers, dark, phone');
    await fits('the list');
    await page.setViewportSize({ width: 1200, height: 800 });
  },
  async 'words of any length do not make a page wider than a phone'() {
    const word = (length) => 'w'.repeat(length);
    const userId = `long-${word(100)}`;
    const traits = { name: word(90), [`x${word(50)}`]: word(300), nested: { list: [word(200)] }, country: 'France' };
    await send('identify', { userId, traits });
    await send('track', { userId, event: word(120), messageId: word(60), properties: { note: word(400) } });
    await page.setViewportSize({ width: 390, height: 800 });
    await row(`user:${userId}`).waitFor();
    await fits('the list');
    await page.goto(`${server.url}/customers/${encodeURIComponent(`user:${userId}`)}`);
    await page.locator(`[data-event="${word(60)}"] summary`).click();
    await page.getByRole('button', { name: 'Edit country' }).click();
    await fits('a customer');
    await page.goto(`${server.url}/customers/${encodeURIComponent(`user:${word(120)}`)}`);
    await page.getByText('No such customer').waitFor();
    await fits('a customer that is not there');
    await page.setViewportSize({ width: 1200, height: 800 });
  },
  async 'the palette finds a customer'() {
    await page.keyboard.press('Control+k');
    await page
      .getByRole('textbox', { name: 'Command palette' })
      .or(page.getByPlaceholder('Find a customer'))
      .first()
      .fill('grace');
    await page.getByRole('button', { name: /grace/ }).first().click();
    await page.waitForURL(/grace/);
  },
  async 'after the server was away the page goes on by itself'() {
    const { port } = new URL(server.url);
    await server.stop();
    await page.getByTestId('live').getByText('reconnecting').waitFor();
    server = await serve(data, `127.0.0.1:${port}`);
    await page.getByTestId('live').getByText('live', { exact: true }).waitFor({ timeout: 40_000 });
    await send('track', { userId: 'grace', event: 'Order Completed', messageId: 'after', properties: { total: 5 } });
    await page.locator('[data-event="after"]').waitFor();
  },
  async 'a customer that does not exist is told'() {
    await page.goto(`${server.url}/customers/user%3Anobody`);
    await page.getByText('No such customer').waitFor();
  },
  ...modelTests({ page, server: () => server, send, accessible, fits }),
  ...recordTests({ page, server: () => server, accessible, fits, browser, call }),
  ...longListTests({ page, server: () => server, accessible }),
  ...upkeepTests({ page, server: () => server, accessible, fits, call, send }),
  ...fileTests({ page, server: () => server, accessible, fits }),
  ...demoTests({ page, server: () => server, send, binary, data, accessible, fits }),
  async 'signing out ends the session'() {
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('rapport link', { exact: true }).waitFor();
    await page.goto(`${server.url}/`);
    await page.getByText('rapport link', { exact: true }).waitFor();
  },
};

const signOn = signOnTests({ browser, accessible });
const chosen = process.argv[2] === 'sign-on' ? signOn.tests : { ...tests, ...signOn.tests };

let [passed, failed] = [0, 0];
try {
  for (const [name, test] of Object.entries(chosen)) {
    try {
      await test();
      passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack ?? error}`);
      await mkdir('e2e/out', { recursive: true });
      await page.screenshot({ path: `e2e/out/${failed}.png`, fullPage: true });
    }
  }
  if (faults.length > 0) {
    failed += 1;
    console.log(`FAILED  the pages threw no error\n${faults.join('\n')}`);
  }
} finally {
  await browser.close();
  await server.stop();
  await signOn.stop();
  await rm(data, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
