// The folder of a V1 app, deployed as it is, and an unmodified client (npm azure-mobile-apps-client 2.0.1) that was given the
// service's path as its address: tables behind their scripts, the custom API, paging.
import assert from 'node:assert/strict';
import {createHash, createHmac} from 'node:crypto';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated, root} from '../live/harness.mjs';
import {browserGlobals} from './xhr.mjs';

const tenant = `
tenant: folder
settings: {hosts: [localhost]}
services:
  default: {}
  todo: {application_key: todo-application-key, master_key: todo-master-key, settings: {pageSize: "2"}}
`;
let server, WindowsAzure;
before(async () => {
  server = await new Mandated({tenant}).start();
  const told = server.cli('service', 'deploy', join(root, 'examples/mobile-service-v1'), '--service', 'todo');
  assert.equal(told.status, 0, told.stdout + told.stderr);
  browserGlobals(server.ca);
  WindowsAzure = createRequire(import.meta.url)('azure-mobile-apps-client');
});
after(() => server?.stop());

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
function client(uid) {
  const key = createHash('sha256').update('todo-master-keyJWTSig').digest();
  const text = `${b64({alg: 'HS256', typ: 'JWT', kid: '0'})}.${b64({exp: Math.floor(Date.now() / 1000) + 3600, iss: 'urn:microsoft:windows-azure:zumo', ver: 2, aud: 'Custom', uid})}`;
  const out = new WindowsAzure.MobileServiceClient(`${server.base}/s/todo`);
  out.currentUser = {userId: uid, mobileServiceAuthenticationToken: `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`};
  return out;
}

test('an app written for the folder works at the service\'s path', async () => {
  const ana = client('Custom:ana'), table = ana.getTable('TodoItem');
  const texts = ['  one ', 'two', 'three', 'four', 'five'];
  for (const text of texts) await table.insert({text, complete: false});
  const first = await table.where({complete: false}).orderBy('text').read();
  assert.equal(first.length, 2, 'a page of this service');
  assert.ok(first.nextLink.startsWith(`${server.base}/s/todo/tables/TodoItem?`), first.nextLink);
  const second = await table.read(first.nextLink);
  assert.ok(second.length >= 1);
  const item = first[0];
  assert.equal(item.userId, 'Custom:ana');
  const changed = await table.update({id: item.id, complete: true});
  assert.equal(changed.complete, true);
  assert.deepEqual((await ana.invokeApi('stats', {method: 'get'})).result, {items: 5, done: 1, text: '5 items'});

  const ben = client('Custom:ben');
  assert.equal((await ben.getTable('TodoItem').read()).length, 0);
  await assert.rejects(async () => ben.getTable('TodoItem').del({id: item.id}), (error) => error.request.status === 404);
  await table.del({id: item.id});
  assert.equal((await ana.invokeApi('stats', {method: 'get'})).result.items, 4);
  await assert.rejects(async () => new WindowsAzure.MobileServiceClient(`${server.base}/s/todo`).getTable('TodoItem').read(), (error) => error.request.status === 401);
});
