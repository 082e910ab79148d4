// RL-14: a version and the next side by side on one PostgreSQL, under load. The newer one comes while the older one works and
// migrates beneath it; both go on, the older one may be started again beside it, and nothing that was acknowledged is lost.
// MANDATE_WRITES (writes a second) is 200 in the specification.
import assert from 'node:assert/strict';
import {copyFileSync} from 'node:fs';
import https from 'node:https';
import {join} from 'node:path';
import test from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {startPostgres} from '../support/postgres.mjs';
import {bothReleased, current, Mandated, next} from './harness.mjs';

const rate = Number(process.env.MANDATE_WRITES ?? (bothReleased ? 150 : 60));
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const quick = {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1', MANDATE_RATE_RO: '100000', MANDATE_RATE_DELEGATION: '100000', MANDATE_RATE_TOKEN: '100000'};
const login = {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'};

test('two versions side by side on one database, while the newer one migrates: nothing fails, nothing is lost', async () => {
  const postgres = await startPostgres({fsync: true}), store = await postgres.createDatabase();
  const node = (more) => new Mandated({store, env: quick, release: bothReleased, args: ['--loops', '1', '--script-children', '1'], ...more});
  const older = await node({program: current, tenant: tenant()}).start();
  const newer = node({program: next});
  copyFileSync(join(older.directory, 'master.key'), join(newer.directory, 'master.key'));  // one key for all nodes

  const {id_token} = (await older.call('POST', '/oauth/ro', {body: login})).json;
  const zumo = (await older.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'}})).json.id_token;
  const headers = {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'}, agents = new Map([older, newer].map((n) => [n, new https.Agent({keepAlive: true, maxSockets: 16})]));
  const call = (server, ...what) => {
    server.agent = agents.get(server);
    const answer = server.call(...what);
    server.agent = undefined;
    return answer;
  };
  let nodes = [older], sent = 0, stop = false, longest = 0;
  const acknowledged = [], failed = [], busy = [], running = new Set(), through = new Map([[older, 0], [newer, 0]]);
  const one = async (i) => {
    const server = nodes[i % nodes.length], id = `r${i}`, from = performance.now();
    // Every fifth write is a login: a session's row and one of the audit log, of tables that are migrated meanwhile.
    const answer = await (i % 5 ? call(server, 'POST', '/tables/plain', {headers, body: {id}}) : call(server, 'POST', '/oauth/ro', {body: login}));
    longest = Math.max(longest, performance.now() - from);
    if (answer.status === 503) return busy.push(answer.headers['retry-after']);
    if (answer.status >= 300) return failed.push(`${i % 5 ? 'row' : 'login'} on ${server === newer ? 'the newer' : 'the older'}: ${answer.status} ${answer.text.slice(0, 200)}`);
    through.set(server, through.get(server) + 1);
    if (i % 5) acknowledged.push(id);
  };
  const begun = performance.now();
  const load = (async () => {
    for (let i = 0; !stop; ++i) {
      const due = begun + (i * 1000) / rate - performance.now();
      if (due > 0) await wait(due);
      ++sent;
      const work = one(i).catch((e) => failed.push(`${e.code} ${e.message}`)).finally(() => running.delete(work));
      running.add(work);
      if (running.size > 60) await Promise.race(running);
    }
    await Promise.all(running);
  })();
  const quiet = async () => Promise.all(running);  // none under way on a node that leaves

  await wait(1500);
  await newer.start();  // migrates
  nodes = [older, newer];
  await wait(2500);
  // The older one is restarted on what the newer one has made of the data.
  nodes = [newer];
  await quiet();
  agents.get(older).destroy();
  assert.deepEqual(await older.kill('SIGTERM'), {code: 0, signal: null});
  await older.start();
  nodes = [older, newer];
  await wait(2500);
  stop = true;
  await load;
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(older.version(), '0.1.0');
  assert.equal(newer.version(), '0.2.0');
  console.log(`# ${sent} writes (${Math.round(sent / seconds)} a second), ${through.get(older)} through the older, ${through.get(newer)} through the newer: ${failed.length} failed, ${busy.length} told to come again, longest ${Math.round(longest)} ms`);
  assert.deepEqual(failed.slice(0, 5), []);
  assert.ok(busy.length <= sent / 100, `${busy.length} of ${sent} were answered 503`);
  for (const after of busy) assert.ok(Number(after) >= 1);
  const stored = new Set();
  for (const server of [older, newer]) {
    stored.clear();
    for (let skip = 0, page; skip === 0 || page.length; skip += 1000) {
      page = (await server.call('GET', `/tables/plain?$top=1000&$skip=${skip}&$select=id`, {headers})).json;
      for (const {id} of page) stored.add(id);
    }
    assert.deepEqual(acknowledged.filter((id) => !stored.has(id)), []);
  }
  const sound = newer.cli('check');
  assert.equal(sound.status, 0, sound.stdout + sound.stderr);
  for (const agent of agents.values()) agent.destroy();
  await newer.stop();
  await older.stop();
});
