// The end-to-end suite that npm azure-mobile-apps-client 2.0.1 ships (e2etest), unmodified, in Debian's Chromium against a live
// mandated: its page, its framework, its tests, all from the package; the backend it asks for is the app in e2e/
// (acceptance check 4; README.md beside this says more).
import assert from 'node:assert/strict';
import {cpSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join, normalize} from 'node:path';
import test, {after, before} from 'node:test';
import vm from 'node:vm';
import {Mandated, root} from '../live/harness.mjs';
import {GitHubStandIn} from '../support/github_stand_in.mjs';
import {context, launch, wrapped} from './browser.mjs';

const require = createRequire(import.meta.url);
const suite = join(dirname(require.resolve('azure-mobile-apps-client/package.json')), 'e2etest');
const providers = ['facebook', 'google', 'twitter', 'microsoftaccount'];

/** A provider that signs its one person in without a question. */
const provider = new GitHubStandIn();
let server, browser, site, results;

/** The suite's files where its own setup would have put them, and the client as one script. */
async function serve() {
  const types = {html: 'text/html', css: 'text/css', js: 'text/javascript'};
  const client = wrapped(require.resolve('azure-mobile-apps-client'), 'WindowsAzure');
  const http = createServer((request, answer) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://x').pathname));
    const file = path === '/' ? 'app/browser-bundle-using-script-tag/index.html' : path.replace(/^\/generated\//, '');
    let text = client;
    try {
      if (path !== '/generated/dist/azure-mobile-apps-client.js') text = readFileSync(join(suite, file));
    } catch { return answer.writeHead(404).end(); }
    answer.writeHead(200, {'Content-Type': `${types[file.split('.').pop()] ?? 'text/plain'}; charset=utf-8`}).end(text);
  });
  await new Promise((done) => http.listen(0, '127.0.0.1', done));
  return {origin: `http://localhost:${http.address().port}`, close: () => new Promise((done) => { http.closeAllConnections(); http.close(done); })};
}

/** e2e/ with the suite's movies beside it. */
function backend() {
  const folder = join(mkdtempSync(join(tmpdir(), 'mandate-e2e-')), 'app');
  cpSync(join(root, 'tests/compat/e2e'), folder, {recursive: true});
  const sandbox = vm.createContext({zumo: {tests: {}}});
  vm.runInContext(readFileSync(join(suite, 'tests/shared/queryTestData.js'), 'utf8').replace(/^\uFEFF/, ''), sandbox);
  writeFileSync(join(folder, 'movies.json'), vm.runInContext('JSON.stringify(zumo.tests.getQueryTestData())', sandbox));
  return folder;
}

before(async () => {
  await provider.start();
  site = await serve();
  const options = JSON.stringify({client_id: provider.clientId, client_secret: provider.clientSecret, authorization_url: `${provider.base}/login/oauth/authorize`,
    token_url: `${provider.base}/login/oauth/access_token`, profile_url: `${provider.base}/user`, id_member: 'id', client_flow: true});
  server = await new Mandated({args: ['--egress-allow', provider.host], tenant: `
tenant: suite
settings: {hosts: [localhost]}
connections:
${providers.map((name) => `  ${name}: {strategy: oauth2, options: ${options}}`).join('\n')}
services:
  default:
    cors_hosts: [localhost]
    login: {user_id_format: "{provider}:{id}"}
`}).start();
  const told = server.cli('service', 'deploy', backend());
  assert.equal(told.status, 0, told.stdout + told.stderr);
  browser = await launch();
  results = await run();
});
after(async () => { await browser?.close(); await site?.close(); await server?.stop(); await provider.stop(); });

/** Presses "Run All Tests" on the suite's page: {name, status, log, unattended} of each. */
async function run() {
  const page = await (await context(browser)).newPage(), all = 'All tests';
  page.on('dialog', (dialog) => dialog.accept());
  page.on('pageerror', (error) => console.log(`# the page: ${error.message}`));
  await page.goto(site.origin);
  await page.fill('#txtAppUrl', server.base);
  await page.click('#btnRunAllTests');
  await page.waitForFunction((group) => zumo.testGroups.find((each) => each.name === group).endTime, all, {timeout: 300_000})
    .catch((error) => console.log(`# ${error.message}`));  // a test that never ends: its name is told below
  if (process.env.MANDATE_SCREENSHOT) await page.screenshot({path: process.env.MANDATE_SCREENSHOT});
  const results = await page.evaluate((group) => zumo.testGroups.find((each) => each.name === group).tests.map((each) =>
    ({name: each.name, status: each.statusText(), log: each.logs.join('\n'), unattended: each.canRunUnattended})), all);
  await page.context().close();
  return results;
}
/** What did not pass, by name. */
function left(results) {
  const others = results.filter(({status}) => status !== 'passed');
  for (const {name, status, log} of others) console.log(`# ${status}: ${name}\n${log.replace(/^/gm, '#   ')}`);
  return others.map(({name, status}) => `${status}: ${name}`);
}

test('all that runs unattended passes: 207 of 207', () => {
  const unattended = results.filter((each) => each.unattended);
  assert.equal(unattended.length, 207);
  assert.deepEqual(left(unattended), []);
});

test('so does all that a person had to log in for: 28 of 28', () => {
  const attended = results.filter((each) => !each.unattended);
  assert.equal(attended.length, 28);
  assert.deepEqual(left(attended), []);
});
