// Acceptance check 9 over sockets, on the engine of the run: 4 writers make 1000 rows, and change and delete among them, while five
// clients pull, each in the way of one generation (mobile-backend-wire 9.1). None of them has lost anything at the end.
import assert from 'node:assert/strict';
import https from 'node:https';
import test from 'node:test';
import {Mandated} from './harness.mjs';

const rows = 1000, writers = 4, before = 300;

const get = async (server, path) => {
  const answer = await server.call('GET', path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer;
};
const keep = (client, list, names) => { for (const row of list) client.rows.set(row.id, `${row[names.version]} ${row[names.deleted]}`); };
const plain = {updatedAt: 'updatedAt', version: 'version', deleted: 'deleted'}, old = {updatedAt: '__updatedAt', version: '__version', deleted: '__deleted'};
const tables = (dialect, query) => `/${dialect}/tables/items?${query}`.replaceAll(' ', '%20').replaceAll("'", '%27');

/** From the last stamp on, and by $skip while it stands still: V1 everywhere, V2 in JavaScript; by Link where there is one: V2 in .NET. */
async function byStamp(server, client, dialect, names, followsLinks = false) {
  let stamp = client.stamp ?? '1970-01-01T00:00:00.000Z', skip = 0, link;
  for (;;) {
    const answer = await get(server, link ?? tables(dialect, `$filter=(${names.updatedAt} ge datetimeoffset'${stamp}')&$orderby=${names.updatedAt}&$skip=${skip}&$top=50` +
      `&__includeDeleted=true${names === old ? '&__systemProperties=*' : ''}`));
    if (answer.json.length === 0) break;
    keep(client, answer.json, names);
    link = followsLinks && answer.headers.link ? new URL(answer.headers.link.split(';')[0]) : undefined;
    if (link) link = link.pathname + link.search;
    const last = answer.json.at(-1)[names.updatedAt];
    skip = last === stamp ? skip + answer.json.length : 0;
    stamp = last;
  }
  client.stamp = stamp;
}
/** By nextLink to its end, next time from behind the newest stamp: Datasync 5, which asks for deleted rows later only, and the toolkit. */
async function byNext(server, client, dialect) {
  const filter = client.stamp ? `$filter=(updatedAt gt cast(${client.stamp},Edm.DateTimeOffset))&` : '', deleted = dialect === 'v4' || client.stamp ? '&__includedeleted=true' : '';
  for (let path = tables(dialect, `${filter}$orderby=updatedAt&$count=true${deleted}`); path;) {
    const {items, nextLink} = (await get(server, path)).json;
    keep(client, items, plain);
    for (const {updatedAt} of items) if (!(client.stamp >= updatedAt)) client.stamp = updatedAt;
    path = !nextLink ? undefined : dialect === 'v4' ? `/v4/tables/items?${nextLink}` : new URL(nextLink).pathname + new URL(nextLink).search;
  }
}
const shapes = {
  V1: (server, client) => byStamp(server, client, 'v1', old),
  'V2 JavaScript': (server, client) => byStamp(server, client, 'v2', plain),
  'V2 .NET': (server, client) => byStamp(server, client, 'v2', plain, true),
  V3: (server, client) => byNext(server, client, 'v3'),
  V4: (server, client) => byNext(server, client, 'v4'),
};

test('a pull loses nothing while others write, in each of the five ways of clients', async () => {
  const server = await new Mandated({release: true, tenant: `
tenant: pulls
settings: {hosts: [localhost]}
services: {default: {tables: {items: {permissions: public, soft_delete: true, page_size: 40}}}}
`}).start();
  server.agent = new https.Agent({keepAlive: true, maxSockets: 16});
  const write = async (method, path, body) => (await server.call(method, `/v2/tables/items${path}`, {body})).status;
  let seed = 7;
  const chance = (below) => (seed = (seed * 48271) % 2147483647) % below;
  let at = 0, writing = writers;
  const insert = async () => assert.equal(await write('POST', '', {id: `r${at++}`, n: 0}), 201);
  while (at < before) await insert();

  const writer = async () => {
    while (at < rows) {
      const mine = at;
      await insert();
      const [method, body] = mine % 3 ? ['PATCH', {n: 1}] : ['DELETE', undefined];
      assert.ok([200, 404].includes(await write(method, `/r${chance(mine)}`, body)));
    }
    --writing;
  };
  const clients = Object.keys(shapes).map((name) => ({name, rows: new Map(), pulls: 0}));
  const puller = async (client) => {
    do { await shapes[client.name](server, client); ++client.pulls; } while (writing > 0);
    await shapes[client.name](server, client);
  };
  await Promise.all([...Array.from({length: writers}, writer), ...clients.map(puller)]);

  const truth = {rows: new Map()};
  await shapes['V2 JavaScript'](server, truth);
  assert.equal(truth.rows.size, rows);
  for (const client of clients) {
    // A row that was deleted before the first pull of V3 is nothing it ever heard of.
    const lost = [...truth.rows].filter(([id, state]) => client.rows.get(id) !== state && !(state.endsWith('true') && !client.rows.has(id)));
    assert.deepEqual(lost, [], `${client.name} after ${client.pulls} pulls`);
  }
  server.agent.destroy();
  await server.stop();
});
