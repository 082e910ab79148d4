// npm azure-mobile-apps-client 2.0.1, unmodified, in Node with the three browser globals it needs: insert, read, update,
// conflict, delete, undelete, lookup, with the token of /delegation set as the current user.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import test, {after, before} from 'node:test';
import {Mandated, signIn} from '../live/harness.mjs';
import {ana, ben, tenant} from './tenant.mjs';
import {browserGlobals} from './xhr.mjs';

let server, WindowsAzure;
const tokens = {};

before(async () => {
  server = await new Mandated({tenant: tenant()}).start();
  browserGlobals(server.ca);
  WindowsAzure = createRequire(import.meta.url)('azure-mobile-apps-client');
  for (const person of [ana, ben]) {
    const location = await signIn(server, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(`${server.base}/mobile`)}&state=s`,
      person.email, person.password, (l) => l.startsWith(`${server.base}/mobile#`));
    const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
    const answer = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'}});
    assert.equal(answer.status, 200, answer.text);
    const token = answer.json.id_token;
    tokens[person.name] = {token, userId: JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).uid};
  }
});
after(() => server?.stop());

/** Runs `body` with `table` = TodoItem of a client signed in as `who`; what it gives, or how it failed. */
async function as(who, body, argument) {
  const client = new WindowsAzure.MobileServiceClient(server.base);
  if (who) client.currentUser = {userId: tokens[who.name].userId, mobileServiceAuthenticationToken: tokens[who.name].token};
  const run = new Function('client', 'table', 'argument', `return (async () => { ${body} })()`);
  try {
    return {value: JSON.parse(JSON.stringify((await run(client, client.getTable('TodoItem'), argument)) ?? null))};
  } catch (e) {
    return {error: e.message, status: e.request?.status, serverInstance: e.serverInstance && JSON.parse(JSON.stringify(e.serverInstance))};
  }
}

test('insert stamps the user, read gives only own rows, in order and paged', async () => {
  const inserted = (await as(ana, `return table.insert({text: "it's 100% milk", complete: false, rank: 2.5, when: new Date(Date.UTC(2015, 1, 2, 3, 4, 5, 678))})`)).value;
  assert.equal(inserted.userId, tokens[ana.name].userId);
  assert.equal(inserted.rank, 2.5);
  assert.equal(inserted.complete, false);
  assert.equal(inserted.when, '2015-02-02T03:04:05.678Z');
  assert.ok(inserted.id && inserted.version && inserted.createdAt && inserted.updatedAt);
  await as(ana, `await table.insert({text: 'second', complete: true, rank: 1})`);
  const mine = (await as(ana, `return table.where({complete: false}).read()`)).value;
  assert.deepEqual(mine.map((r) => r.text), ["it's 100% milk"]);
  const found = (await as(ana, `return table.where(function (t) { return this.text == t; }, "it's 100% milk").select('text', 'rank').read()`)).value;
  assert.deepEqual(found, [{text: "it's 100% milk", rank: 2.5}]);
  const ordered = (await as(ana, `return table.orderBy('rank').read()`)).value;
  assert.deepEqual(ordered.map((r) => r.rank), [1, 2.5]);
  const counted = (await as(ana, `const r = await table.take(1).includeTotalCount().read(); return {n: r.length, total: r.totalCount}`)).value;
  assert.deepEqual(counted, {n: 1, total: 2});
  assert.deepEqual((await as(ben, `return table.read()`)).value, []);
});

test('lookup, update, and a conflict that carries the server\'s row', async () => {
  const {value: row} = await as(ana, `return table.insert({text: 'v1', complete: false})`);
  assert.equal((await as(ana, `return table.lookup(argument)`, row.id)).value.text, 'v1');
  const {value: changed} = await as(ana, `return table.update({id: argument.id, text: 'v2', version: argument.version})`, row);
  assert.equal(changed.text, 'v2');
  assert.notEqual(changed.version, row.version);
  const conflict = await as(ana, `return table.update({id: argument.id, text: 'v3', version: argument.version})`, row);
  assert.equal(conflict.status, 412);
  assert.equal(conflict.serverInstance.text, 'v2');
  assert.match(conflict.error, /Precondition Failed/);
  const missing = await as(ana, `return table.lookup('nothing-here')`);
  assert.equal(missing.status, 404);
});

// The package has no undelete of its own; this is its own request with the user's token, as apps spelt it.
test('delete, then undelete brings the row back', async () => {
  const {value: row} = await as(ana, `return table.insert({text: 'gone and back', complete: false})`);
  assert.equal((await as(ana, `await table.del({id: argument.id}); return 'deleted'`, row)).value, 'deleted');
  assert.equal((await as(ana, `return table.lookup(argument)`, row.id)).status, 404);
  const {value: back, ...failure} = await as(ana, `const r = await client.invokeApi('../tables/TodoItem/' + argument.id, {method: 'POST'}); return r.result`, row);
  assert.ok(back, JSON.stringify(failure));
  assert.equal(back.id, row.id);
  assert.equal((await as(ana, `return table.lookup(argument)`, row.id)).value.text, 'gone and back');
});

test('another person cannot see, change or delete the row; nobody without a token', async () => {
  const {value: row} = await as(ana, `return table.insert({text: 'private', complete: false})`);
  for (const body of [`return table.lookup(argument.id)`, `return table.update({id: argument.id, text: 'mine now'})`, `return table.del({id: argument.id})`]) {
    const refused = await as(ben, body, row);
    assert.ok(refused.status >= 400 && refused.status < 500, JSON.stringify(refused));
  }
  assert.equal((await as(ana, `return table.lookup(argument)`, row.id)).value.text, 'private');
  assert.equal((await as(null, `return table.read()`)).status, 401);
});

test('a duplicate id is a 409', async () => {
  const id = 'my-own-id-1';
  assert.equal((await as(ana, `return table.insert({id: argument, text: 'a'})`, id)).value.id, id);
  assert.equal((await as(ana, `return table.insert({id: argument, text: 'b'})`, id)).status, 409);
});
