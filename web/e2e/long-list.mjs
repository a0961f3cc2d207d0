/** A list of a million rows: both ends, the middle, and what the page holds of it. The server is played, so that it is at once. */
import assert from 'node:assert/strict';

const TOTAL = 1_000_000;
const stamp = '2026-01-01T00:00:00Z';

/** A record of the list in its order by name. */
const record = (n) => ({
  id: String(n).padStart(13, '0'),
  version: 1,
  created_at: stamp,
  created_by: 'system',
  updated_at: stamp,
  updated_by: 'system',
  owner: null,
  team: null,
  fields: { name: `Row ${String(n).padStart(7, '0')}`, sku: `S${n}` },
  related: {},
});

/** Answers as the server does: a cursor is a place in the order that was asked for, `skip` goes on from it. */
export function answer(address, log) {
  const query = new URL(address).searchParams;
  const backward = query.get('sort') === '-name';
  const limit = Number(query.get('limit') ?? 50);
  const start = Number(query.get('cursor') ?? 0) + Number(query.get('skip') ?? 0);
  const end = Math.min(TOTAL, start + limit);
  const places = Array.from({ length: Math.max(0, end - start) }, (_, at) => start + at);
  log.push({ backward, start, skip: Number(query.get('skip') ?? 0) });
  return {
    records: places.map((place) => record(backward ? TOTAL - 1 - place : place)),
    next: end < TOTAL ? String(end) : null,
    ...(query.get('count') === 'true' ? { total: TOTAL } : {}),
  };
}

/** Tests by name; they run in this order, in the session that is open. */
export function longListTests({ page, server, accessible }) {
  const asked = [];
  const row = (n) => page.getByRole('row').filter({ hasText: record(n).fields.name });
  const scroll = (share) =>
    page.evaluate((share) => {
      const grid = document.querySelector('[role="grid"]');
      grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * share;
    }, share);
  const drawn = () => page.getByRole('row').count();
  return {
    async 'of a million rows the first are shown at once, and no more than the visible ones are drawn'() {
      await page.route('**/api/v1/objects/product/records?*', (route) =>
        route.fulfill({ json: answer(route.request().url(), asked) }),
      );
      await page.goto(`${server().url}/objects/product?sort=name&columns=name,sku`);
      await page.getByText('1,000,000 records').waitFor();
      await row(0).waitFor();
      assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '1000001');
      assert.ok((await drawn()) < 80);
    },
    async 'the last of a million is one key away, asked for from the end, and keeps the focus'() {
      await row(0).getByRole('gridcell').nth(1).click();
      await page.keyboard.press('Control+End');
      await row(999_999).locator(':focus').waitFor();
      assert.deepEqual(asked.at(-1), { backward: true, start: 0, skip: 0 });
      for (let step = 0; step < 30; step += 1) await page.keyboard.press('PageUp');
      await row(999_999 - 30 * 12)
        .locator(':focus')
        .waitFor();
      // Pages that are asked for at once leave out one another, and nothing more.
      assert.ok(asked.every((one) => one.skip < 1_000));
      await accessible('a list of a million rows');
      await page.keyboard.press('Control+Home');
      await row(0).locator(':focus').waitFor();
    },
    async 'the scrollbar goes to the middle, and from there on in both directions'() {
      await scroll(0.5);
      await row(500_000).waitFor();
      // The pages in view and beside it, and the same once more if the list was told of a change meanwhile; none on the way there.
      const jumps = asked.filter((one) => one.skip > 0).length;
      assert.ok(jumps >= 1 && jumps <= 6, `${jumps} jumps`);
      const view = await page.evaluate(() => {
        const frame = document.querySelector('[role="grid"]').getBoundingClientRect();
        const seen = [...document.querySelectorAll('[role="row"].line')].filter((line) => {
          const { top, bottom } = line.getBoundingClientRect();
          return top >= frame.top + 40 && bottom <= frame.bottom;
        });
        return seen.map((line) => Number(line.getAttribute('aria-rowindex')) - 2);
      });
      assert.ok(
        view.length > 10 && view.every((place, at) => place === view[0] + at),
        'the rows in view follow one another',
      );
      await row(500_000).getByRole('gridcell').nth(1).click();
      for (const [key, by] of [
        ['PageDown', 12],
        ['PageUp', -12],
      ]) {
        for (let step = 0; step < 30; step += 1) await page.keyboard.press(key);
        await row(500_000 + (by > 0 ? by * 30 : 0))
          .locator(':focus')
          .waitFor();
      }
      await scroll(1);
      await row(999_999).waitFor();
    },
    async 'what is being typed stays while its row is scrolled away'() {
      await scroll(0.5);
      await row(500_000).getByRole('gridcell').nth(2).click();
      await page.keyboard.press('F2');
      await page.keyboard.type('half');
      await scroll(0);
      await row(0).waitFor();
      await scroll(1);
      await row(999_999).waitFor();
      await scroll(0.5);
      await row(500_001).waitFor();
      assert.match(await page.locator('[role="gridcell"].editing input').inputValue(), /half$/);
      await page.keyboard.press('Escape');
    },
    async 'one click selects the rows near the view, and none that is far away'() {
      await row(500_000).waitFor();
      // A page that comes after the click has rows that it did not select, so the box may be half full by now.
      await page.getByRole('checkbox', { name: /^Select the [1-9]\d* rows near the view/ }).click();
      await row(500_000).and(page.locator('[aria-selected="true"]')).waitFor();
      await scroll(0);
      assert.equal(await row(0).getAttribute('aria-selected'), 'false');
      await page.getByRole('button', { name: 'Clear the selection' }).click();
    },
    async 'what was seen and is far away is dropped'() {
      for (let at = 0; at < 60; at += 1) {
        const n = 10_000 * (at + 1);
        await scroll(n / TOTAL);
        await row(n).waitFor();
      }
      const before = asked.length;
      await scroll(10_000 / TOTAL);
      await row(10_000).waitFor();
      assert.ok(asked.length > before, 'a page that was dropped is asked for again');
      assert.ok((await drawn()) < 80);
      await page.unroute('**/api/v1/objects/product/records?*');
    },
  };
}
