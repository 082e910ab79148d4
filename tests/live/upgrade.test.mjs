// RL-11: one mandated after the other takes over the listening sockets under constant load, and no request fails: none is
// refused, reset, answered 5xx or lost, on kept connections and fresh ones, plain and TLS. The two are builds of different
// versions, to and fro, the newer one with a migration that the older one can live with.
// MANDATE_SWAPS (6) is 20 in the specification, MANDATE_RATE (requests a second) 1000.
import assert from 'node:assert/strict';
import {spawn, spawnSync} from 'node:child_process';
import {rmSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import {join} from 'node:path';
import test from 'node:test';
import tls from 'node:tls';
import {ana, tenant} from '../compat/tenant.mjs';
import {bothReleased, current, engine, figure, Mandated, next, sqliteTest} from './harness.mjs';

const swaps = Number(process.env.MANDATE_SWAPS ?? 6), rate = Number(process.env.MANDATE_RATE ?? (bothReleased ? 300 : 100));
const wait = (ms) => new Promise((r) => setTimeout(r, ms));
const quick = {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1', MANDATE_RATE_RO: '100000', MANDATE_RATE_DELEGATION: '100000'};
const body = {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'};

const until = async (what, holds, limit = 20_000) => {
  for (const end = performance.now() + limit; !holds(); await wait(10)) assert.ok(performance.now() < end, `waited in vain: ${what}`);
};
/** Until the server has accepted that many. */
const accepted = async (server, count) => {
  for (const end = performance.now() + 20_000; ; await wait(10)) {
    const text = await (await fetch(`http://127.0.0.1:${server.metricsPort}/metrics`, {headers: {Connection: 'close'}})).text();
    if (Number(text.match(/^mandate_http_connections (\d+)/m)?.[1] ?? 0) > count) return;  // we ask over one more
    assert.ok(performance.now() < end, `not accepted: ${count}`);
  }
};
const trade = async (server) => {
  const {id_token} = (await server.call('POST', '/oauth/ro', {body})).json;
  const grant = {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'};
  return (await server.call('POST', '/delegation', {body: grant})).json.id_token;
};

test(`${swaps} upgrades between two versions at ${rate} requests a second: none is refused, reset, failed or lost`, async () => {
  const server = await new Mandated({release: bothReleased, tenant: tenant(), env: quick, args: ['--loops', '2', '--drain-limit', '15s', '--script-children', '1']}).start();
  const zumo = await trade(server);
  const headers = {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'};
  const keptTls = new https.Agent({keepAlive: true, maxSockets: 24}), keptPlain = new http.Agent({keepAlive: true, maxSockets: 24});
  const once = new http.Agent({keepAlive: false});
  const call = (agent, ...what) => {
    const plain = !(agent instanceof https.Agent) && agent !== undefined;
    server.agent = agent;  // taken up before the call gives control back
    const answer = server.call(what[0], what[1], {...what[2], plain});
    server.agent = undefined;
    return answer;
  };
  const acknowledged = new Set();
  const insert = async (agent, id) => {
    const answer = await call(agent, 'POST', '/tables/plain', {headers, body: {id, text: id}});
    if (answer.status === 201) acknowledged.add(id);
    return answer;
  };
  const works = [
    ['row, kept TLS', (i) => insert(keptTls, `t${i}`)],
    ['keys, kept plain', () => call(keptPlain, 'GET', '/.well-known/jwks.json')],
    ['row, kept plain', (i) => insert(keptPlain, `p${i}`)],
    ['health, fresh plain', () => call(once, 'GET', '/health')],
    ['rows, kept TLS', () => call(keptTls, 'GET', '/tables/plain?$top=1', {headers})],
    ['keys, fresh TLS', () => call(undefined, 'GET', '/.well-known/jwks.json')],
    ['login, kept TLS', () => call(keptTls, 'POST', '/oauth/ro', {body})],
    ['row, fresh plain', (i) => insert(once, `f${i}`)],
    ['rows, kept plain', () => call(keptPlain, 'GET', '/tables/plain?$top=1', {headers})],
    ['scripted rows, kept plain', () => call(keptPlain, 'GET', '/tables/TodoItem?$top=1', {headers})],
  ];
  const failed = [], running = new Set(), times = [];
  let sent = 0, stop = false;
  const begun = performance.now();
  const load = (async () => {
    for (let i = 0; !stop; ++i) {
      const due = begun + (i * 1000) / rate - performance.now();
      if (due > 0) await wait(due);
      const [name, work] = works[i % works.length], from = performance.now();
      ++sent;
      const one = work(i).then((a) => { if (a.status >= 300) failed.push(`${name}: ${a.status} ${a.text.slice(0, 200)}`); }, (e) => failed.push(`${name}: ${e.code} ${e.message}`))
        .finally(() => { times.push(performance.now() - from); running.delete(one); });
      running.add(one);
      if (running.size > 200) await Promise.race(running);  // the machine is slower than the rate
    }
    await Promise.all(running);
  })();

  const ended = [];
  await wait(500);
  for (let i = 0; i < swaps; ++i) {
    server.program = i % 2 ? current : next;
    const before = await server.upgrade();
    ended.push(before.exited);
    await wait(process.env.MANDATE_FIGURES ? 2500 : 500);  // each start takes a second of a core, which the load needs as well
  }
  stop = true;
  await load;
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(server.version(), swaps % 2 ? '0.2.0' : '0.1.0');
  keptTls.destroy();
  keptPlain.destroy();
  for (const outcome of await Promise.all(ended)) assert.deepEqual(outcome, {code: 0, signal: null}, server.lines.filter((l) => !l.startsWith('{')).join('\n'));
  const stored = new Set();
  for (let skip = 0, page; skip === 0 || page.length; skip += 1000) {
    page = (await server.call('GET', `/tables/plain?$top=1000&$skip=${skip}&$select=id`, {headers})).json;
    for (const {id} of page) stored.add(id);
  }
  const lost = [...acknowledged].filter((id) => !stored.has(id));
  const held = server.lines.filter((l) => l.includes('"handover.held"')).map((l) => JSON.parse(l).ms);
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))]);
  console.log(`# ${engine}: ${sent} requests (${Math.round(sent / seconds)} a second) over ${swaps} upgrades: ${failed.length} failed, ${lost.length} of ${acknowledged.size} acknowledged rows lost; ms: median ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}${held.length ? `; held for at most ${Math.max(...held)}` : ''}`);
  assert.deepEqual(failed.slice(0, 5), []);
  assert.deepEqual(lost, []);
  assert.equal(held.length, engine === 'sqlite' ? swaps : 0);
  figure(at(1) < 3000, `a request took ${at(1)} ms`);
  await server.stop();
});

test('what is half sent when the other takes over is answered, over TLS and plain, measured and in chunks; so is the owner', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick, args: ['--loops', '2', '--drain-limit', '10s', '--metrics-port', '0']}).start();
  const text = JSON.stringify(body), half = text.length / 2 | 0;
  const head = `POST /oauth/ro HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/json\r\n`;
  const chunk = (part) => `${part.length.toString(16)}\r\n${part}\r\n`;
  const ways = [
    ['measured', `${head}Content-Length: ${text.length}\r\n\r\n${text.slice(0, half)}`, text.slice(half)],
    ['in chunks', `${head}Transfer-Encoding: chunked\r\n\r\n${chunk(text.slice(0, half))}`, `${chunk(text.slice(half))}0\r\n\r\n`],
    ['half a head', head, `Content-Length: ${text.length}\r\n\r\n${text}`],
    ['silent', '', `${head}Content-Length: ${text.length}\r\n\r\n${text}`],
  ];
  const owner = net.connect(join(server.data, 'admin.sock'));
  const peers = [];
  for (const secure of [false, true])
    for (const [name, first, rest] of ways) {
      const socket = secure ? tls.connect({port: server.port, host: '127.0.0.1', servername: 'localhost', ca: server.ca}) : net.connect(server.port, '127.0.0.1');
      await new Promise((done) => socket.once(secure ? 'secureConnect' : 'connect', done));
      if (first) socket.write(first);
      peers.push({name: `${name}${secure ? ', TLS' : ''}`, socket, rest});
    }
  await accepted(server, peers.length + 1);
  await server.call('GET', '/health');
  const before = await server.upgrade();
  const again = await server.upgrade();  // and what the first of them still hears goes a longer way
  owner.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  for (const {name, socket, rest} of [...peers, {name: 'owner', socket: owner, rest: ''}]) {
    let got = '';
    socket.on('data', (d) => (got += d));
    const closed = new Promise((done) => socket.once('close', done));
    socket.write(rest);
    await closed;
    assert.match(got, /^HTTP\/1\.1 200 /, `${name}: ${got}`);
    assert.match(got, /connection: close/i, name);
  }
  for (const {exited} of [before, again]) assert.deepEqual(await exited, {code: 0, signal: null});
  assert.equal(server.cli('status').status, 0);
  await server.stop();
});

test('a new process that cannot start leaves the old one serving', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick}).start();
  const pid = server.child.pid, zumo = await trade(server);
  const row = (id) => server.call('POST', '/tables/plain', {headers: {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'}, body: {id}});
  const kept = server.agent = new https.Agent({keepAlive: true, maxSockets: 1});
  assert.equal((await row('before')).status, 201);
  await assert.rejects(server.upgrade('--no-such-option', '1'), /ended \(2\)/);
  await assert.rejects(server.upgrade('--certificate', '/dev/null', '--key', '/dev/null'), /ended \(1\)/);
  // It has the sockets, and on SQLite the files, before it finds that it cannot open its data.
  const failing = assert.rejects(server.upgrade('--store', 'postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2'), /ended \(1\)/);
  const meanwhile = [];
  for (let i = 0; i < 20; ++i) { meanwhile.push(row(`meanwhile${i}`)); await wait(20); }
  await failing;
  for (const answer of await Promise.all(meanwhile)) assert.equal(answer.status, 201, answer.text);
  assert.equal((await row('after')).status, 201);
  assert.equal(server.child.pid, pid);
  assert.equal(server.version(), '0.1.0', 'its owner is heard as before');
  kept.destroy();
  server.agent = undefined;
  assert.deepEqual(await (await server.upgrade()).exited, {code: 0, signal: null});  // and another one may try
  assert.equal((await row('later')).status, 201);
  await server.stop();
});

/** Writes rows, one after the other on each of a few connections, until stop(); gives what was acknowledged and what failed. */
function writing(server, zumo) {
  const acknowledged = [], failed = [], agent = new https.Agent({keepAlive: true, maxSockets: 8});
  let going = true, n = 0;
  const one = async () => {
    while (going) {
      const id = `w${++n}`;
      server.agent = n % 4 ? agent : undefined;  // some on a fresh connection
      const answer = server.call('POST', '/tables/plain', {headers: {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'}, body: {id}});
      server.agent = undefined;
      await answer.then((a) => (a.status === 201 ? acknowledged.push(id) : failed.push(`${id}: ${a.status} ${a.text}`)), (e) => failed.push(`${id}: ${e.code} ${e.message}`));
      await wait(20);
    }
  };
  const all = Promise.all(Array.from({length: 6}, one));
  return {acknowledged, failed, stop: async () => { going = false; await all; agent.destroy(); }};
}

async function stored(server, zumo) {
  const ids = new Set(), headers = {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'};
  for (let skip = 0, page; skip === 0 || page.length; skip += 1000) {
    page = (await server.call('GET', `/tables/plain?$top=1000&$skip=${skip}&$select=id`, {headers})).json;
    for (const {id} of page) ids.add(id);
  }
  return ids;
}

test('a newer version killed after it has migrated leaves the old one serving, on data of both', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick, args: ['--loops', '2']}).start();
  server.apply('tenant: second\nsettings:\n  hosts: [second.localhost]\n');
  const zumo = await trade(server), pid = server.child.pid, load = writing(server, zumo);
  server.program = next;
  // Of three stores that it opens: nothing is migrated, the first, two. On PostgreSQL it is one step for all.
  for (const dies of engine === 'sqlite' ? [1, 2, 3] : [1]) {
    server.env = {...quick, NEXT_DIES_AT: String(dies)};
    await assert.rejects(server.upgrade(), /ended \(SIGKILL\)/);
  }
  server.env = quick;
  // At any instant of its coming, until it is so late that it serves.
  let killed = 0, served = false;
  for (let after = 5; !served; after += 10 + Math.floor(after / 4)) {
    const coming = server.beginUpgrade(), begun = () => server.lines.filter((l) => l.includes('"handover.begun"')).length, had = begun();
    let here = false;
    coming.serves.then(() => (here = true), () => {});
    await until('the hand-over', () => begun() > had || here);
    await wait(after);
    coming.child.kill('SIGSTOP');
    await wait(50);  // what it had said before arrives
    if (here || server.lines.some((l) => l.includes('"handover.done"'))) {
      coming.child.kill('SIGCONT');
      await coming.serves;
      served = true;
      assert.deepEqual(await server.exited, {code: 0, signal: null}, server.lines.slice(-20).join('\n'));
      ({child: server.child, exited: server.exited} = coming);
    } else {
      coming.child.kill('SIGKILL');
      await coming.exited;
      ++killed;
      assert.equal(server.child.pid, pid);
    }
  }
  await wait(300);
  await load.stop();
  console.log(`# killed at ${killed} instants, ${load.acknowledged.length} rows acknowledged meanwhile`);
  assert.deepEqual(load.failed.slice(0, 5), []);
  const ids = await stored(server, zumo);
  assert.deepEqual(load.acknowledged.filter((id) => !ids.has(id)), []);
  assert.equal(server.version(), '0.2.0');
  assert.equal(server.cli('check').status, 0);
  await server.stop();
});

test('an older version refuses, with status 3 and a clear line, what a newer one has changed for good, and the newer one goes on', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick}).start();
  server.program = next;
  server.env = {...quick, NEXT_STEP: 'breaking'};
  await (await server.upgrade()).exited;
  const zumo = await trade(server);
  server.program = current;
  server.env = quick;
  await assert.rejects(server.upgrade(), /ended \(3\)[\s\S]*written by a newer version: it knows the step identity\/9002_laces/);
  assert.equal((await server.call('GET', '/tables/plain', {headers: {'X-ZUMO-AUTH': zumo, 'ZUMO-API-VERSION': '2.0.0'}})).status, 200);
  assert.equal(server.version(), '0.2.0');
  await server.stop();
});

sqliteTest('requests in flight that do not end keep the old process, and all are answered', async () => {
  const slow = tenant().replace('function read(query, user, request) {', 'function read(query, user, request) { if (request.parameters.slow) return setTimeout(() => request.execute(), 3000);');
  const server = await new Mandated({tenant: slow, env: quick, args: ['--handover-limit', '300ms']}).start();
  const pid = server.child.pid, headers = {'X-ZUMO-AUTH': await trade(server), 'ZUMO-API-VERSION': '2.0.0'};
  const begun = server.call('GET', '/tables/TodoItem?slow=1', {headers});
  await wait(800);  // the script has begun
  const failing = assert.rejects(server.upgrade(), /did not end in time/);
  await until('the hand-over', () => server.lines.some((l) => l.includes('handover.begun')));
  const meanwhile = await Promise.all(Array.from({length: 10}, () => server.call('GET', '/tables/plain', {headers})));
  for (const answer of meanwhile) assert.equal(answer.status, 200);
  await failing;
  assert.equal((await begun).status, 200);
  assert.equal(server.child.pid, pid);
  await server.stop();
});

test('who has left stays for those it has accepted, whatever it is told, and no longer', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick, args: ['--metrics-port', '0']}).start();
  const idle = net.connect(server.port, '127.0.0.1');
  await new Promise((done) => idle.once('connect', done));
  await accepted(server, 1);
  const before = await server.upgrade();
  await until('the old one to retire', () => server.lines.some((l) => l.includes('"retiring"')));
  before.child.kill('SIGTERM');
  let got = '';
  idle.on('data', (d) => (got += d));
  idle.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await new Promise((done) => idle.once('close', done));
  assert.match(got, /^HTTP\/1\.1 200 /);
  assert.deepEqual(await before.exited, {code: 0, signal: null});
  await server.stop();
});

test('`mandate upgrade` starts the new one and tells the supervisor which it is', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick}).start();
  const command = [join(server.build, 'src/mandated'), '--data-dir', server.data, '--port', String(server.port), '--master-key-file', join(server.directory, 'master.key'),
    ...(server.store ? ['--store', server.store] : [])];
  const run = (...args) => new Promise((done) => {
    const child = spawn(join(server.build, 'cli/mandate'), ['upgrade', '--', ...args], {cwd: server.directory, env: {...process.env, ...quick}, stdio: ['ignore', 'pipe', 'ignore']});
    let said = '';
    child.stdout.on('data', (d) => (said += d));
    child.once('exit', (code) => done({code, said, out: child.stdout}));
  });
  assert.equal((await run(...command, '--no-such-option', '1')).code, 2);
  assert.equal((await run('/no/such/program')).code, 127);
  assert.equal((await server.call('GET', '/health')).status, 200);
  const {code, said, out} = await run(...command);
  assert.equal(code, 0);
  assert.deepEqual(await server.exited, {code: 0, signal: null});
  assert.equal((await server.call('GET', '/health')).status, 200);
  const ended = new Promise((done) => out.once('close', done));  // the new one holds its end
  process.kill(Number(said.match(/^mandated (\d+) serves/)[1]), 'SIGTERM');
  await ended;
  rmSync(server.directory, {recursive: true, force: true});
});

const activated = spawnSync('systemd-socket-activate', ['--version']).status === 0 ? test : (name) => console.log(`left out: "${name}", systemd's programs are not installed`);
activated("systemd's own program for it starts a server on the first connection, which is answered", async () => {
  const free = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => free.once('listening', done));
  const {port} = free.address();
  await new Promise((done) => free.close(done));
  const server = new Mandated({env: quick});
  // It hands down of the environment what it is told to.
  const child = spawn('systemd-socket-activate', ['--listen', `127.0.0.1:${port}`, '--fdname', 'public', '-E', 'PATH', ...Object.keys(quick).flatMap((name) => ['-E', name]),
    join(server.build, 'src/mandated'), '--data-dir', server.data, '--master-key-file', join(server.directory, 'master.key')],
  {cwd: server.directory, stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, ...quick}});
  let said = '';
  child.stderr.on('data', (d) => (said += d));
  const exited = new Promise((done) => child.once('exit', (code, signal) => done({code, signal})));
  await until('systemd-socket-activate to listen', () => /Listening on/.test(said));
  const status = await new Promise((done, fail) => http.get(`http://127.0.0.1:${port}/health`, {agent: false}, (a) => { a.resume(); done(a.statusCode); }).once('error', fail));
  assert.equal(status, 200, said);
  child.kill('SIGTERM');
  assert.deepEqual(await exited, {code: 0, signal: null}, said);
  rmSync(server.directory, {recursive: true, force: true});
});

const asRoot = process.getuid() === 0 ? test : (name) => console.log(`left out: "${name}", only root can be somebody else`);
asRoot('a process of another user gets no sockets', async () => {
  const server = await new Mandated({tenant: tenant(), env: quick}).start();
  spawnSync('chmod', ['-R', 'a+rwX', server.directory]);
  const other = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', join(server.build, 'src/mandated'), '--take-over', '--port', String(server.port),
    '--data-dir', join(server.directory, 'theirs'), '--handover-socket', join(server.data, 'handover.sock')], {encoding: 'utf8', cwd: server.directory});
  assert.equal(other.status, 1, other.stderr);
  assert.match(other.stderr, /another user/);
  assert.equal((await server.call('GET', '/health')).status, 200);
  spawnSync('chmod', ['-R', 'go-rwx', server.directory]);
  await server.stop();
});
