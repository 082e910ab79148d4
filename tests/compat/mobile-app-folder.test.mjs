// The folder of an app for Azure Mobile Apps, deployed as it is, and an unmodified client (npm azure-mobile-apps-client 2.0.1).
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated, root} from '../live/harness.mjs';
import {key, token} from './opinions.mjs';
import {browserGlobals} from './xhr.mjs';

const tenant = `
tenant: folder
settings: {hosts: [localhost]}
services:
  default: {}
  todo: {v2_signing_keys: ["${key}"]}
`;
let server, WindowsAzure;
before(async () => {
  server = await new Mandated({tenant}).start();
  const told = server.cli('service', 'deploy', join(root, 'examples/mobile-app-v2'), '--service', 'todo');
  assert.equal(told.status, 0, told.stdout + told.stderr);
  assert.match(told.stdout, /2 first rows of table Tip/);
  browserGlobals(server.ca);
  WindowsAzure = createRequire(import.meta.url)('azure-mobile-apps-client');
});
after(() => server?.stop());

function client(user) {
  const out = new WindowsAzure.MobileServiceClient(`${server.base}/s/todo`);
  if (user) out.currentUser = {userId: user, mobileServiceAuthenticationToken: token(user)};
  return out;
}

test('everybody has their own items, and the API sees the caller', async () => {
  const ana = client('sid:ana'), ben = client('sid:ben'), table = ana.getTable('TodoItem');
  for (const text of ['one', 'two', 'three']) await table.insert({text, complete: false});
  const all = await table.orderBy('text').read();
  assert.deepEqual([...all].map((item) => [item.text, item.userId]), [['one', 'sid:ana'], ['three', 'sid:ana'], ['two', 'sid:ana']]);
  assert.equal((await ben.getTable('TodoItem').read()).length, 0);
  await assert.rejects(async () => ben.getTable('TodoItem').update({id: all[0].id, text: 'mine'}), (error) => error.request.status === 404);
  await assert.rejects(async () => client().getTable('TodoItem').read(), (error) => error.request.status === 401);
  assert.equal((await table.update({id: all[0].id, complete: true})).complete, true);
  assert.deepEqual((await ana.invokeApi('completeAll', {method: 'post'})).result, {completed: 2});
  assert.deepEqual((await ben.invokeApi('completeAll', {method: 'post'})).result, {completed: 0});
  assert.deepEqual((await ana.invokeApi('completeAll', {method: 'get'})).result, {items: 3});
  await table.del({id: all[0].id});
  assert.equal((await table.read()).length, 2);
});

test('a table of tips is there to be read', async () => {
  const tips = client().getTable('Tip');
  assert.deepEqual([...await tips.orderBy('id').read()].map((tip) => tip.id), ['offline', 'swipe']);
  await assert.rejects(async () => tips.insert({text: 'x'}), (error) => error.request.status === 405);
});
