// RL-20 with real processes: two mandated on one private PostgreSQL, whatever engine the rest of the suite is about. What one
// does the other knows in time, also when every notification is lost.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {copyFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {after, before, describe} from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {startPostgres} from '../support/postgres.mjs';
import {Mandated, signIn} from './harness.mjs';

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const quick = {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1', MANDATE_RATE_RO: '30', MANDATE_RATE_DELEGATION: '1000'};
const file = tenant().replace('  hosts: [localhost]\n', '  hosts: [localhost]\n  issuer_host: "localhost:{{port}}"\n')
  .replace('  modern:\n', '  modern:\n    refresh_token: {leeway: 0}\n');
const withClient = (id) => file
  .replace('client_grants:\n', `  ${id}: {app_type: non_interactive, token_endpoint_auth_method: client_secret_post, client_secret: ${id}-secret-${id}-secret-${id}-secret-x, grant_types: [client_credentials]}\nclient_grants:\n  - {client_id: ${id}, audience: "https://orders.example", scope: ["orders:read"]}\n`);

const postgres = await startPostgres({fsync: true});

/** Asks until it is so; fails when that took longer than `limit` ms, and says how long it took. */
async function within(limit, what, so) {
  const begun = performance.now();
  while (!(await so())) {
    assert.ok(performance.now() - begun < limit * 3, `${what}: not at all`);
    await wait(5);
  }
  const took = performance.now() - begun;
  console.log(`# ${what}: ${took.toFixed(0)} ms of ${limit}`);
  assert.ok(took <= limit, `${what}: ${took.toFixed(0)} ms of ${limit}`);
}

for (const notifications of [true, false]) describe(`two nodes on PostgreSQL, notifications ${notifications ? 'arrive' : 'are lost'}`, () => {
  let a, b, database;
  before(async () => {
    database = await postgres.createDatabase();
    const node = (more = {}) => new Mandated({store: database, env: quick, args: [`--store-notifications=${notifications}`], ...more});
    a = await node({tenant: file}).start();
    b = node();
    copyFileSync(join(a.directory, 'master.key'), join(b.directory, 'master.key'));  // one key for all nodes
    await b.start();
  });
  after(async () => { await a?.stop(); await b?.stop(); });

  const token = (node, body) => node.call('POST', '/oauth/token', {body});
  const worker = (id = 'worker', secret = 'worker-secret-worker-secret-worker-secret') =>
    ({grant_type: 'client_credentials', client_id: id, client_secret: secret, audience: 'https://orders.example'});
  const active = async (node, text) => (await node.call('POST', '/oauth/introspect', {body: {client_id: 'worker', client_secret: 'worker-secret-worker-secret-worker-secret', token: text}})).json.active;
  /** A person signs in at one node; the code, and what it takes to redeem it. */
  async function code(node) {
    const code_verifier = randomBytes(32).toString('base64url');
    const redirect_uri = `https://localhost:${a.port}/mobile`;
    const query = new URLSearchParams({client_id: 'modern', response_type: 'code', redirect_uri, scope: 'openid offline_access', state: 's',
      code_challenge: createHash('sha256').update(code_verifier).digest('base64url'), code_challenge_method: 'S256'});
    const location = await signIn(node, `/authorize?${query}`, ana.email, ana.password, (l) => l.startsWith(redirect_uri));
    return {grant_type: 'authorization_code', client_id: 'modern', redirect_uri, code_verifier, code: new URL(location).searchParams.get('code')};
  }

  test('configuration changed on one is seen on the other within 2 s', async () => {
    const newcomer = worker('newcomer', 'newcomer-secret-newcomer-secret-newcomer-secret-x');
    assert.equal((await token(b, newcomer)).status, 401);
    a.apply(withClient('newcomer'));
    await within(2000, 'a new client', async () => (await token(b, newcomer)).status === 200);
    a.apply(file);
    await within(2000, 'a client that went', async () => (await token(b, newcomer)).status === 401);
  });

  test('a tenant created on one answers on the other within 2 s', async () => {
    const second = () => b.call('GET', '/.well-known/openid-configuration', {headers: {Host: 'second.localhost'}, plain: true});
    assert.notEqual((await second()).json?.issuer, 'http://second.localhost/');
    a.apply('tenant: second\nsettings:\n  hosts: [second.localhost]\n');
    await within(2000, 'a new tenant', async () => (await second()).json?.issuer === 'http://second.localhost/');
  });

  test('a code issued on one is redeemed on the other, once and only once, both at once', async () => {
    for (let round = 0; round < 5; ++round) {
      const body = await code(round % 2 ? b : a);
      const answers = await Promise.all([token(a, body), token(b, body), token(a, body), token(b, body)]);
      assert.deepEqual(answers.map((r) => r.status).sort(), [200, 400, 400, 400], answers.map((r) => r.text).join('\n'));
      for (const answer of answers.filter((r) => r.status === 400)) assert.equal(answer.json.error, 'invalid_grant');
    }
  });

  test('a refresh token is rotated on any node; one used before ends the family on all', async () => {
    const refresh = (node, refresh_token) => token(node, {grant_type: 'refresh_token', client_id: 'modern', refresh_token});
    const first = (await token(b, await code(a))).json.refresh_token;
    let latest = first;
    for (const node of [b, a, b]) {
      const next = await refresh(node, latest);
      assert.equal(next.status, 200, next.text);
      assert.notEqual(next.json.refresh_token, latest);
      latest = next.json.refresh_token;
    }
    // Long superseded by its successor's use: somebody has a copy.
    assert.equal((await refresh(a, first)).json.error, 'invalid_grant');
    assert.equal((await refresh(b, latest)).json.error, 'invalid_grant');
  });

  test('a token revoked on one is refused on the other within 1 s', async () => {
    const got = (await token(a, await code(a))).json;
    const userinfo = () => b.call('GET', '/userinfo', {headers: {Authorization: `Bearer ${got.access_token}`}});
    assert.equal((await userinfo()).status, 200);
    assert.equal((await a.call('POST', '/oauth/revoke', {body: {client_id: 'modern', token: got.refresh_token}})).status, 200);
    await within(1000, 'a revocation', async () => (await userinfo()).status === 401);
  });

  test('a person blocked elsewhere is refused on both within 1 s', async () => {
    const got = (await token(a, await code(b))).json;
    const userinfo = (node) => node.call('GET', '/userinfo', {headers: {Authorization: `Bearer ${got.access_token}`}});
    for (const node of [a, b, a, b]) assert.equal((await userinfo(node)).status, 200);
    // As a transaction of another node leaves it: the row, its stream's number and the line of the feed in one commit.
    const blocking = (yes) => postgres.sql(`SET search_path TO mandate; BEGIN;
      UPDATE users SET blocked = ${yes}, epoch = epoch + 1 WHERE mandate_tenant = 'compat' AND email = '${ana.email}';
      INSERT INTO mandate_streams VALUES ('elsewhere ${yes}', 1, extract(epoch FROM now()) * 1000, false);
      INSERT INTO mandate_feed VALUES ('elsewhere ${yes}', 1, 'compat', 'users', extract(epoch FROM now()) * 1000);
      COMMIT;${notifications ? " SELECT pg_notify('mandate', '');" : ''}`, `postgres://postgres:${postgres.password}@127.0.0.1:${postgres.port}${new URL(database).pathname}`);
    blocking(true);
    await within(1000, 'a block', async () => (await userinfo(a)).status === 401 && (await userinfo(b)).status === 401);
    blocking(false);
  });

  test('a new signing key is good on both at once, a stolen one is out within 1 s', async () => {
    a.cli('keys', 'rotate', '--tenant', 'compat');
    const signed = (await token(a, worker())).json.access_token;
    assert.equal(await active(b, signed), true);
    await wait(1000);  // the other has the new pair by now; what follows changes it again
    const told = a.cli('keys', 'rotate', '--revoke', '--tenant', 'compat');
    assert.equal(told.status, 0, told.stderr);
    await within(1000, 'a revoked key', async () => (await active(b, signed)) === false);
  });

  test('a rate limit used up on one is used up on the other', async () => {
    await wait(1500);  // both have begun to listen
    const ask = async (node) => (await node.call('POST', '/oauth/ro', {body: {client_id: 'todo'}})).status;
    for (let i = 0; i < 30; ++i) assert.notEqual(await ask(a), 429, `request ${i}`);
    // Each answer of the other that is let through counts as well: they may be the error of one moment.
    let more = 0;
    await within(1000, 'a limit', async () => { const refused = (await ask(b)) === 429; more += !refused; return refused || wait(25); });
    console.log(`# let through beyond the limit of 30: ${more}`);
    assert.ok(more <= 30);
    assert.equal(await ask(a), 429);
  });

  test('one of them does the upkeep; stopped and woken it does not go on, and nothing was done twice', async () => {
    const holder = () => postgres.sql(`SELECT holder || ' ' || fence FROM mandate.leases WHERE name = 'upkeep'`, `postgres://postgres:${postgres.password}@127.0.0.1:${postgres.port}${new URL(database).pathname}`);
    const last = (node) => node.lines.map((l) => { try { return JSON.parse(l); } catch { return {}; } }).filter((l) => /^upkeep\.(begun|lost)$/.test(l.event)).at(-1)?.event;
    const [leader, other] = last(a) === 'upkeep.begun' ? [a, b] : [b, a];
    assert.equal(last(leader), 'upkeep.begun');
    assert.notEqual(last(other), 'upkeep.begun');
    const before = holder();
    leader.child.kill('SIGSTOP');
    try {
      const begun = performance.now();
      while (last(other) !== 'upkeep.begun') { assert.ok(performance.now() - begun < 20_000, 'nobody took over'); await wait(100); }
      console.log(`# taken over after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    } finally {
      leader.child.kill('SIGCONT');
    }
    assert.notEqual(holder(), before);
    const now = holder();
    await within(5000, 'the woken one gave up', async () => last(leader) === 'upkeep.lost');
    await wait(2500);
    assert.equal(holder(), now);
    assert.equal(last(other), 'upkeep.begun');
    assert.equal((await leader.call('GET', '/health')).status, 200);
    const sound = other.cli('check');
    assert.equal(sound.status, 0, sound.stdout + sound.stderr);
  });
});
