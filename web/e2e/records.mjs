/** Records in the browser: lists, editing in place, filters, the page of a record, the board, people, audit. */
import assert from 'node:assert/strict';

/** Tests by name; they run in this order, in the session that is open. */
export function recordTests({ page, server, accessible, fits, browser, call }) {
  const go = (path) => page.goto(`${server().url}${path}`);
  const line = (name) => page.getByRole('row').filter({ has: page.getByRole('link', { name, exact: true }) });
  const cell = (name, column) => line(name).locator(`[data-column="${column}"]`);
  const notice = (text) => page.getByRole('alert').filter({ hasText: text });
  const card = (name) => page.getByRole('group', { name, exact: true });
  const column = (name) => page.getByRole('region', { name, exact: true });
  return {
    async 'an object without records teaches, and the first one is made by key'() {
      await go('/');
      await page.getByRole('navigation', { name: 'Main navigation' }).getByRole('link', { name: 'Companies' }).click();
      await page.getByText('No Companies yet').waitFor();
      await accessible('an empty table');
      await page.keyboard.press('n');
      const dialog = page.getByRole('dialog', { name: 'New: Company' });
      await dialog.getByLabel('Name').fill('Acme');
      await accessible('the dialog of a new record');
      await dialog.getByRole('button', { name: 'Save' }).click();
      await line('Acme').waitFor();
    },
    async 'a contact that others make appears by itself'() {
      await go('/objects/contact');
      await page.getByRole('heading', { name: 'Contacts' }).waitFor();
      const [acme] = (await call('GET', '/objects/company/records')).records;
      await call('POST', '/objects/contact/records', {
        fields: { name: 'Grace Hopper', email: 'grace@example.com', company: acme.id, country: 'United States' },
      });
      await line('Grace Hopper').waitFor();
      await cell('Grace Hopper', 'company').getByRole('link', { name: 'Acme' }).waitFor();
      await accessible('a table');
    },
    async 'a cell is edited by key, and the edit is undone'() {
      await go('/objects/contact?columns=name,country,city');
      await cell('Grace Hopper', 'country').click();
      await page.keyboard.press('Enter');
      await page.keyboard.type('France');
      await page.keyboard.press('Enter');
      await cell('Grace Hopper', 'country').getByText('France', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Undo' }).click();
      await cell('Grace Hopper', 'country').getByText('United States', { exact: true }).waitFor();
      await page.waitForFunction(async () => {
        const answer = await fetch('/api/v1/objects/contact/records');
        return (await answer.json()).records[0].fields.country === 'United States';
      });
    },
    async 'an edit of an old version says what is newer'() {
      const [grace] = (await call('GET', '/objects/contact/records')).records;
      await cell('Grace Hopper', 'city').click();
      await page.keyboard.press('Enter');
      await call('PATCH', `/objects/contact/records/${grace.id}`, { fields: { city: 'Arlington' } });
      await page.keyboard.type('Paris');
      await page.keyboard.press('Enter');
      await page.getByText(/City is now “Arlington”; yours is “Paris”/).waitFor();
      await page.getByRole('button', { name: 'Use mine' }).click();
      await cell('Grace Hopper', 'city').getByText('Paris', { exact: true }).waitFor();
    },
    async 'a filter is made of rows, and a wrong condition is told at its place'() {
      await call('POST', '/objects/contact/records', {
        fields: { name: 'Rosalind Franklin', country: 'United Kingdom' },
      });
      await line('Rosalind Franklin').waitFor();
      await page.getByRole('button', { name: 'Filter' }).click();
      await page.getByRole('textbox', { name: 'Value' }).fill('hopper');
      await page.getByRole('button', { name: 'Apply' }).click();
      await page.getByText('1 match', { exact: true }).waitFor();
      await line('Rosalind Franklin').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'As text' }).click();
      assert.equal(await page.getByLabel('Condition').inputValue(), 'name.search("hopper")');
      await page.getByLabel('Condition').fill('name == 1 +');
      await page.getByRole('button', { name: 'Apply' }).click();
      await page
        .getByText(/line 1, column/)
        .first()
        .waitFor();
      await accessible('a wrong filter');
      await page.getByRole('button', { name: 'Clear', exact: true }).click();
      await line('Rosalind Franklin').waitFor();
    },
    async 'many are changed and deleted at once, and that is undone'() {
      await page.getByRole('checkbox', { name: /^Select the \d+ rows near the view/ }).check();
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByText('No Contacts yet').waitFor();
      await notice('in the trash').getByRole('button', { name: 'Undo' }).click();
      await line('Rosalind Franklin').waitFor();
      await line('Grace Hopper').waitFor();
    },
    async 'a thousand rows scroll, and only the visible ones are drawn'() {
      const edits = Array.from({ length: 1_000 }, (_, n) => ({
        op: 'create',
        fields: { name: `Product ${String(n).padStart(4, '0')}`, sku: `S${n}` },
      }));
      await call('POST', '/objects/product/bulk', { edits });
      await go('/objects/product?sort=name');
      await page.getByText('1,000 records').waitFor();
      await line('Product 0000').getByRole('gridcell').nth(1).click();
      await page.keyboard.press('Control+End');
      await line('Product 0999').locator(':focus').waitFor();
      assert.ok((await page.getByRole('row').count()) < 80);
    },
    async 'the page of a record shows what happened, and a value is put back'() {
      await go('/objects/contact');
      await page.getByRole('link', { name: 'Grace Hopper' }).click();
      await page.getByRole('heading', { name: 'Grace Hopper' }).waitFor();
      await page.getByRole('button', { name: 'Edit Country' }).click();
      await page.keyboard.type('Canada');
      await page.keyboard.press('Enter');
      await page.getByRole('tab', { name: 'History' }).click();
      await page.getByRole('button', { name: 'Set Country back to “United States”' }).first().click();
      await page.locator('.field[data-field="country"]').getByText('United States').waitFor();
      await page.getByRole('tab', { name: 'Activity' }).click();
      await page.getByRole('textbox', { name: 'Write a note' }).fill('Called about the compiler');
      await page.getByRole('button', { name: 'Add the note' }).click();
      await page.locator('[data-activity="note"]').getByText('Called about the compiler').waitFor();
      await accessible('a record');
    },
    async 'a contact is the customer that its events tell of'() {
      const contacts = await call('GET', '/objects/contact/records?filter=customer_id%20!%3D%20null');
      const contact = contacts.records.find((one) => one.fields.customer_id === 'ada');
      await go(`/objects/contact/${contact.id}`);
      await page.getByRole('tab', { name: 'Customer' }).click();
      await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    },
    async 'a deal is dragged to another stage, and moved back by key'() {
      for (const [name, amount] of [
        ['Compiler', 1200],
        ['Debugger', 800],
      ]) {
        await call('POST', '/objects/deal/records', { fields: { name, amount: { amount, currency: 'EUR' } } });
      }
      await go('/objects/deal/board');
      await column('New').locator('[data-testid="count"]').getByText('2', { exact: true }).waitFor();
      await accessible('a board');
      await card('Compiler').dragTo(column('Proposal'));
      await column('Proposal').getByText('€1,200', { exact: true }).waitFor();
      await page.waitForFunction(async () => {
        const filter = encodeURIComponent('stage.name == "Proposal"');
        const answer = await fetch(`/api/v1/objects/deal/records?filter=${filter}`);
        return (await answer.json()).records.length === 1;
      });
      await card('Compiler').focus();
      await page.keyboard.press('Space');
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('Space');
      await column('Qualified').locator('[data-testid="count"]').getByText('1', { exact: true }).waitFor();
      await call('POST', '/objects/deal/records', { fields: { name: 'Linker' } });
      await card('Linker').waitFor();
    },
    async 'an invitation makes an account, which signs in by password'() {
      await go('/settings/users');
      await page.getByRole('button', { name: 'Invite' }).click();
      await page.getByLabel('E-mail address').fill('lin@example.com');
      await page.getByRole('button', { name: 'Make the link' }).click();
      const link = await page.getByTestId('secret').textContent();
      await accessible('people');
      const other = await browser.newContext({ locale: 'zh-CN' });
      const second = await other.newPage();
      await second.goto(link);
      await second.getByLabel('你的姓名').fill('林');
      await second.getByLabel('密码').fill('a sentence to keep');
      await second.getByRole('button', { name: '创建账户' }).click();
      await second.getByRole('link', { name: '联系人' }).click();
      await second.getByRole('link', { name: 'Grace Hopper' }).waitFor();
      await second.getByRole('button', { name: '退出登录' }).click();
      await second.getByLabel('邮箱').fill('lin@example.com');
      await second.getByLabel('密码').fill('a wrong sentence');
      await second.getByRole('button', { name: '登录', exact: true }).click();
      await second.getByText('邮箱或密码错误。').waitFor();
      await second.getByLabel('密码').fill('a sentence to keep');
      await second.getByRole('button', { name: '登录', exact: true }).click();
      await second.getByRole('link', { name: '商机' }).click();
      await second.getByRole('heading', { name: '商机' }).waitFor();
      await other.close();
    },
    async 'roles are a matrix'() {
      await go('/settings/roles');
      await page.getByRole('button', { name: 'Edit Member' }).click();
      await page.getByLabel('Deals, Sees', { exact: true }).first().waitFor();
      await accessible('a role');
    },
    async 'an object of the organisation has the same pages'() {
      await go('/settings/objects');
      await page.getByRole('button', { name: 'New object' }).click();
      await page.getByLabel('One is called').fill('Car');
      await page.getByLabel('Many are called').fill('Cars');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('navigation', { name: 'Main navigation' }).getByRole('link', { name: 'Cars' }).click();
      await page.getByText('No Cars yet').waitFor();
    },
    async 'a file is tried, imported, and the import is undone'() {
      await go('/objects/company/import');
      const buffer = Buffer.from('Name;Website\nGlobex;https://globex.example\nInitech;not an address\n');
      await page.locator('input[type=file]').setInputFiles({ name: 'companies.csv', mimeType: 'text/csv', buffer });
      await page.getByRole('button', { name: 'Next' }).click();
      await page.locator('[data-import-column="Website"]').getByText('https://globex.example').waitFor();
      await accessible('the mapping of a file');
      await page.getByRole('button', { name: 'Try it without changing anything' }).click();
      await page.locator('[data-tally="created"]').getByText('1', { exact: true }).waitFor();
      await page.getByRole('table', { name: 'Mistakes' }).getByText('Website').waitFor();
      await page.getByRole('button', { name: 'Import', exact: true }).click();
      await page.getByText('The import is done').waitFor();
      await page.getByRole('link', { name: 'To the Companies' }).click();
      await line('Globex').waitFor();
      await go('/settings/undo');
      const id = await page.locator('[data-batch]').first().getAttribute('data-batch');
      const batch = page.locator(`[data-batch="${id}"]`);
      await batch.getByRole('button', { name: 'Undo' }).click();
      await batch.getByText('taken back').waitFor();
      await go('/objects/company');
      await line('Acme').waitFor();
      assert.equal(await line('Globex').count(), 0);
    },
    async 'a view is saved and chosen'() {
      await go('/objects/contact?filter=country%20%3D%3D%20%22United%20States%22&columns=name,country');
      await page.getByText('1 match', { exact: true }).waitFor();
      await page.getByRole('button', { name: /^Views/ }).click();
      await page.getByRole('menuitem', { name: 'Save as a view' }).click();
      await page.getByLabel('Name', { exact: true }).fill('Americans');
      await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
      await page.getByRole('button', { name: 'Views: Americans' }).waitFor();
      await page.getByText('1 match', { exact: true }).waitFor();
      await page.getByRole('button', { name: /^Views/ }).click();
      await page.getByRole('menuitem', { name: 'Everything' }).click();
      await line('Rosalind Franklin').waitFor();
    },
    async 'a list is exported as it is shown'() {
      await go('/objects/contact');
      await page.getByRole('button', { name: 'More actions' }).click();
      const address = await page.getByRole('menuitem', { name: 'Export CSV' }).getAttribute('href');
      const text = await page.evaluate(async (address) => {
        const answer = await fetch(address);
        return `${answer.status} ${await answer.text()}`;
      }, address);
      assert.match(text, /^200 /);
      assert.match(text, /Rosalind Franklin/);
    },
    async 'the audit tells who did what'() {
      await go('/settings/audit');
      await page.locator('[data-change="update"][data-of="deal"]').first().getByText('Stage').waitFor();
      await accessible('the audit');
    },
    async 'records can be read in Chinese, in the dark, on a phone'() {
      await page.getByRole('button', { name: '切换到中文' }).click();
      await page.setViewportSize({ width: 390, height: 800 });
      for (const path of ['/objects/contact', '/objects/deal/board', '/settings/audit']) {
        await go(path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await accessible(`${path}, dark, phone`);
        await fits(path);
      }
      await page.setViewportSize({ width: 1200, height: 800 });
      await page.getByRole('button', { name: 'Switch to English' }).click();
    },
  };
}
