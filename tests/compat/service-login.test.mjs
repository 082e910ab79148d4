// Logging in at the service itself: npm azure-mobile-apps-client 2.0.1, unmodified, in Debian's Chromium, by a window that
// posts a message; and the original V1 runtime reads the token, with what the provider gave inside.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import {createRequire} from 'node:module';
import test, {after, before} from 'node:test';
import {Mandated, signIn} from '../live/harness.mjs';
import {GitHubStandIn} from '../support/github_stand_in.mjs';
import {bundle, context, launch, pages} from './browser.mjs';
import {ana, tenant} from './tenant.mjs';

const require = createRequire(import.meta.url);
// Node of 2014 gave HMAC the bytes of a 'binary' string; today's would encode it as UTF-8. The key is the 32 raw bytes.
const {createHmac} = crypto;
crypto.createHmac = (algorithm, key) => createHmac(algorithm, typeof key === 'string' ? Buffer.from(key, 'latin1') : key);
const runtime = require('azure-mobile-services/runtime/jsonwebtoken.js');

const github = new GitHubStandIn();
let server, browser, app;
before(async () => {
  await github.start();
  app = await pages({
    '/': ['text/html', '<!doctype html><meta charset="utf-8"><script src="/sdk.js"></script><p>app</p>'],
    '/sdk.js': ['text/javascript', bundle(require.resolve('azure-mobile-apps-client'), 'WindowsAzure')],
  });
  server = await new Mandated({args: ['--egress-allow', github.host], tenant: tenant()
    .replace('  Username-Password-Authentication: {strategy: auth0}', `  Username-Password-Authentication: {strategy: auth0}
  github: {strategy: github, options: ${JSON.stringify(github.options())}}`)
    .replace('    cors_hosts: [localhost]', `    cors_hosts: [localhost]
    login: {providers: {aad: Username-Password-Authentication}, user_id_format: "{provider}:{id}"}`)}).start();
  browser = await launch();
});
after(async () => { await browser?.close(); await app?.close(); await server?.stop(); await github.stop(); });

/** login(provider) of the SDK; `person` types into the window that opens, where there is something to type. */
async function login(page, provider, prefix, person) {
  const opened = page.context().waitForEvent('page');
  const result = page.evaluate(async ({base, provider, prefix}) => {
    const client = new WindowsAzure.MobileServiceClient(base);
    if (prefix) client.loginUriPrefix = prefix;
    const user = await client.login(provider);
    const row = await client.getTable('TodoItem').insert({text: 'by ' + provider, complete: false});
    return {userId: user.userId, token: user.mobileServiceAuthenticationToken, owner: row.userId};
  }, {base: server.base, provider, prefix});
  const popup = await opened;
  if (person) {
    await popup.locator('input[type=password]').waitFor();
    await popup.locator('input[type=email], input[name=username], input[name=email]').first().fill(person.email);
    await popup.locator('input[type=password]').fill(person.password);
    await popup.locator('form:has(input[type=password]) button[type=submit]').first().click();
  }
  return result;
}

test('the SDK opens a window, the person signs in there, the page has a user whose rows are theirs', async () => {
  const page = await (await context(browser)).newPage();
  await page.goto(app.origin);
  const first = await login(page, 'windowsazureactivedirectory', null, ana);
  assert.match(first.userId, /^Aad:/);
  assert.equal(first.owner, first.userId);
  const again = await login(page, 'aad', 'login', null);  // signed in already; and by V1's address
  assert.equal(again.userId, first.userId);
  await page.context().close();
});

test('an origin that is not on the list is told nothing', async () => {
  const answer = await server.call('GET', '/.auth/login/aad?completion_type=postMessage&completion_origin=http%3A%2F%2Fevil.example');
  assert.equal(answer.status, 401);
});

test('the V1 runtime accepts the token of /login, and reads what GitHub gave', async () => {
  const jar = {};
  let url = '/login/github';
  for (let hops = 0; hops < 10 && !url.includes('/login/done#'); ++hops) {
    if (url.startsWith(github.base)) url = await new Promise((done) => http.get(url, (answer) => { answer.resume(); done(answer.headers.location); }));
    else url = (await server.call('GET', url, {jar})).headers.location;
  }
  const {user, authenticationToken} = JSON.parse(decodeURIComponent(url.split('#token=')[1]));
  const parsed = runtime.parse(authenticationToken, 'mandate-test-master-key', 'JWTSig');
  assert.equal(parsed.claims.uid, user.userId);
  assert.equal(user.userId, 'github:583231');
  assert.match(parsed.getCredentials().accessToken, /^gho_/);
  const me = await server.call('GET', '/.auth/me', {headers: {'X-ZUMO-AUTH': authenticationToken}});
  assert.equal(me.json[0].access_token, parsed.getCredentials().accessToken);
});

test('a native app reads the token from the address where its window ends', async () => {
  const done = await signIn(server, '/login/aad', ana.email, ana.password, (l) => l.includes('/login/done#'));
  assert.ok(done.startsWith(`${server.base}/login/done#token=`), done);
  const {authenticationToken} = JSON.parse(decodeURIComponent(done.split('#token=')[1]));
  const rows = await server.call('GET', '/tables/TodoItem', {headers: {'X-ZUMO-AUTH': authenticationToken, 'ZUMO-API-VERSION': '2.0.0'}});
  assert.equal(rows.status, 200, rows.text);
});
