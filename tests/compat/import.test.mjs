// A service moves here from npm azure-mobile-apps: the SQLite file that it wrote is imported, and its clients go on.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';
import {Mandated, root} from '../live/harness.mjs';

const tenant = `
tenant: moved
settings: {hosts: [localhost]}
tables:
  items: {permissions: public, soft_delete: true, dialect: v2}
  typed: {permissions: public, dialect: v2, dynamic_schema: false, columns: {text: string, n: number, done: boolean, at: datetime}}
`;
const {Database} = createRequire(import.meta.url)('node-sqlite3-wasm');
const hour = 3_600_000;

// The rows as an old server left them an hour ago: times of the last minute would get new ones here.
function age(file) {
  const old = new Database(file);
  for (const table of ['items', 'typed']) {
    old.run(`DROP TRIGGER [TR_${table}]`);
    old.run(`UPDATE [${table}] SET createdAt = STRFTIME('%Y-%m-%dT%H:%M:%fZ', createdAt, '-1 hour'), updatedAt = STRFTIME('%Y-%m-%dT%H:%M:%fZ', updatedAt, '-1 hour')`);
  }
  old.close();
}
const earlier = (rows) => rows.map((row) => ({...row, createdAt: new Date(Date.parse(row.createdAt) - hour).toISOString(), updatedAt: new Date(Date.parse(row.updatedAt) - hour).toISOString()}));

const headers = {'ZUMO-API-VERSION': '2.0.0'};

test('rows of its SQLite file are the same here, and what its clients changed offline is no conflict', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mandate-import-')), file = join(directory, 'mobile.sqlite');
  const peer = spawn(process.execPath, [join(root, 'tests/compat/second-opinion-server.cjs'), 'a key', file], {stdio: ['ignore', 'pipe', 'inherit'], cwd: join(root, 'tests/compat')});
  const gone = once(peer, 'exit');
  const port = await new Promise((done, fail) => {
    peer.stdout.on('data', (chunk) => /^\d+$/m.test(chunk) && done(String(chunk).match(/^\d+$/m)[0]));
    gone.then(() => fail(new Error('azure-mobile-apps ended')));
  });
  const there = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/tables/${path}`, {method, headers: {...headers, 'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
  let before, typed;
  try {
    await there('POST', 'items', {id: 'a', text: 'one', n: 1.5, done: true});
    await there('POST', 'items', {id: 'b', text: 'zw\u00f6lf', at: '2014-03-01T10:00:00.000Z'});
    await there('POST', 'items', {id: 'c', text: 'gone'});
    await there('PATCH', 'items/a', {id: 'a', text: 'changed'});
    await there('DELETE', 'items/c');
    await there('POST', 'typed', {id: 't', text: 'x', n: 7, done: false, at: '2014-03-01T10:00:00.000Z'});
    before = earlier(await there('GET', 'items?$orderby=id&__includeDeleted=true'));
    typed = earlier(await there('GET', 'typed'));
  } finally {
    peer.kill();
    await gone;
  }
  assert.equal(before.length, 3);
  age(file);

  const server = await new Mandated({tenant}).start();
  try {
    for (const table of ['items', 'typed']) {
      const told = server.cli('import', '--table', table, file);
      assert.equal(told.status, 0, told.stdout + told.stderr);
    }
    const ours = async (path) => (await server.call('GET', `/tables/${path}`, {headers})).json;
    const known = (row) => Object.fromEntries(Object.entries(row).filter(([name, value]) => name !== 'version' && value !== null).sort());
    assert.deepEqual((await ours('items?$orderby=id&__includeDeleted=true')).map(known), before.map(known));
    assert.deepEqual((await ours('typed')).map(known), typed.map(known));

    const change = (version, text) => server.call('PATCH', '/tables/items/a', {headers: {...headers, 'If-Match': `"${version}"`}, body: {id: 'a', text}});
    assert.equal((await change('bm9uZQ==', 'x')).status, 412);
    assert.equal((await change(before[0].version, 'offline')).status, 200);
    assert.equal((await change(before[0].version, 'twice')).status, 412);
  } finally {
    await server.stop();
    rmSync(directory, {recursive: true, force: true});
  }
});
