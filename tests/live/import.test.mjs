// `mandate import` at a running server: files of several forms, once and again, bad rows, and the clients that had the rows before.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated, root} from './harness.mjs';

const tenant = `
tenant: importing
settings: {hosts: [localhost]}
tables:
  TodoItem: {permissions: public, soft_delete: true}
  Typed: {permissions: public, columns: {done: boolean, due: datetime, n: {type: integer, unique: true}}}
  Many: {permissions: public}
  Old: {permissions: public, id: integer, dialect: v1}
  Mine: {permissions: authenticated, per_user: true}
  Ruled: {permissions: public, rules: {read: open, update: open}, columns: {open: boolean, name: {type: string, required: true, max_length: 10}}}
  Cut: {permissions: public}
  Every: {permissions: public, columns: {done: boolean, n: integer, real: number, due: datetime, day: date, hour: time, key: guid, bytes: binary, doc: json, at: point}}
  Asked:
    permissions: public
    conflicts: script
    scripts:
      update: "function update(item, user, request) { item.by = 'script'; request.execute(); }"
      conflict: "function conflict(item, server, user, request) { item.text = server.text + '+' + item.text; request.execute(); }"
`;
let server;
before(async () => { server = await new Mandated({tenant}).start(); });
after(() => server.stop());

const file = (name, text) => { const path = join(server.directory, name); writeFileSync(path, text); return path; };
const run = (table, path, ...more) => server.cli('--json', 'import', '--table', table, ...more, path);
const good = (told) => { assert.equal(told.status, 0, told.stdout + told.stderr); return JSON.parse(told.stdout); };
const counts = ({inserted, updated, kept, refused}) => [inserted, updated, kept, refused];
const v2 = {'ZUMO-API-VERSION': '2.0.0'};
const get = async (path) => (await server.call('GET', path, {headers: v2})).json;

test('a CSV comes with ids, times and versions, and may come again', async () => {
  // The deleted row is not old enough to be purged while the test runs.
  const lately = new Date(Date.now() - 3_600_000).toISOString();
  const path = file('todo.csv', '\uFEFFid,text,complete,createdAt,updatedAt,version,deleted\r\n'
    + 'a,"milk, ""fresh""",true,2013-01-02 03:04:05.0060000 +00:00,2014-05-06 09:08:09.1230000 +02:00,0x00000000000007D1,0\r\n'
    + `b,"two\r\nlines",false,2013-01-02 03:04:05.0060000 +00:00,${lately},0x00000000000007D2,1\r\n`);
  const dry = good(run('TodoItem', path, '--dry-run'));
  assert.deepEqual([...counts(dry), dry.columns], [2, 0, 0, 0, ['complete', 'text']]);
  assert.deepEqual(await get('/tables/TodoItem'), []);
  assert.deepEqual(counts(good(run('todoitem', path))), [2, 0, 0, 0]);
  const again = good(run('TodoItem', path));
  assert.deepEqual([...counts(again), again.same], [0, 0, 0, 0, 2]);
  const [row, ...others] = await get('/tables/TodoItem');
  assert.equal(others.length, 0, 'the other one is deleted');
  assert.deepEqual([row.id, row.text, row.complete, row.createdAt, row.updatedAt], ['a', 'milk, "fresh"', true, '2013-01-02T03:04:05.006Z', '2014-05-06T07:08:09.123Z']);

  // An offline client's change: it knows the row by the version of the server before.
  const change = (text) => server.call('PATCH', '/tables/TodoItem/a', {headers: {...v2, 'If-Match': '"AAAAAAAAB9E="'}, body: {text}});
  assert.equal((await change('cream')).status, 200);
  assert.equal((await change('butter')).status, 412);
  assert.deepEqual(counts(good(run('TodoItem', path))), [0, 0, 1, 0], 'what is newer here stays');
  assert.equal((await get('/tables/TodoItem/a')).text, 'cream');
  good(run('TodoItem', path, '--replace'));
  assert.equal((await get('/tables/TodoItem/a')).text, 'milk, "fresh"');
});

test("the guide's first commands are given as they stand there", () => {
  const [, commands] = readFileSync(join(root, 'docs/guide/importing.md'), 'utf8').match(/```\n(mandate import[^]*?)```/);
  const told = commands.trim().split('\n').map((line) => server.cli(...line.split(' ').slice(1)).stdout);
  assert.match(told[0], /^Would be inserted: 0, .*the same already: 2/);
  assert.match(told[1], /^Inserted: 0, .*the same already: 2/);
});

test('bad rows stop the import at their line, or are left out', async () => {
  const path = file('typed.csv', 'id,done,due,n\na,1,2014-05-06,1\nb,yes,,2\nc,0,,1\nd,0,,4\n');
  const stopped = run('Typed', path);
  assert.equal(stopped.status, 1);
  assert.match(stopped.stderr, /typed\.csv:3: The property 'done' must be true or false\./);
  assert.deepEqual(counts(JSON.parse(stopped.stdout)), [1, 0, 0, 1]);
  const skipped = run('Typed', path, '--skip-bad');
  assert.equal(skipped.status, 1);
  assert.equal(JSON.parse(skipped.stdout).same, 1);
  assert.match(skipped.stderr, /typed\.csv:3: .*\n.*typed\.csv:4: An item with the same 'n' exists already\./);
  assert.deepEqual((await get('/tables/Typed?$orderby=id')).map((row) => row.id), ['a', 'd']);

  assert.match(run('Typed', file('short.csv', 'id,n\na,1\nb\n')).stderr, /short\.csv: line 3: 1 fields where there are 2 columns/);
  assert.match(run('None', path).stderr, /There is no table 'None'/);
  assert.match(run('Typed', file('a.bacpac', 'PK\x03\x04')).stderr, /bcp -c/);
  assert.match(run('Typed', file('x.csv', 'id,Due Date\na,1\n')).stderr, /'Due Date'/);
  assert.equal(good(run('Typed', file('y.csv', 'id,Due Date,junk\ne,2015-01-01,x\n'), '--rename', 'Due Date=due', '--leave-out', 'junk')).inserted, 1);
  assert.equal((await get('/tables/Typed/e')).due, '2015-01-01T00:00:00.000Z');
});

test('a row of every type is seen to be the same', async () => {
  const path = file('every.csv', 'id,done,n,real,due,day,hour,key,bytes,doc,at,text,number,updatedAt\n'
    + 'a,1,9007199254740993,0.1,2014-05-06 09:08:09.123 +02:00,2014-05-06,07:08:09,{01234567-89AB-CDEF-0123-456789ABCDEF},0x616263,'
    + '"{""b"": [1, 2.50]}","{""type"":""Point"",""coordinates"":[7.5,51]}",\u00e9 \u{1F95B},1e300,2014-05-06\n');
  assert.deepEqual(counts(good(run('Every', path))), [1, 0, 0, 0]);
  const again = good(run('Every', path));
  assert.deepEqual([...counts(again), again.same], [0, 0, 0, 0, 1]);
  assert.equal((await get('/tables/Every/a')).updatedAt, '2014-05-06T00:00:00.000Z');
});

test('JSON lines and what bcp writes', async () => {
  const lines = file('many.jsonl', '{"id":"a","n":1.5,"when":"2014-05-06T07:08:09.123Z","ok":true}\n{"id":"b","n":null}\n');
  good(run('Many', lines));
  const row = await get('/tables/Many/a');
  assert.deepEqual([row.n, row.when, row.ok], [1.5, '2014-05-06T07:08:09.123Z', true]);

  const wide = Buffer.from('\uFEFF7\tse\u00e9\r\n41\t\r\n', 'utf16le');
  assert.deepEqual(counts(good(run('Old', file('old.dat', wide), '--format', 'bcp', '--header', 'id,text'))), [2, 0, 0, 0]);
  const headers = {'X-ZUMO-VERSION': '1.0'};
  assert.equal((await server.call('GET', '/v1/tables/Old/7', {headers})).json.text, 'se\u00e9');
  assert.equal((await server.call('POST', '/v1/tables/Old', {headers, body: {text: 'next'}})).json.id, 42);
});

test('more rows than one request holds, with those of another file behind them', async () => {
  const rows = (from, to) => Array.from({length: to - from}, (_, i) => `m${from + i},${from + i},${'x'.repeat(20)}\n`).join('');
  const first = file('first.csv', `id,number,text\n${rows(0, 2500)}`), second = file('second.csv', `id,number,text\n${rows(2400, 2600)}`);
  const told = good(server.cli('--json', 'import', '--table', 'Many', first, second));
  assert.deepEqual([...counts(told), told.same], [2600, 0, 0, 0, 100]);
  assert.deepEqual(told.files.map((one) => one.rows), [2500, 200]);
  assert.equal((await get('/tables/Many?$top=0&$inlinecount=allpages&$filter=number%20ge%200')).count, 2600);
  assert.match(server.cli('import', '--table', 'Many', second).stdout, /^Inserted: 0, updated: 0, the same already: 200\n$/);
});

test('files that are none, too long or empty are refused by place', async () => {
  assert.match(run('Many', file('none.csv', '')).stderr, /none\.csv: the file is empty/);
  assert.deepEqual(counts(good(run('Many', file('header.csv', 'id,n\n')))), [0, 0, 0, 0]);
  assert.match(run('Many', file('quote.csv', 'id,t\nq1,x\nq2,"y\nq3,z\n')).stderr, /quote\.csv: line 3: a quote is not closed/);
  assert.match(run('Many', file('long.csv', `id,t\nl1,x\nl2,${'y'.repeat(4 << 20)}\n`)).stderr, /long\.csv: line 3: the record is longer than 4 MB/);
  assert.match(run('Many', file('latin.csv', Buffer.from('id,t\nc1,caf\xe9\n', 'latin1'))).stderr, /latin\.csv: line 2: .*not UTF-8/);
  // Longer as JSON than in the file: found when it is to be sent.
  const quotes = file('quotes.csv', `id,t\nw1,x\nw2,${'\u0001'.repeat(750_000)}\nw3,y\n`);
  const skipped = run('Many', quotes, '--skip-bad');
  assert.match(skipped.stderr, /quotes\.csv:3: The row is longer than 4 MB\./);
  assert.deepEqual([skipped.status, ...counts(JSON.parse(skipped.stdout))], [1, 2, 0, 0, 1]);

  const broken = file('broken.jsonl', '{"id":"k1"}\n{"id":"k2"}\n{"id":\n{"id":"k4"}\n');
  const told = run('Many', broken);
  assert.equal(told.status, 1);
  assert.match(told.stderr, /broken\.jsonl: line 3: [^]*before that: 2 rows inserted, 0 updated; the same command may be given again/);
  assert.deepEqual((await get("/tables/Many?$filter=startswith(id,'k')&$orderby=id")).map((row) => row.id), ['k1', 'k2']);
});

test('rows that get an id are not said to come once when the command is given again', async () => {
  const path = file('nameless.csv', 'n,due\n11,2014-05-06\n12,2014-05-06\n13,no date\n14,2014-05-06\n');
  const stopped = server.cli('import', '--table', 'Typed', '--new-ids', path);
  assert.equal(stopped.status, 1);
  assert.match(stopped.stdout, /Stopped there: rows before line 4 are in, continue with the others; the same command would make rows without an id twice\./);
  const broken = run('Many', file('nameless.jsonl', '{"n":1}\n{"n":2}\n{"n":\n'), '--new-ids');
  assert.match(broken.stderr, /before that: 2 rows inserted, 0 updated; rows before line 3 are in, continue with the others/);
  assert.equal((await get('/tables/Typed?$filter=n%20gt%2010')).length, 2);
});

test('what the file says reaches the terminal as text', () => {
  const told = run('Many', file('codes.csv', 'id,\u009b2Jn\u007f,\u009b2Jn\u007f\na,1,2\n'));
  assert.match(told.stderr, /the column '\\u009b2Jn\\u007f' is there twice/);
});

test('what a table demands of a row counts, its rules and scripts do not', async () => {
  const ruled = file('ruled.csv', 'id,open,name\na,1,short\nb,0,also\nc,1,\nd,1,longer than ten\n');
  const told = run('Ruled', ruled, '--skip-bad');
  assert.match(told.stderr, /ruled\.csv:4: .*'name'.*\n.*ruled\.csv:5: .*'name'/);
  assert.deepEqual(counts(JSON.parse(told.stdout)), [2, 0, 0, 2]);
  assert.deepEqual((await get('/tables/Ruled')).map((row) => row.id), ['a'], 'the rules hide the other one from clients');

  const mine = run('Mine', file('mine.csv', 'id,userId,text\na,Custom:ana,x\nb,,y\n'), '--skip-bad');
  assert.match(mine.stderr, /mine\.csv:3: The row has no 'userId'/);
  assert.deepEqual(counts(JSON.parse(mine.stdout)), [1, 0, 0, 1]);
});

test('a script that decides about conflicts is not asked about a row that nobody changed', async () => {
  good(run('Asked', file('asked.csv', 'id,text,updatedAt,version\na,milk,2014-05-06 07:08:09,0x00000000000007D1\nb,milk,2014-05-06 07:08:09,0x00000000000007D2\n')));
  const steps = (id, version, text) => server.call('PATCH', `/v3/tables/Asked/${id}`, {headers: {'ZUMO-API-VERSION': '3.0.0', 'If-Match': `"${version}"`, 'Content-Type': 'application/json-patch+json'},
    body: [{op: 'replace', path: '/text', value: text}]});
  const change = (id, version, text) => server.call('PATCH', `/tables/Asked/${id}`, {headers: {...v2, 'If-Match': `"${version}"`}, body: {text}});
  for (const [id, version, send] of [['a', 'AAAAAAAAB9E=', change], ['b', 'AAAAAAAAB9I=', steps]]) {
    const first = await send(id, version, 'cream');
    assert.deepEqual([first.status, first.json.text, first.json.by], [200, 'cream', 'script'], first.text);
    const second = await send(id, version, 'butter');
    assert.deepEqual([second.status, second.json.text], [200, 'cream+butter'], second.text);
  }
});

test('a request that fails is told with what is known of its rows', async () => {
  const path = file('half.csv', 'id,n\na,1\nb,2\nc,3\n'), socket = join(server.directory, 'half.sock');
  const done = {inserted: 1, updated: 0, kept: 0, same: 0, refused: 0, faults: [], stopped: false, columns: []};
  const cases = [
    [200, {...done, failure: {line: 3, message: 'The server cannot write at the moment.'}}, [],
      /half\.csv:3: The server cannot write at the moment\.\n.*before that: 1 rows inserted, 0 updated, and perhaps some more; the same command may be given again/],
    [200, {...done, failure: {line: 3, message: 'No.'}}, ['--new-ids'], /and perhaps some more; rows before line 3 are in, which of the others are, nobody knows/],
    [500, {error: 'server_error', message: 'Broken.'}, [], /half\.csv: Broken\.\n.*some rows may be in; the same command may be given again/],
    [200, 'none', [], /the server's answer is none\n.*some rows may be in/],
    [400, {error: 'invalid_request', message: 'Refused.'}, [], /half\.csv: Refused\.\n$/],
  ];
  for (const [status, answer, more, expected] of cases) {
    const half = createServer((request, response) => request.resume().on('end', () => response.writeHead(status).end(JSON.stringify(answer))));
    await once(half.listen(socket), 'listening');
    const command = spawn(join(server.build, 'cli/mandate'), ['--socket', socket, 'import', '--table', 'Half', ...more, path], {stdio: ['ignore', 'ignore', 'pipe']});
    let said = '';
    command.stderr.on('data', (d) => (said += d));
    const [code] = await once(command, 'close');
    await new Promise((resolve) => half.close(resolve));
    assert.equal(code, 1, said);
    assert.match(said, expected);
  }
});

test('a server that dies in the middle has every row once when the command is given again', async () => {
  const total = 6000, path = file('cut.csv', `id,n,updatedAt,version\n${Array.from({length: total}, (_, i) => `c${i},${i},2014-05-06 07:08:09,${i + 1}\n`).join('')}`);
  const command = spawn(join(server.build, 'cli/mandate'), ['--socket', join(server.data, 'admin.sock'), 'import', '--table', 'Cut', path], {stdio: ['ignore', 'ignore', 'pipe']});
  const ended = once(command, 'exit');
  let said = '';
  command.stderr.on('data', (d) => (said += d));
  const count = async (filter = '') => (await get(`/tables/Cut?$top=0&$inlinecount=allpages${filter}`)).count;
  while (await count() === 0) assert.equal(command.exitCode, null, said);
  await server.kill();
  const [status] = await ended;
  assert.notEqual(status, 0);
  assert.match(said, /cut\.csv: .*\n.*the same command may be given again/);
  await server.start();
  const before = await count();
  assert.ok(before > 0 && before < total, `${before} rows`);
  const {inserted, kept, refused} = good(run('Cut', path));
  assert.deepEqual([inserted, kept, refused], [total - before, 0, 0]);
  assert.equal(await count(), total);
  assert.equal(await count('&$filter=n%20ge%203000'), total / 2);
  const change = (id, version) => server.call('PATCH', `/tables/Cut/${id}`, {headers: {...v2, 'If-Match': `"${version}"`}, body: {n: -1}});
  assert.deepEqual([(await change('c0', '1')).status, (await change(`c${total - 1}`, `${total}`)).status, (await change('c5', '7')).status], [200, 200, 412]);
});
