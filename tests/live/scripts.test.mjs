// Scripts of a running server: what a stop leaves them, what a runaway costs the others.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import test from 'node:test';
import {Mandated} from './harness.mjs';

const script = (body) => JSON.stringify(`function insert(item, user, request) { ${body} }`);
const tenant = `
tenant: scripts
settings: {hosts: [localhost]}
services:
  default:
    application_key: scripts-application-key
    tables:
      Speaks: {permissions: public, scripts: {insert: ${script('console.log("the last line"); request.respond(200, 1);')}}}
      Slow: {permissions: public, scripts: {insert: ${script('setTimeout(function () { request.execute(); }, 700);')}}}
      Later: {permissions: public, scripts: {insert: ${script('request.respond(200, 1); setTimeout(function () { tables.getTable("Kept").insert({ text: "after the answer" }, { success: function () { console.log("done"); } }); }, 400);')}}}
      Held: {permissions: public, scripts: {insert: ${script('for (;;) {}')}}}
      Quick: {permissions: public, scripts: {insert: ${script('item.seen = true; request.execute();')}}}
      Kept: {permissions: public}
`;
const started = (args = []) => new Mandated({tenant, args, env: {MANDATE_SCRIPT_CPU: '1s'}}).start();
const insert = (server, table, item = {text: 'a'}) => server.call('POST', `/tables/${table}`, {body: item, headers: {'ZUMO-API-VERSION': '2.0.0', 'Content-Type': 'application/json'}});
const again = async (server) => {
  server.tenant = undefined;
  await server.start();
};
/** The script processes below the server. */
const nodes = (server) => readdirSync(`/proc/${server.child.pid}/task`).flatMap((task) => readFileSync(`/proc/${server.child.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number));

test('a line written just before SIGTERM is in the log after the next start', async () => {
  const server = await started();
  for (let round = 0; round < 3; ++round) {
    const answer = await insert(server, 'Speaks');
    assert.equal(answer.status, 200, answer.text);
    server.child.kill('SIGTERM');
    assert.deepEqual(await server.exited, {code: 0, signal: null});
    await again(server);
    const told = server.cli('script', 'logs');
    assert.equal(told.stdout.match(/the last line/g)?.length, round + 1, told.stdout + told.stderr);
  }
  await server.stop();
});

test('SIGTERM while scripts run: they answer, and what goes on after an answer is done too, on one loop and on two', async () => {
  for (const loops of ['1', '2']) {
    const server = await started(['--loops', loops]);
    assert.equal((await insert(server, 'Quick')).status, 201);
    const slow = Array.from({length: 8}, () => insert(server, 'Slow'));
    const later = await Promise.all(Array.from({length: 8}, () => insert(server, 'Later')));
    assert.deepEqual(later.map((a) => a.status), Array(8).fill(200));
    server.child.kill('SIGTERM');
    assert.deepEqual((await Promise.all(slow)).map((a) => a.status), Array(8).fill(201));
    assert.deepEqual(await server.exited, {code: 0, signal: null});
    await again(server);
    const kept = await server.call('GET', '/tables/Kept', {headers: {'ZUMO-API-VERSION': '2.0.0'}});
    assert.equal(kept.json.length, 8, kept.text);
    await server.stop();
  }
});

test('a script that never ends its thread costs its own call only', async () => {
  const server = await started();
  await insert(server, 'Quick');
  const held = Array.from({length: 3}, () => insert(server, 'Held'));
  let answered = 0;
  const until = Promise.all(held).then(() => true);
  while (!(await Promise.race([until, insert(server, 'Kept').then((a) => { assert.equal(a.status, 201); ++answered; return false; })])));
  assert.deepEqual((await Promise.all(held)).map((a) => a.status), [500, 500, 500]);
  assert.ok(answered > 10, `${answered} inserts meanwhile`);
  assert.equal((await insert(server, 'Quick')).status, 201);
  await server.stop();
});

test('killed script processes are replaced, and no call is lost', async () => {
  const server = await started();
  await insert(server, 'Quick');
  for (let round = 0; round < 3; ++round) {
    const calls = Array.from({length: 10}, () => insert(server, 'Slow'));
    await insert(server, 'Quick');  // the others have been handed over before this one
    process.kill(nodes(server)[0], 'SIGKILL');
    assert.deepEqual((await Promise.all(calls)).map((a) => a.status), Array(10).fill(201));
  }
  await server.stop();
});
