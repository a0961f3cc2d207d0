/** The life of a model in the pages: trained, looked at, made live, tried, taken back, exported and imported. */
import assert from 'node:assert/strict';
import { pastOrders } from './history.mjs';

/** `server` is asked each time, since it may have been started anew. */
export function modelTests({ page, server, send, accessible, fits }) {
  const version = (number) => page.locator(`[data-version="${number}"]`);
  const dialog = page.getByRole('dialog');
  const models = () => page.goto(`${server().url}/models`);
  const open = async (number) => {
    await models();
    await version(number)
      .getByRole('link', { name: `Version ${number}` })
      .click();
    await page.getByRole('heading', { name: `version ${number}`, level: 1 }).waitFor();
  };
  const train = async () => {
    await page.getByRole('button', { name: 'Train a model' }).first().click();
    await dialog.getByRole('button', { name: 'Start training' }).click();
    await dialog.waitFor({ state: 'detached' });
  };
  const makeLive = async () => {
    await page.getByRole('button', { name: 'Make live' }).click();
    await dialog.getByText('All customers are scored anew').waitFor();
    await dialog.getByRole('button', { name: 'Make live' }).click();
    await page.locator('[data-status="live"]').waitFor();
  };

  return {
    async 'without a model the page says what one is learned from'() {
      await models();
      await page.getByText('No model yet').waitFor();
      await page.getByText('each “Order Completed” is a moment').waitFor();
      await accessible('models, none');
    },
    async 'a model is trained from the page, and its training is watched'() {
      for (const batch of pastOrders()) await send('batch', { batch });
      await train();
      await page.locator('[data-job]').waitFor();
      await page.locator('[data-job][data-state="done"]').getByRole('link', { name: 'Version 1' }).waitFor();
      await version(1).waitFor();
      await page.getByText('No model is live').waitFor();
      await accessible('models');
    },
    async 'a model tells how good it is, and goes live after it was asked for'() {
      await open(1);
      const auc = Number(await page.locator('[data-figure="auc"] td').nth(1).locator('p').first().textContent());
      assert.ok(auc > 0.5 && auc < 1, `an AUC of ${auc}`);
      await page.locator('[data-input]').first().waitFor();
      await accessible('model');
      await makeLive();
      await page.goto(`${server().url}/customers/user%3Ac1`);
      await page.getByTestId('score-value').waitFor();
      await models();
      await page
        .getByTestId('live-auc')
        .getByText(String(auc.toFixed(3)))
        .waitFor();
    },
    async 'a second model is tried in the shadow and as a canary, and the trial ends'() {
      await models();
      await train();
      await version(2).waitFor();
      await open(2);
      await page.getByRole('button', { name: 'Try beside the live one' }).click();
      await dialog.getByText('decides nothing').waitFor();
      await dialog.getByRole('button', { name: 'Start the trial' }).click();
      await page.locator('[data-status="shadow"]').waitFor();
      await page.getByRole('button', { name: 'End the trial' }).click();
      await page.locator('[data-status="shadow"]').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.locator('[data-status="shadow"]').waitFor();
      await page.getByRole('button', { name: 'End the trial' }).click();
      await page.locator('[data-status="shadow"]').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Try beside the live one' }).click();
      await dialog.getByText('As a canary').click();
      await dialog.getByRole('slider').focus();
      await page.keyboard.press('ArrowRight');
      await dialog.getByText('Share of the customers: 11%').waitFor();
      await accessible('trial');
      await dialog.getByRole('button', { name: 'Start the trial' }).click();
      await page.getByText('canary 11%').waitFor();
      await models();
      await page.getByTestId('trial').getByRole('button', { name: 'End the trial' }).click();
      await page.getByTestId('trial').waitFor({ state: 'detached' });
    },
    async 'a model goes live in place of another, and is rolled back'() {
      await open(2);
      await page.getByRole('button', { name: 'Try beside the live one' }).click();
      await dialog.getByRole('button', { name: 'Start the trial' }).click();
      await page.locator('[data-status="shadow"]').waitFor();
      await makeLive();
      await page.locator('[data-status="shadow"]').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Undo' }).click();
      await page.getByText('Version 1 is live, version 2 on trial again').waitFor();
      await page.locator('[data-status="shadow"]').waitFor();
      await makeLive();
      await page.getByRole('button', { name: 'Roll back' }).click();
      await dialog.getByRole('button', { name: 'Roll back' }).click();
      await page.locator('[data-status="live"]').waitFor({ state: 'detached' });
      await models();
      await version(1).locator('[data-status="live"]').waitFor();
      assert.equal(await page.locator('[data-status="live"]').count(), 1);
      await page.getByTestId('trial').getByRole('button', { name: 'End the trial' }).click();
      await page.getByTestId('trial').waitFor({ state: 'detached' });
    },
    async 'an exported model is imported, and a file that is no model is refused'() {
      await open(1);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Artifact' }).click(),
      ]);
      assert.equal(download.suggestedFilename(), 'repeat_purchase-1.model');
      const path = await download.path();
      await models();
      const choose = async (file) => {
        await page.getByRole('button', { name: 'Import a model' }).click();
        await page.locator('input[type="file"]').setInputFiles(file);
        await dialog.getByRole('button', { name: 'Import a model' }).click();
      };
      await choose({ name: 'a.model', mimeType: 'application/octet-stream', buffer: Buffer.from('no model') });
      await dialog.getByRole('alert').waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await choose(path);
      await page.getByRole('heading', { name: 'version 3', level: 1 }).waitFor();
      await page.getByText('imported', { exact: true }).first().waitFor();
    },
    async 'the pages of models fit a phone, dark and in Chinese'() {
      await page.setViewportSize({ width: 390, height: 800 });
      await page.getByRole('button', { name: '切换到中文' }).click();
      for (const path of ['/models', '/models/repeat_purchase/1', '/models/repeat_purchase/monitoring']) {
        await page.goto(`${server().url}${path}`);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await accessible(`${path}, dark, phone, Chinese`);
        await fits(path);
      }
      await page.getByRole('button', { name: 'Switch to English' }).click();
      await page.setViewportSize({ width: 1200, height: 800 });
    },
    async 'the palette leads to a training'() {
      await page.keyboard.press('Control+k');
      await page.getByPlaceholder('Find a customer').fill('train');
      await page.getByRole('button', { name: 'Train a model' }).last().click();
      await dialog.getByRole('button', { name: 'Start training' }).waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    },
  };
}
