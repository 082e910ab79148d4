// Two mobile services of one tenant, told apart by host name: each has its own keys, tables and tokens (DG-13). And whatever
// a caller or a profile says, the reserved claims of a token are the server's own (DG-10).
import assert from 'node:assert/strict';
import test, {after, before} from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {Mandated} from './harness.mjs';

const two = tenant()
  .replace('  todo-backend:\n', '  back-office-app:\n    app_type: non_interactive\n    addons: {wams: {service: back-office}}\n    allowed_clients: [todo]\n  todo-backend:\n') + `
  back-office:
    hosts: [back-office.localhost]
    application_key: back-office-application-key
    master_key: back-office-master-key
    tables:
      plain: {permissions: authenticated, soft_delete: true}
      ledger: {permissions: public}
`;
const reserved = ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'azp', 'scope', 'act', 'uid', 'ver'];
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

let server;
before(async () => {
  server = await new Mandated({tenant: two, env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1', MANDATE_RATE_DELEGATION: '1000'}}).start();
});
after(() => server.stop());

const login = async (who = ana, scope = 'openid profile') => {
  const answer = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: who.email, password: who.password, scope}});
  assert.equal(answer.status, 200, answer.text);
  return answer.json.id_token;
};
const trade = async (id_token, target, more = {}) => server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target, ...more}});
/** A request to the tables of one of the services. */
const at = (host, method, path, {token, body, headers = {}} = {}) => server.call(method, path, {body, plain: true,
  headers: {Host: `${host}:${server.port}`, 'ZUMO-API-VERSION': '2.0.0', ...(token ? {'X-ZUMO-AUTH': token} : {}), ...headers}});

test('each service has its own tables and rows', async () => {
  assert.equal((await at('back-office.localhost', 'POST', '/tables/ledger', {body: {id: 'a'}})).status, 201);
  assert.equal((await at('back-office.localhost', 'GET', '/tables/ledger/a')).status, 200);
  assert.equal((await at('localhost', 'GET', '/tables/ledger/a')).status, 404);
  assert.equal((await at('localhost', 'POST', '/tables/anyone', {body: {id: 'b'}})).status, 201);
  assert.equal((await at('back-office.localhost', 'GET', '/tables/anyone/b')).status, 404);
  // A table of the same name in both is two tables.
  const id_token = await login();
  const here = (await trade(id_token, 'todo-backend')).json.id_token, there = (await trade(id_token, 'back-office-app')).json.id_token;
  assert.equal((await at('localhost', 'POST', '/tables/plain', {token: here, body: {id: 'mine'}})).status, 201);
  assert.equal((await at('back-office.localhost', 'GET', '/tables/plain/mine', {token: there})).status, 404);
  assert.equal((await at('back-office.localhost', 'POST', '/tables/plain', {token: there, body: {id: 'mine'}})).status, 201);
});

test('a token for one service is void at the other, and so are its keys', async () => {
  const id_token = await login();
  const tokens = {localhost: (await trade(id_token, 'todo-backend')).json.id_token, 'back-office.localhost': (await trade(id_token, 'back-office-app')).json.id_token};
  for (const [home, token] of Object.entries(tokens))
    for (const host of Object.keys(tokens)) assert.equal((await at(host, 'GET', '/tables/plain', {token})).status, host === home ? 200 : 401, `token of ${home} at ${host}`);
  // The same by path, at either host.
  for (const [home, token] of Object.entries(tokens))
    for (const host of Object.keys(tokens))
      for (const [place, owner] of [['/s/default', 'localhost'], ['/s/back-office', 'back-office.localhost']])
        assert.equal((await at(host, 'GET', `${place}/tables/plain`, {token})).status, owner === home ? 200 : 401, `token of ${home} at ${host}${place}`);
  for (const [host, key, status] of [['localhost', 'mandate-test-master-key', 200], ['localhost', 'back-office-master-key', 401], ['back-office.localhost', 'back-office-master-key', 200], ['back-office.localhost', 'mandate-test-master-key', 401]])
    assert.equal((await at(host, 'GET', '/tables/plain', {headers: {'X-ZUMO-MASTER': key}})).status, status, `${key} at ${host}`);
});

test('a tenant\'s doors are the same at every host name of its services', async () => {
  const [a, b] = await Promise.all(['localhost', 'back-office.localhost'].map((host) => at(host, 'GET', '/.well-known/jwks.json')));
  assert.equal(a.status, 200);
  assert.equal(b.status, 200);
  assert.deepEqual(a.json, b.json);
});

test('reserved claims are the server\'s, whatever a sign-up, a delegation or an exchange brings', async () => {
  const forged = Object.fromEntries(reserved.map((name) => [name, name === 'exp' || name === 'iat' || name === 'nbf' ? 9999999999 : `forged-${name}`]));
  const eve = {email: 'eve@example.org', password: 'a long enough passphrase 7'};
  const made = await server.call('POST', '/dbconnections/signup', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', email: eve.email, password: eve.password, user_metadata: {...forged}, ...forged}});
  assert.ok(made.status === 200 || made.status === 400, made.text);
  if (made.status === 400) {  // refused for what it brought: then with the metadata alone, or with neither
    const again = await server.call('POST', '/dbconnections/signup', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', email: eve.email, password: eve.password}});
    assert.equal(again.status, 200, again.text);
  }
  const clean = (token, what) => {
    const all = claims(token);
    assert.ok(!JSON.stringify(all).includes('forged-'), `${what}: ${JSON.stringify(all)}`);
    assert.ok((all.exp ?? 0) < Date.now() / 1000 + 40 * 86400, `${what}: ${JSON.stringify(all)}`);
    return all;
  };
  const id_token = await login(eve, 'openid profile email');
  const mine = clean(id_token, 'id_token');
  for (const more of [{}, forged, {scope: 'openid', ...forged, api_type: 'wams'}]) {
    const traded = await trade(id_token, 'todo-backend', {...more, scope: 'openid'});
    if (traded.status !== 200) { assert.equal(traded.status, 400, traded.text); continue; }
    const all = clean(traded.json.id_token, 'WAMS token');
    assert.ok(JSON.stringify(all).includes(mine.sub.split('|').pop()), 'the token is not about its user');
  }
  // A script may change what it sees of the user; it changes nobody's token and reaches nobody else's rows.
  const token = (await trade(id_token, 'todo-backend')).json.id_token;
  const before = await at('localhost', 'POST', '/tables/TodoItem', {token, body: {text: 'x', userId: 'forged-user'}});
  if (before.status === 201) assert.ok(!before.json.userId?.includes('forged'), before.text);
});
