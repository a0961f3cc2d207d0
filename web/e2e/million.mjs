/**
 * Measures the page of a list of a million records of a real server: heap, frames, jumps. Prints a table.
 *
 * RAPPORT_BINARY is the server's binary, RAPPORT_CHROMIUM the browser, ROWS how many records. With PLAYED=1 the lists are played
 * as in the tests, so that only the page is measured. Work of a frame is the time of the page's thread, whoever else computes.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { answer } from './long-list.mjs';

const binary = process.env.RAPPORT_BINARY ?? '../target/release/rapport';
const executablePath = process.env.RAPPORT_CHROMIUM ?? '/usr/bin/chromium';
const isPlayed = process.env.PLAYED === '1';
const rows = isPlayed ? 1_000_000 : Number(process.env.ROWS ?? 1_000_000);
const [object, word] = isPlayed ? ['product', 'Row'] : ['visit', 'Visit'];
const AT_ONCE = 5_000;
const data = await mkdtemp(join(tmpdir(), 'rapport-million-'));
const child = spawn(binary, ['serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'error'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
await new Promise((resolve, reject) => {
  child.stdout.once('data', resolve);
  child.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
});
const url = process.env.RAPPORT_PAGES ?? (await readFile(join(data, 'address'), 'utf8'));
const { admin_link_token } = JSON.parse(await readFile(join(data, 'credentials.json'), 'utf8'));
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
const page = await context.newPage();
page.setDefaultTimeout(120_000);
const tools = await context.newCDPSession(page);
await tools.send('Performance.enable', { timeDomain: 'threadTicks' });

const call = (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'X-Rapport-Request': '1', 'Content-Type': 'application/json' };
      const answer = await fetch(`/api/v1${path}`, { method, headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
    },
    [method, path, body],
  );
const metric = async (name) => {
  const { metrics } = await tools.send('Performance.getMetrics');
  return metrics.find((one) => one.name === name).value;
};
const line = (n) => page.getByRole('row').filter({ hasText: `${word} ${String(n).padStart(7, '0')}` });
const scroll = (share) =>
  page.evaluate((share) => {
    const grid = document.querySelector('[role="grid"]');
    grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * share;
  }, share);
/** How long something takes until its row is drawn. */
async function timed(work, n) {
  const begin = performance.now();
  await work();
  await line(n).waitFor();
  return performance.now() - begin;
}
/** The times between frames while the page scrolls by `px` a frame. */
const frames = (px, count) =>
  page.evaluate(
    ([px, count]) =>
      new Promise((resolve) => {
        const grid = document.querySelector('[role="grid"]');
        const times = [];
        let last = performance.now();
        const step = (now) => {
          times.push(now - last);
          last = now;
          grid.scrollTop += px;
          if (times.length < count) requestAnimationFrame(step);
          else resolve(times.slice(1).sort((one, other) => one - other));
        };
        requestAnimationFrame(step);
      }),
    [px, count],
  );
const told = [];
const tell = (what, value) => told.push([what, value]);
const ms = (value) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
async function tellFrames(what, px, count) {
  const before = await metric('TaskDuration');
  const times = await frames(px, count);
  const work = (((await metric('TaskDuration')) - before) / count) * 1_000;
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  tell(what, `work ${ms(work)}; p50 ${ms(at(0.5))}, p95 ${ms(at(0.95))}, longest ${ms(times.at(-1))}`);
}
/** What the page holds, after its garbage is gone. */
async function tellHeld(what) {
  await tools.send('HeapProfiler.collectGarbage');
  tell(what, `${((await metric('JSHeapUsedSize')) / 1_048_576).toFixed(1)} MiB, ${await metric('Nodes')} nodes`);
}

/** Makes the records, of an object of the organisation's own that no search and no comparison looks at. */
async function fill() {
  const field = (name, type, more = {}) => ({ name, label: { en: name, zh: name }, kind: { type }, ...more });
  await call('PUT', '/objects/visit', {
    name: 'visit',
    label: { en: 'Visit', zh: '访问' },
    plural: { en: 'Visits', zh: '访问' },
    title: 'name',
    fields: [
      field('name', 'text', { indexed: true }),
      field('city', 'text'),
      field('amount', 'number'),
      field('day', 'date'),
    ],
  });
  const begin = performance.now();
  for (let at = 0; at < rows; at += AT_ONCE) {
    const edits = Array.from({ length: Math.min(AT_ONCE, rows - at) }, (_, n) => ({
      op: 'create',
      fields: {
        name: `Visit ${String(at + n).padStart(7, '0')}`,
        city: ['Berlin', 'Paris', 'Beijing', 'Bonn'][n % 4],
        amount: n,
        day: '2026-01-31',
      },
    }));
    await call('POST', '/objects/visit/bulk', { edits });
  }
  tell(`${rows} records made`, `${((performance.now() - begin) / 1_000).toFixed(0)} s`);
}

try {
  await page.goto(`${url}/signin?token=${admin_link_token}`);
  await page.getByText('No customers yet').waitFor();
  if (isPlayed) {
    await page.route(`**/objects/${object}/records?*`, (route) =>
      route.fulfill({ json: answer(route.request().url(), []) }),
    );
  } else await fill();
  tell('the list opens', ms(await timed(() => page.goto(`${url}/objects/${object}?sort=name`), 0)));
  await tellHeld('held at its beginning');
  await tellFrames('frames of 600, 60 px each', 60, 600);
  await tellFrames('frames of 600, 600 px each', 600, 600);
  await scroll(0);
  await line(0).getByRole('gridcell').nth(1).click();
  tell('to the last row by Control+End', ms(await timed(() => page.keyboard.press('Control+End'), rows - 1)));
  tell('back to the first by Control+Home', ms(await timed(() => page.keyboard.press('Control+Home'), 0)));
  for (const share of [0.5, 0.25, 0.75]) {
    tell(`to row ${rows * share} by the scrollbar`, ms(await timed(() => scroll(share), rows * share)));
  }
  await tellFrames('frames of 300 in the middle, 60 px each', 60, 300);
  for (let n = 1; n <= 100; n += 1) await timed(() => scroll(((n * 37) % 100) / 100), (rows / 100) * ((n * 37) % 100));
  await tellHeld('held after 100 jumps');
  for (const [what, value] of told) console.log(`| ${what} | ${value} |`);
} finally {
  await browser.close();
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  await rm(data, { recursive: true, force: true });
}
