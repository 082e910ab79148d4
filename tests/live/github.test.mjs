// LoginAsync("github"): straight to the provider, back through the callback, a user of that provider, the backend's token.
import assert from 'node:assert/strict';
import http from 'node:http';
import test, {after, before} from 'node:test';
import {tenant} from '../compat/tenant.mjs';
import {GitHubStandIn} from '../support/github_stand_in.mjs';
import {Mandated} from './harness.mjs';

let github, server;
before(async () => {
  github = await new GitHubStandIn().start();
  server = await new Mandated({args: ['--egress-allow', github.host], tenant: tenant().replace('  Username-Password-Authentication: {strategy: auth0}',
    `  Username-Password-Authentication: {strategy: auth0}\n  github: {strategy: github, display_name: GitHub, options: ${JSON.stringify(github.options())}}`)}).start();
});
after(async () => { await server?.stop(); await github?.stop(); });

const callback = () => `${server.base}/mobile`;
const start = (extra = 'connection=github') =>
  `/authorize?client_id=todo&response_type=token&scope=openid%20profile&${extra}&redirect_uri=${encodeURIComponent(callback())}&state=abcdefghijklmnop`;
const outside = (url) => new Promise((done, fail) => http.get(url, (answer) => { answer.resume(); done(answer.headers.location); }).on('error', fail));

/** Follows our own redirects until one leads elsewhere; gives that one. */
async function follow(path, jar) {
  for (let hops = 0; hops < 6; ++hops) {
    const answer = await server.call('GET', path, {jar});
    const location = answer.headers.location;
    if (!location) return {answer};
    if (location.startsWith(callback()) || !(location.startsWith('/') || location.startsWith(server.base))) return {location};
    path = location;
  }
  throw new Error('too many redirects');
}

test('named: no chooser, straight to GitHub and back with tokens; user_id is github|number', async () => {
  const jar = {};
  const there = await follow(start(), jar);
  assert.ok(there.location.startsWith(`${github.base}/login/oauth/authorize?`), JSON.stringify(there));
  const back = new URL(await outside(there.location));
  assert.equal(back.pathname, '/login/callback');
  const {location} = await follow(back.pathname + back.search, jar);
  assert.ok(location.startsWith(`${callback()}#`), location);
  const {id_token, state, access_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  assert.equal(state, 'abcdefghijklmnop');
  const profile = await server.call('GET', `/userinfo?access_token=${access_token}`);
  assert.equal(profile.json.user_id, 'github|583231');
  assert.equal(profile.json.name, 'Ann Example');
  const delegated = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, api_type: 'todo-backend'}});
  assert.equal(delegated.status, 200, delegated.text);
  const row = await server.call('POST', '/tables/TodoItem', {headers: {'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'}, body: {text: 'from GitHub'}});
  assert.equal(row.json.userId, 'github|583231');
  // The same answer of the provider a second time, and in another browser: a page, no session.
  for (const browser of [jar, {}]) {
    const again = await server.call('GET', back.pathname + back.search, {jar: browser});
    assert.equal(again.status, 400);
  }
});

test('none named: the chooser shows both ways in', async () => {
  const {answer} = await follow(start('connection='), {});
  assert.equal(answer.status, 200);
  assert.match(answer.text, /GitHub/);
  assert.match(answer.text, /type="password"/);
});

test('the person cancels at GitHub: the app hears access_denied', async () => {
  github.personDenies = true;
  const jar = {};
  const there = await follow(start(), jar);
  const back = new URL(await outside(there.location));
  const {location} = await follow(back.pathname + back.search, jar);
  github.personDenies = false;
  assert.match(location, /[?#&]error=access_denied/);
});

test('an unknown connection is an error the app or the person can read', async () => {
  const {answer, location} = await follow(start('connection=nowhere'), {});
  assert.ok(location ? /error=/.test(location) : answer.status >= 400 && answer.status < 500);
});
