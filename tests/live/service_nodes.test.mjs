// Services and their messages over several nodes: two mandated on one PostgreSQL.
import assert from 'node:assert/strict';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';
import {setTimeout as pause} from 'node:timers/promises';
import {Receivers} from '../support/push_receivers.mjs';
import {sharedPostgres} from '../support/postgres.mjs';
import {Mandated} from './harness.mjs';

async function nodes(options, fn) {
  const store = await (await sharedPostgres()).createDatabase();
  const first = await new Mandated({...options, store}).start();
  const second = new Mandated({...options, store, tenant: undefined});
  copyFileSync(join(first.directory, 'master.key'), join(second.directory, 'master.key'));
  await second.start();
  const both = [first, second], ended = new Set();
  const kill = async (node) => { ended.add(node); await node.kill(); };
  try { await fn(both, kill); } finally {
    for (const node of both) if (ended.has(node)) rmSync(node.directory, {recursive: true, force: true}); else await node.stop();
    await (await sharedPostgres()).dropDatabase(store);
  }
}
const done = (told) => { assert.equal(told.status, 0, told.stdout + told.stderr); return told.stdout; };

test('a version deployed at one node is served by the other, whole; a rollback as well', () => nodes({tenant: 'tenant: deployed\nsettings: {hosts: [localhost]}\nservices: {default: {}}\n'}, async ([a, b]) => {
  const folder = join(a.directory, 'folder');
  const open = JSON.stringify({routes: {'*': {'*': {permission: 'public'}}}});
  /** A version says its name in a table's script, in a shared file, in a module and in an API. */
  const write = (name) => {
    for (const [path, text] of Object.entries({
      'table/Notes.json': open, 'table/Notes.insert.js': `function insert(item, user, request) { request.respond(200, {seen: ['${name}', require('../shared/word'), require('../lib/word')]}); }`,
      'shared/word.js': `module.exports = '${name}';`, 'lib/word.js': `module.exports = '${name}';`,
      'api/seen.json': open, 'api/seen.js': `exports.get = function (request, response) { response.send(200, {seen: ['${name}', require('../shared/word'), require('../lib/word')]}); };`,
    })) { mkdirSync(join(folder, path, '..'), {recursive: true}); writeFileSync(join(folder, path), text); }
  };
  const ask = async (node, api) => {
    const answer = await (api ? node.call('GET', '/api/seen') : node.call('POST', '/tables/Notes', {body: {}, headers: {'ZUMO-API-VERSION': '2.0.0'}}));
    if (answer.status === 404) return undefined;  // before the first version is here
    assert.equal(answer.status, 200, answer.text);
    assert.equal(new Set(answer.json.seen).size, 1, `half of a version: ${answer.text}`);
    return answer.json.seen[0];
  };
  let over = false, asked = 0;
  const clients = [a, b].flatMap((node) => [false, true].map(async (api) => { for (; !over; ++asked) await ask(node, api); }));
  const served = async (name) => { for (const node of [a, b]) for (const api of [false, true]) while (await ask(node, api) !== name) await pause(10); };
  try {
    for (const [at, name] of ['one', 'two', 'three', 'four'].entries()) {
      write(name);
      done([a, b][at % 2].cli('service', 'deploy', folder));
      await served(name);
    }
    assert.match(done(a.cli('service', 'rollback')), /Runs version 3, after version 4/);
    await served('three');
    assert.match(done(b.cli('service', 'rollback', '1')), /Runs version 1, after version 3/);
    await served('one');
  } finally {
    over = true;
    await Promise.all(clients);
  }
  assert.ok(asked > 20, `${asked} requests`);
}));

test('a service deleted at one node is gone at the other, and its name is given again without its rows', () => nodes({tenant: 'tenant: deployed\nsettings: {hosts: [localhost]}\nservices: {default: {}, shop: {tables: {Notes: {permissions: public}}}}\n'}, async ([a, b]) => {
  const headers = {'ZUMO-API-VERSION': '2.0.0'}, list = (node) => node.call('GET', '/s/shop/tables/Notes', {headers});
  while ((await list(b)).status !== 200) await pause(10);
  assert.equal((await a.call('POST', '/s/shop/tables/Notes', {headers, body: {text: 'old'}})).status, 201);
  assert.equal((await list(b)).json.length, 1);
  done(b.cli('service', 'delete', 'shop', '--force'));
  while ((await list(a)).status !== 404) await pause(10);
  done(a.cli('service', 'create', 'shop'));
  a.apply('tenant: deployed\nservices: {shop: {tables: {Notes: {permissions: public}}}}\n');
  for (const node of [a, b]) {
    while ((await list(node)).status !== 200) await pause(10);
    assert.deepEqual((await list(node)).json, []);
  }
}));

test('a message is sent once by one of two nodes; when that one is killed the other goes on', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mandate-push-'));
  const receivers = await new Receivers().start(directory);
  const tenant = JSON.stringify({tenant: 'push', settings: {hosts: ['localhost']}, services: {default: {application_key: 'k', push: receivers.settings()}}});
  await nodes({tenant, args: ['--egress-allow', receivers.host, '--egress-ca-file', receivers.caFile, '--metrics-port', '0']}, async (both, kill) => {
    const [a, b] = both;
    for (let i = 0; i < 8; ++i) {
      const id = `device${i}`, token = `AA0${i}`;
      const answer = await both[i % 2].call('PUT', `/push/installations/${id}`, {body: {installationId: id, platform: 'apns', pushChannel: token, tags: [id]}});
      assert.equal(answer.status, 200, answer.text);
    }
    const all_done = async (node, count) => {
      for (;;) {
        await pause(20);
        const list = done(node.cli('push', 'list'));
        if ((list.match(/ done: /g) ?? []).length === count) return list;
      }
    };
    for (let i = 0; i < 6; ++i) done(both[i % 2].cli('push', 'send', '--title', `T${i}`, '--body', 'to all'));
    await all_done(a, 6);
    assert.equal(receivers.got.length, 48);
    assert.equal(new Set(receivers.got.map((m) => m.headers['apns-id'])).size, 48, 'each once');

    // The one that carries is told apart by what it counted.
    const carried = async (node) => {
      const page = await (await fetch(`http://127.0.0.1:${node.metricsPort}/metrics`)).text();
      return Number(page.match(/^mandate_push_deliveries_total\{outcome="delivered"\} (\d+)/m)?.[1] ?? 0);
    };
    const counts = [await carried(a), await carried(b)];
    assert.deepEqual([...counts].sort((x, y) => x - y), [0, 48]);
    const [carrier, other] = counts[0] ? [a, b] : [b, a];
    receivers.hanging.add('aa03');
    done(other.cli('push', 'send', '--tags', 'device3', '--title', 'T', '--body', 'under way'));
    const first = await receivers.message((m) => m.payload.aps.alert.body === 'under way');
    await kill(carrier);
    receivers.hanging.clear();
    done(other.cli('push', 'send', '--tags', 'device4', '--title', 'T', '--body', 'later'));
    const again = await receivers.message((m) => m.payload.aps.alert.body === 'under way' && m !== first);
    assert.equal(again.headers['apns-id'], first.headers['apns-id'], 'the same message, so that the platform knows it');
    await receivers.message((m) => m.payload.aps.alert.body === 'later');
    await all_done(other, 8);
    assert.equal(receivers.got.filter((m) => m.payload.aps.alert.body === 'later').length, 1);
    assert.equal(receivers.got.length, 51);
    assert.deepEqual(receivers.wrong, []);
  }).finally(() => { receivers.stop(); rmSync(directory, {recursive: true, force: true}); });
});
