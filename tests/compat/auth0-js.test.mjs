// auth0-js 6.8.4, 7.6.1, 9.32.0 and 10.2.1, unmodified, in Debian's Chromium: sign in, then trade the login for the mobile
// backend's token and use it.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import test, {after, before} from 'node:test';
import {Mandated} from '../live/harness.mjs';
import {bundle, context, launch, pages} from './browser.mjs';
import {ana, tenant} from './tenant.mjs';

const require = createRequire(import.meta.url);
const html = (script) => ['text/html', `<!doctype html><meta charset="utf-8"><script src="${script}"></script><p id="out"></p>`];
let server, browser, app;

before(async () => {
  app = await pages({
    '/6': html('/auth0-6.js'), '/auth0-6.js': ['text/javascript', bundle(require.resolve('auth0-js-6'), 'Auth0')],
    '/7': html('/auth0-7.js'), '/auth0-7.js': ['text/javascript', bundle(require.resolve('auth0-js-7'), 'Auth0')],
    '/9': html('/auth0-9.js'), '/auth0-9.js': ['text/javascript', readFileSync(require.resolve('auth0-js-9'))],
    '/10': html('/auth0-10.js'), '/auth0-10.js': ['text/javascript', readFileSync(require.resolve('auth0-js-10'))],
  });
  server = await new Mandated({tenant: tenant({origin: app.origin})}).start();
  browser = await launch();
});
after(async () => { await browser?.close(); await app?.close(); await server?.stop(); });

async function useBackend(token) {
  const rows = await server.call('POST', '/tables/TodoItem', {headers: {'X-ZUMO-AUTH': token, 'ZUMO-API-VERSION': '2.0.0'}, body: {text: 'from the SDK', complete: false}});
  assert.equal(rows.status, 201, rows.text);
  assert.match(rows.json.userId, /^auth0\|/);
}

for (const version of [6, 7]) {
  test(`auth0-js ${version}: login with the password, getProfile, getDelegationToken for the WAMS client, renewIdToken`, async () => {
    const page = await (await context(browser)).newPage();
    await page.goto(`${app.origin}/${version}`);
    const result = await page.evaluate(async ({domain, callbackURL, person}) => {
      const auth0 = new Auth0({domain, clientID: 'legacy-js', callbackURL, callbackOnLocationHash: true});
      const call = (method, ...args) => new Promise((done, fail) => auth0[method](...args, (error, a, b, c, d) =>  // the SDK counts the parameters: two or more mean "no redirect"
        (error ? fail(new Error(method + ': ' + JSON.stringify(error) + error)) : done([a, b, c, d]))));
      const [login, ...rest] = await call('login', {connection: 'Username-Password-Authentication', username: person.email, password: person.password, sso: false, scope: 'openid profile'});
      const tokens = typeof login === 'object' && (login.idToken || login.id_token) ? login : {profile: login, idToken: rest[0], accessToken: rest[1]};
      const idToken = tokens.idToken ?? tokens.id_token;
      const [profile] = await call('getProfile', idToken);
      const [delegated] = await call('getDelegationToken', {id_token: idToken, targetClientId: 'todo-backend', api: 'wams', scope: 'openid'});
      const [renewed] = await call('renewIdToken', idToken);
      return {profile, delegated, renewed};
    }, {domain: `localhost:${server.port}`, callbackURL: `${app.origin}/${version}`, person: ana});
    assert.equal(result.profile.email, ana.email);
    assert.equal(result.delegated.token_type, 'Bearer');
    assert.equal(result.delegated.expires_in, 36000);
    await useBackend(result.delegated.id_token);
    assert.ok(result.renewed.id_token);
  });
}

for (const version of [9, 10]) {
  test(`auth0-js ${version}: authorize() through the hosted page, parseHash verifies, client.delegation`, async () => {
    const page = await (await context(browser)).newPage();
    const url = `${app.origin}/${version}`;
    await page.goto(url);
    const options = {domain: `localhost:${server.port}`, clientID: 'legacy-js', redirectUri: url, responseType: 'token id_token', scope: 'openid profile email'};
    await page.evaluate((o) => { new auth0.WebAuth(o).authorize(); }, options);
    await page.waitForURL(`${server.base}/**`);
    await page.locator('input[type=password]').waitFor();
    await page.locator('input[type=email], input[name=username], input[name=email]').first().fill(ana.email);
    await page.locator('input[type=password]').fill(ana.password);
    await page.locator('form:has(input[type=password]) button[type=submit]').first().click();
    await page.waitForURL(`${url}#**`);
    const result = await page.evaluate(async (o) => {
      const web = new auth0.WebAuth(o);
      const hash = await new Promise((done, fail) => web.parseHash({hash: location.hash}, (e, r) => (e ? fail(new Error('parseHash: ' + JSON.stringify(e))) : done(r))));
      const profile = await new Promise((done, fail) => web.client.userInfo(hash.accessToken, (e, r) => (e ? fail(new Error('userInfo: ' + JSON.stringify(e))) : done(r))));
      const delegated = await new Promise((done, fail) => new auth0.Authentication({domain: o.domain, clientID: o.clientID}).delegation(
        {grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token: hash.idToken, target: 'todo-backend', scope: 'openid', api_type: 'wams'},
        (e, r) => (e ? fail(new Error('delegation: ' + JSON.stringify(e))) : done(r))));
      return {payload: hash.idTokenPayload, profile, delegated};
    }, options);
    assert.equal(result.payload.aud, 'legacy-js');
    assert.equal(result.profile.email, ana.email);
    await useBackend(result.delegated.idToken ?? result.delegated.id_token);
  });
}
