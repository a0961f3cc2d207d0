/** What keeps records in order: the queue of duplicates, leads that become customers, views, pipelines. */
import assert from 'node:assert/strict';

/** Tests by name; they run in this order, in the session that is open. `call` is the API as the page itself asks it. */
export function upkeepTests({ page, server, accessible, fits, call, send }) {
  const go = (path) => page.goto(`${server().url}${path}`);
  const line = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  const notice = (text) => page.getByRole('alert').filter({ hasText: text });
  const pair = (name) => page.locator('[data-pair]').filter({ hasText: name });
  const compared = (field) => page.locator(`[data-compared="${field}"]`);
  const create = (object, fields) => call('POST', `/objects/${object}/records`, { fields });
  const found = async (object, filter) =>
    (await call('GET', `/objects/${object}/records?filter=${encodeURIComponent(filter)}`)).records;
  /** Waits until something is so that the page does not show. */
  const until = async (what) => {
    const end = Date.now() + 15_000;
    while (!(await what())) {
      assert.ok(Date.now() < end, `it never came: ${what}`);
      await page.evaluate(() => new Promise(requestAnimationFrame));
    }
  };
  const menu = async (item) => {
    await page.getByRole('button', { name: /^Views/ }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };
  return {
    async 'two records that seem to be one come into the queue by themselves'() {
      await go('/objects/contact');
      await page.getByRole('link', { name: 'Duplicates' }).click();
      await page.getByText('No pair is waiting').waitFor();
      await create('contact', {
        name: 'Edsger Dijkstra',
        email: 'ed@example.org',
        city: 'Rotterdam',
        phone: '030 111',
      });
      await create('contact', { name: 'E. Dijkstra', email: 'ed@example.org', city: 'Austin', country: 'Netherlands' });
      await pair('Edsger Dijkstra').getByText('the same e-mail address').waitFor();
      await accessible('the queue of duplicates');
    },
    async 'a pair is merged by key with values that were chosen, and the merge is undone'() {
      await compared('city').getByLabel('City: Austin').check();
      await page.keyboard.press('m');
      await page.getByText('No pair is waiting').waitFor();
      const [merged] = await found('contact', 'email == "ed@example.org"');
      assert.equal(merged.fields.name, 'Edsger Dijkstra');
      assert.equal(merged.fields.city, 'Austin');
      assert.equal(merged.fields.country, 'Netherlands');
      await notice('is merged in').getByRole('button', { name: 'Undo' }).click();
      await pair('Edsger Dijkstra').waitFor();
      await until(async () => (await found('contact', 'email == "ed@example.org"')).length === 2);
    },
    async 'the other one can stay, and the keys go through the queue'() {
      await create('contact', { name: 'Tony Hoare', email: 'tony@example.org' });
      await create('contact', { name: 'Tony Hoare', email: 'tony@example.org', city: 'Oxford' });
      await pair('Tony Hoare').waitFor();
      await pair('Tony Hoare').click();
      const current = page.locator('[data-pair][aria-current]');
      await current.getByText('Tony Hoare').waitFor();
      await page.keyboard.press('j');
      await current.getByText('Dijkstra').waitFor();
      await page.keyboard.press('k');
      await current.getByText('Tony Hoare').waitFor();
      await page.keyboard.press('s');
      await page.getByLabel('Keep this one: Tony Hoare (the newer)').and(page.locator(':checked')).waitFor();
      const before = await found('contact', 'email == "tony@example.org"');
      await page.getByRole('button', { name: 'Merge' }).click();
      await pair('Tony Hoare').waitFor({ state: 'detached' });
      const [merged, ...others] = await found('contact', 'email == "tony@example.org"');
      assert.equal(others.length, 0);
      assert.equal(merged.id, before.map((one) => one.id).sort()[1]);
    },
    async 'two that are two are said to be, and that is undone'() {
      await page.keyboard.press('n');
      await page.getByText('No pair is waiting').waitFor();
      assert.equal((await call('GET', '/duplicates?object=contact')).pairs.length, 0);
      await notice('are two').getByRole('button', { name: 'Undo' }).click();
      await pair('Dijkstra').waitFor();
      await until(async () => (await call('GET', '/duplicates?object=contact')).pairs.length === 1);
    },
    async 'the queue of an object is reached from its table'() {
      await go('/objects/contact');
      await page.getByRole('button', { name: 'More actions' }).click();
      await page.getByRole('menuitem', { name: 'Duplicates' }).click();
      await pair('Dijkstra').waitFor();
    },
    async 'two customers become one and are two again, profiles included'() {
      for (const [userId, name] of [
        ['kay-1', 'Alan Kay'],
        ['kay-2', 'Alan C. Kay'],
      ]) {
        await send('identify', { userId, traits: { name, email: 'kay@example.org' } });
        await send('track', { userId, event: 'Order Completed', properties: { total: 5, order_id: userId } });
      }
      const customer = (id) =>
        page.evaluate(async (id) => (await fetch(`/v1/customers/${encodeURIComponent(id)}`)).json(), `user:${id}`);
      await pair('Alan Kay').waitFor();
      await pair('Alan Kay').click();
      await page.getByText('Both are customers').waitFor();
      await accessible('a pair of customers');
      await page.keyboard.press('m');
      await notice('profiles of both customers are seen as one').waitFor();
      await until(async () => (await customer('kay-2')).id === (await customer('kay-1')).id);
      const joined = await customer('kay-1');
      assert.ok(joined.ids.includes('user:kay-1') && joined.ids.includes('user:kay-2'), joined.ids.join());
      assert.equal(joined.events, 4);
      await notice('seen as one').getByRole('button', { name: 'Undo' }).click();
      await notice('a profile of its own again').waitFor();
      await until(async () => (await customer('kay-1')).id === 'user:kay-1');
      await until(async () => (await customer('kay-2')).id === 'user:kay-2');
      assert.deepEqual([(await customer('kay-1')).events, (await customer('kay-2')).events], [2, 2]);
    },
    async 'a lead comes to the contact that is there, with a company that is looked for'() {
      await create('company', { name: 'Burroughs' });
      const lead = await create('lead', {
        name: 'Edsger Dijkstra',
        email: 'ed@example.org',
        company_name: 'Burroughs Ltd',
      });
      await go(`/objects/lead/${lead.id}`);
      await page.getByRole('button', { name: 'Convert' }).click();
      const dialog = page.getByRole('dialog', { name: 'Convert' });
      const contact = dialog.getByRole('radiogroup', { name: 'Contact' });
      await contact
        .getByRole('radio', { name: /Edsger Dijkstra, already there/ })
        .and(page.locator(':checked'))
        .waitFor();
      const company = dialog.getByRole('radiogroup', { name: 'Company' });
      await company.getByRole('radio', { name: 'Another that is there' }).check();
      assert.equal(await dialog.getByRole('button', { name: 'Convert' }).isDisabled(), true);
      await company.getByRole('combobox', { name: 'Company that is there' }).fill('Burr');
      await page.getByRole('option', { name: 'Burroughs' }).click();
      await accessible('the conversion of a lead');
      await dialog.getByLabel('Make a deal too').uncheck();
      await dialog.getByRole('button', { name: 'Convert' }).click();
      await page.getByRole('heading', { name: 'Edsger Dijkstra' }).waitFor();
      const [burroughs] = await found('company', 'name == "Burroughs"');
      const [converted] = await found('lead', 'email == "ed@example.org"');
      assert.equal(converted.fields.status, 'converted');
      assert.equal(converted.fields.company, burroughs.id);
      assert.equal(converted.fields.deal, undefined);
      assert.equal((await found('contact', 'name == "Edsger Dijkstra"')).length, 1);
      assert.equal((await found('company', 'name.search("Burroughs")')).length, 1);
    },
    async 'views are renamed, put in order by key, and deleted with a way back'() {
      await go('/objects/contact?filter=city%20!%3D%20null');
      await line('Tony Hoare').waitFor();
      await menu('Save as a view');
      await page.getByLabel('Name', { exact: true }).fill('Somewhere');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await page.getByRole('button', { name: 'Views: Somewhere' }).waitFor();
      await menu('Order, names and sharing');
      const order = page.locator('[data-ordered]');
      const names = () =>
        order.getByRole('textbox', { name: /^Name of/ }).evaluateAll((all) => all.map((one) => one.value));
      await page.getByRole('textbox', { name: 'Name of “Somewhere”' }).fill('With a city');
      await page.keyboard.press('Enter');
      await page.getByRole('textbox', { name: 'Name of “With a city”' }).waitFor();
      assert.deepEqual(await names(), ['Americans', 'With a city']);
      await accessible('the views of an object');
      await page.getByRole('button', { name: 'Move With a city' }).focus();
      await page.keyboard.press('ArrowUp');
      await until(async () => (await names())[0] === 'With a city');
      const views = async () => (await call('GET', '/views?object=contact')).views.map((view) => view.name);
      await until(async () => (await views()).join() === 'With a city,Americans');
      await page.getByRole('button', { name: 'Move With a city' }).and(page.locator(':focus')).waitFor();
      await page.getByRole('button', { name: 'Delete “Americans”' }).click();
      await page.getByRole('textbox', { name: 'Name of “Americans”' }).waitFor({ state: 'detached' });
      await notice('deleted').getByRole('button', { name: 'Undo' }).click();
      await page.getByRole('textbox', { name: 'Name of “Americans”' }).waitFor();
      await page
        .getByRole('combobox', { name: 'Who sees “With a city”' })
        .or(page.getByRole('textbox', { name: 'Who sees “With a city”' }))
        .first()
        .click();
      await page.getByRole('option', { name: 'Everybody' }).click();
      await until(async () => (await call('GET', '/views?object=contact')).views[0].shared === 'all');
    },
    async 'a list opens with the view that comes first, and everything is one choice away'() {
      const star = { name: 'Open the list with “With a city”' };
      await page.getByRole('button', star).click();
      await page.getByRole('button', { ...star, pressed: true }).waitFor();
      await page.keyboard.press('Escape');
      await go('/objects/contact');
      await page.getByRole('button', { name: 'Views: With a city' }).waitFor();
      assert.equal(await line('Rosalind Franklin').count(), 0);
      await go(`/objects/contact?filter=${encodeURIComponent('name.search("Rosalind")')}`);
      await line('Rosalind Franklin').waitFor();
      await page.getByRole('button', { name: 'Views: Everything' }).waitFor();
      await go('/objects/contact');
      await page.getByRole('button', { name: 'Views: With a city' }).waitFor();
      await menu('Everything');
      await line('Rosalind Franklin').waitFor();
      const { views } = await call('GET', '/views?object=contact');
      await call('PATCH', `/views/${views.find((view) => view.first).id}`, { first: false });
    },
    async 'a pipeline with its own stages is set up'() {
      await go('/settings/pipelines');
      await page.getByRole('button', { name: 'New pipeline' }).click();
      await page.getByRole('dialog').getByLabel('Name').fill('Partners');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      const partners = page.getByRole('region', { name: 'Partners', exact: true });
      for (const name of ['Met', 'Signed', 'Contacted']) {
        await partners.getByRole('button', { name: 'New stage' }).click();
        await page.getByRole('dialog').getByLabel('Name').fill(name);
        await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
        await partners.getByText(name, { exact: true }).waitFor();
      }
      const stages = () =>
        partners.locator('[data-stage]').evaluateAll((all) => all.map((one) => one.querySelector('p').textContent));
      assert.deepEqual(await stages(), ['Met', 'Signed', 'Contacted']);
      await accessible('pipelines');
      await partners
        .getByRole('button', { name: 'Move Contacted' })
        .dragTo(partners.getByText('Signed', { exact: true }));
      await until(async () => (await stages()).join() === 'Met,Contacted,Signed');
      // The second key comes while the first one's order is written.
      await partners.getByRole('button', { name: 'Move Met' }).focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      assert.equal((await stages()).join(), 'Contacted,Signed,Met');
      const written = async () => {
        const list = await found('stage', 'pipeline.name == "Partners"');
        return list.sort((one, other) => one.fields.position - other.fields.position).map((one) => one.fields.name);
      };
      await until(async () => (await written()).join() === 'Contacted,Signed,Met');
      assert.equal((await stages()).join(), 'Contacted,Signed,Met');
      await partners.getByRole('button', { name: 'Edit Signed' }).click();
      await page.getByRole('dialog').getByLabel('Probability (%)').fill('80');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await partners.locator('[data-stage]').filter({ hasText: 'Signed' }).getByText('80%').waitFor();
    },
    async 'the board shows one pipeline, and a new deal stands on it'() {
      await go('/objects/deal/board');
      await page.getByRole('region', { name: 'New', exact: true }).waitFor();
      assert.equal(await page.getByRole('region', { name: 'Contacted', exact: true }).count(), 0);
      await page.getByLabel('Pipeline', { exact: true }).first().click();
      await page.getByRole('option', { name: 'Partners' }).click();
      await page.getByRole('region', { name: 'Contacted', exact: true }).waitFor();
      assert.equal(await page.getByRole('region', { name: 'New', exact: true }).count(), 0);
      await page.getByRole('button', { name: 'New: Deal' }).click();
      await page.getByRole('dialog').getByLabel('Name').fill('Reseller');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await page
        .getByRole('region', { name: 'Contacted', exact: true })
        .getByRole('group', { name: 'Reseller' })
        .waitFor();
      await menu('Save as a view');
      await page.getByLabel('Name', { exact: true }).fill('Partner board');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await page.getByRole('button', { name: 'Views: Partner board' }).waitFor();
      await go('/objects/deal');
      await menu('Partner board');
      await page
        .getByRole('region', { name: 'Contacted', exact: true })
        .getByRole('group', { name: 'Reseller' })
        .waitFor();
    },
    async 'a stage is taken away, its deals go where they are told, and that is undone'() {
      await go('/settings/pipelines');
      const partners = page.getByRole('region', { name: 'Partners', exact: true });
      await partners.getByRole('button', { name: 'Delete Contacted' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete Contacted' });
      await dialog.getByText('1 record stands in it.').waitFor();
      assert.equal(await dialog.getByRole('button', { name: 'Delete' }).isDisabled(), true);
      await dialog.getByLabel('They go to').first().click();
      await page.getByRole('option', { name: 'Signed' }).click();
      await dialog.getByRole('button', { name: 'Delete' }).click();
      await partners.getByText('Contacted', { exact: true }).waitFor({ state: 'detached' });
      const stands = async (stage) =>
        (await found('deal', `stage.name == "${stage}" && name == "Reseller"`)).length === 1;
      assert.equal(await stands('Signed'), true);
      await notice('in the trash').getByRole('button', { name: 'Undo' }).click();
      await partners.getByText('Contacted', { exact: true }).waitFor();
      assert.equal(await stands('Contacted'), true);
    },
    async 'a pipeline is taken away, and its deals go to a stage of another'() {
      const partners = page.getByRole('region', { name: 'Partners', exact: true });
      await partners.getByRole('button', { name: 'Delete Partners' }).click();
      await page.getByLabel('They go to').first().click();
      await page.getByRole('option', { name: 'Qualified' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await partners.waitFor({ state: 'detached' });
      const [deal] = await found('deal', 'name == "Reseller" && stage.name == "Qualified"');
      assert.equal((await found('pipeline', `id == "${deal.fields.pipeline}"`))[0].fields.name, 'Sales');
    },
    async 'what keeps records in order can be read in Chinese, in the dark and in the light, on a phone'() {
      await page.getByRole('button', { name: '切换到中文' }).click();
      await page.setViewportSize({ width: 390, height: 800 });
      for (const path of ['/duplicates', '/settings/pipelines', '/objects/deal/board']) {
        await go(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await accessible(`${path}, dark, phone`);
        await fits(path);
      }
      await page.getByRole('button', { name: '切换到浅色' }).click();
      await go('/duplicates');
      await page.locator('[data-compared]').first().waitFor();
      await accessible('the queue of duplicates, light, phone');
      await page.setViewportSize({ width: 1200, height: 800 });
      await page.getByRole('button', { name: 'Switch to English' }).click();
    },
  };
}
