// Jobs from the tenant's file to their history: asked at the door and at the desk, scripts that write, fail and hang.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {copyFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {sharedPostgres} from '../support/postgres.mjs';
import {Mandated} from './harness.mjs';

const master = 'jobs-master-key', system = 'jobs-system-key';
const tenant = (jobs) => JSON.stringify({tenant: 'jobs', settings: {hosts: ['localhost']}, services: {default: {
  master_key: master, system_key: system, jobs, tables: {Log: {permissions: 'public'}}}}});
const writes = `function fill() {
  tables.getTable('Log').insert({ text: 'filled' }, { success: function (row) { console.log('filled ' + row.text); } });
}`;
const jobs = {
  fill: {source: `${writes}\n`, cron: '0 0 1 1 *'},
  fails: {source: "function fails() {\n  throw new Error('on purpose');\n}\n"},
  hangs: {source: 'function hangs() {\n  setInterval(function () {}, 1000);\n}\n', timeout: 1},
};

const cronToken = (claims) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({alg: 'HS256', typ: 'JWT', kid: '0'})}.${part({exp: Math.floor(Date.now() / 1000) + 60, uid: 'cron', 'urn:microsoft:appid': 'default', ...claims})}`;
  const key = crypto.createHash('sha256').update(`${system}JWTSig`).digest();
  return `${text}.${crypto.createHmac('sha256', key).update(text).digest('base64url')}`;
};

async function house(fn) {
  const server = await new Mandated({tenant: tenant(jobs)}).start();
  const history = (job) => JSON.parse(server.cli('--json', 'jobs', 'history', job).stdout).runs;
  /** The newest run of a job, once it has ended. */
  const ended = async (job) => {
    for (;;) {
      const [run] = history(job);
      if (run && !['waiting', 'running'].includes(run.state)) return run;
      await pause(100);
    }
  };
  try { await fn({server, history, ended}); } finally { await server.stop(); }
}

test('a job runs when its owner, the master key or a scheduler asks, and says what became of it', () => house(async ({server, ended, history}) => {
  assert.equal(server.cli('jobs', 'run', 'fill').status, 0);
  assert.equal((await ended('fill')).state, 'succeeded');
  assert.equal((await server.call('GET', '/tables/Log', {headers: {'ZUMO-API-VERSION': '2.0.0'}})).json.length, 1);

  const asked = await server.call('POST', '/jobs/FILL', {headers: {'X-ZUMO-MASTER': master}});
  assert.equal(asked.status, 200);
  assert.equal(asked.text, '');
  await ended('fill');
  assert.equal((await server.call('POST', '/jobs/fill', {headers: {'X-ZUMO-AUTH': cronToken({'urn:microsoft:scope': 'fill'})}})).status, 200);
  await ended('fill');
  assert.equal(history('fill').length, 3);
  assert.equal((await server.call('POST', '/jobs/fails', {headers: {'X-ZUMO-AUTH': cronToken({'urn:microsoft:scope': 'fill'})}})).status, 401);
  assert.deepEqual((await server.call('POST', '/jobs/fill')).json, {code: 401, error: 'Error: Unauthorized'});
  assert.equal((await server.call('POST', '/jobs/none', {headers: {'X-ZUMO-MASTER': master}})).status, 404);

  server.cli('jobs', 'run', 'fails');
  const failed = await ended('fails');
  assert.equal(failed.state, 'failed');
  assert.match(failed.error, /on purpose[^]*scheduler\/fails\.js:2/);

  server.cli('jobs', 'run', 'hangs');
  assert.equal((await server.call('POST', '/jobs/hangs', {headers: {'X-ZUMO-MASTER': master}})).status, 409);
  assert.equal((await ended('hangs')).state, 'timed_out');

  const list = server.cli('jobs', 'list').stdout;
  assert.match(list, /fill {2}0 0 1 1 \*  next \d{4}-01-01T00:00:00\.000Z\n {4}last: .* succeeded/);
  assert.match(list, /hangs {2}when asked/);
  assert.match(server.cli('jobs', 'history').stdout, /fails {2}failed.*on purpose/);
}));

test('runs outlive a killed server as abandoned ones, and what waited is run by the next', () => house(async ({server, ended, history}) => {
  server.apply(tenant({...jobs, hangs: {...jobs.hangs, timeout: 600}}));
  server.cli('jobs', 'run', 'hangs');
  while (history('hangs')[0].state !== 'running') await pause(50);
  await server.kill();
  server.tenant = undefined;
  await server.start();
  assert.equal((await server.call('POST', '/jobs/fill', {headers: {'X-ZUMO-MASTER': master}})).status, 200);
  assert.equal((await ended('hangs')).state, 'abandoned');
  assert.equal((await ended('fill')).state, 'succeeded');
}));

test('of two nodes one runs the jobs; when it is killed, or stops, the other does', async () => {
  const store = await (await sharedPostgres()).createDatabase();
  const file = tenant({...jobs, hangs: {...jobs.hangs, timeout: 600}});
  const first = await new Mandated({store, tenant: file}).start();
  const second = new Mandated({store});
  copyFileSync(join(first.directory, 'master.key'), join(second.directory, 'master.key'));
  await second.start();
  const runs = (node) => {
    const told = node.cli('--json', 'jobs', 'history');
    assert.equal(told.status, 0, told.stderr);
    return JSON.parse(told.stdout).runs;
  };
  const until = async (node, job, state) => { while (!runs(node).some((run) => run.job === job && run.state === state)) await pause(100); };
  const leads = (node) => node.lines.some((line) => line.includes('"jobs.lead_begun"'));
  const ask = async (node, job) => assert.equal((await node.call('POST', `/jobs/${job}`, {headers: {'X-ZUMO-MASTER': master}})).status, 200);

  while (!leads(first) && !leads(second)) await pause(50);
  const [lead, other] = leads(first) ? [first, second] : [second, first];
  await ask(other, 'fill');  // asked here, run there
  await until(other, 'fill', 'succeeded');
  assert.equal(runs(lead).length, 1);
  assert.equal(leads(other), false);

  await ask(lead, 'hangs');
  await until(lead, 'hangs', 'running');
  await lead.kill();
  await until(other, 'hangs', 'abandoned');
  const filled = async (node, times) => { while (runs(node).filter((run) => run.job === 'fill' && run.state === 'succeeded').length < times) await pause(100); };
  await ask(other, 'fill');
  await filled(other, 2);

  lead.tenant = undefined;
  lead.lines.length = 0;
  await lead.start();
  await other.stop();  // gives the duty away
  await ask(lead, 'fill');
  await filled(lead, 3);
  assert.ok(leads(lead));
  await lead.stop();
});
