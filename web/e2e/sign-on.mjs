/** Sign-on by a real OpenID provider (`oidc-provider`), with a server that has it in its settings. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Provider from 'oidc-provider';
import { serve } from './server.mjs';

const SECRET = 'a secret of the tests, which is long enough';

/** An HTTP server on a free port of the loopback address. */
async function listening() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
}

const closed = (server) =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

/** Whoever says who they are is believed, and has the address that belongs to it. */
async function startProvider(redirect) {
  const { server, url } = await listening();
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const provider = new Provider(url, {
    clients: [{ client_id: 'rapport', client_secret: SECRET, redirect_uris: [redirect] }],
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: [SECRET] },
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    jwks: { keys: [{ ...key, kid: 'one', use: 'sig' }] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: id !== 'unverified',
        name: `${id} of Example`,
      }),
    }),
  });
  server.on('request', provider.callback());
  return { url, stop: () => closed(server) };
}

/** Both servers, started with the first test that needs them. */
async function start() {
  const data = await mkdtemp(join(tmpdir(), 'rapport-sign-on-'));
  // The provider must know the address of the pages before they are there, so their port is chosen first.
  const place = await listening();
  await closed(place.server);
  const provider = await startProvider(`${place.url}/api/v1/sign-in/with/example/back`);
  await writeFile(join(data, 'secret'), `${SECRET}\n`);
  const settings = `
    public_url = "${place.url}"
    allow_private = "${new URL(provider.url).host}"
    [[sign_on]]
    name = "example"
    title = "Example ID"
    issuer = "${provider.url}"
    client_id = "rapport"
    client_secret_file = "${join(data, 'secret')}"
  `;
  await writeFile(join(data, 'rapport.toml'), settings);
  const server = await serve(data, new URL(place.url).host, '--config', join(data, 'rapport.toml'));
  const stop = async () => {
    await server.stop();
    await provider.stop();
    await rm(data, { recursive: true, force: true });
  };
  const call = async (method, path, body) => {
    const headers = { Authorization: `Bearer ${server.api_key}`, 'Content-Type': 'application/json' };
    const answer = await fetch(`${server.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  };
  return { url: server.url, admin_link_token: server.admin_link_token, call, stop };
}

/** Tests by name, and the end of what they have started. */
export function signOnTests({ browser, accessible }) {
  let started = null;
  let ann = null;
  const site = () => {
    started ??= start();
    return started;
  };
  const visitor = async (locale = 'en-GB') => {
    const page = await (await browser.newContext({ locale })).newPage();
    page.setDefaultTimeout(15_000);
    return page;
  };
  /** Says at the provider who one is, and agrees. */
  const agree = async (page, login) => {
    await page.getByPlaceholder('Enter any login').fill(login);
    await page.getByPlaceholder('and password').fill('anything');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
  };
  const mine = (page) => page.locator('[data-sign-on="example"]');
  const tests = {
    async 'who was invited signs on at the provider and is where they wanted to be'() {
      const { url, call, admin_link_token } = await site();
      const owner = await visitor();
      await owner.goto(`${url}/signin?token=${admin_link_token}`);
      await owner.getByRole('button', { name: 'Sign out' }).waitFor();
      await owner.context().close();
      const role = (await call('GET', '/roles')).roles.find((one) => one.name === 'Member').id;
      await call('POST', '/invitations', { email: 'ann@example.com', role, teams: [] });
      ann = await visitor();
      await ann.goto(`${url}/settings/profile`);
      await ann.getByRole('link', { name: 'Continue with Example ID' }).waitFor();
      await accessible('sign-in with a provider', ann);
      await ann.getByRole('link', { name: 'Continue with Example ID' }).click();
      await agree(ann, 'ann');
      await ann.waitForURL(`${url}/settings/profile`);
      await ann.getByText('ann@example.com').waitFor();
      assert.equal(await ann.getByLabel('Your name').inputValue(), 'ann of Example');
      await mine(ann).getByText('Example ID', { exact: true }).waitFor();
      await accessible('an account with a sign-on', ann);
      const cookies = await ann.context().cookies(url);
      assert.deepEqual(
        cookies.filter((one) => one.name.startsWith('rapport')).map((one) => [one.name, one.sameSite, one.httpOnly]),
        [['rapport_session', 'Strict', true]],
      );
    },
    async 'once known one is let in without being asked, and the way back works once'() {
      const { url } = await site();
      await ann.getByRole('button', { name: 'Sign out' }).click();
      const back = ann.waitForRequest((request) => request.url().includes('/sign-in/with/example/back?'));
      await ann.getByRole('link', { name: 'Continue with Example ID' }).click();
      const way = (await back).url();
      await ann.getByRole('button', { name: 'Sign out' }).click();
      await ann.getByRole('link', { name: 'Continue with Example ID' }).waitFor();
      await ann.goto(way);
      await ann.getByRole('alert').getByText('It took too long, or was begun in another window.').waitFor();
      await ann.goto(`${url}/settings/profile`);
      await ann.getByRole('link', { name: 'Continue with Example ID' }).click();
      await mine(ann).waitFor();
    },
    async 'a sign-on is unlinked where a password lets in'() {
      const unlink = ann.getByRole('button', { name: 'Unlink Example ID' });
      assert.ok(await unlink.isDisabled());
      await ann.getByLabel('New password').fill('a sentence to keep');
      await ann.getByRole('button', { name: 'Set the password' }).click();
      await ann.getByLabel('Present password').waitFor();
      await unlink.click();
      await mine(ann).waitFor({ state: 'detached' });
    },
    async 'whom nobody invited is told so, in their language'() {
      const { url } = await site();
      const stranger = await visitor('zh-CN');
      await stranger.goto(url);
      await stranger.getByRole('link', { name: '使用 Example ID 登录' }).click();
      await agree(stranger, 'stranger');
      await stranger.getByRole('alert').getByText('使用 Example ID 登录未成功').waitFor();
      await stranger.getByRole('alert').getByText('请让管理员邀请你').waitFor();
      await accessible('a sign-on that was refused', stranger);
      await stranger.context().close();
    },
    async 'who turns back at the provider is told so, and tries again'() {
      const { url } = await site();
      const other = await visitor();
      await other.goto(url);
      await other.getByRole('link', { name: 'Continue with Example ID' }).click();
      await other.getByRole('link', { name: 'Cancel' }).click();
      await other.getByRole('alert').getByText('You were not signed on there.').waitFor();
      await other.getByRole('link', { name: 'Continue with Example ID' }).click();
      await other.getByPlaceholder('Enter any login').waitFor();
      await other.context().close();
    },
    async 'who was deactivated is told so'() {
      const { url, call } = await site();
      const { users } = await call('GET', '/users');
      const { id } = users.find((user) => user.email === 'ann@example.com');
      await call('PATCH', `/users/${id}`, { active: false });
      await ann.goto(url);
      await ann.getByRole('link', { name: 'Continue with Example ID' }).click();
      await ann.getByRole('alert').getByText('Your account here was deactivated.').waitFor();
      await ann.context().close();
    },
  };
  return { tests, stop: async () => (await started)?.stop() };
}
