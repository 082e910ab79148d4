// The mobile backend's walks, beside npm azure-mobile-apps 4.0.2 on the same machine: the server under load alone on core 0, wrk
// on core 1; requests a second and processor time by request of each, and the ratio of those times.
//   ./dev bench mobile [seconds a run = 3] [runs = 3] [rows = 100000] [pulled = 170000]
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import {k, load as driven, lua, median, row, runs, scratch, seconds, spent, wrkOnce} from './driver.mjs';

process.env.MANDATE_BUILD ??= 'build/release';
const {Mandated, root} = await import('../tests/live/harness.mjs');
const rows = Number(process.argv[4] ?? 100_000), pulled = Number(process.argv[5] ?? 170_000);
const key = 'a key of the bench, of thirty-two bytes and more';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = Math.floor(Date.now() / 1000), issuer = 'urn:microsoft:windows-azure:zumo';
const unsigned = `${encoded({alg: 'HS256', typ: 'JWT'})}.${encoded({sub: 'sid:ana', iss: issuer, aud: issuer, iat: now, exp: now + 86_400, ver: '3'})}`;
const token = `${unsigned}.${createHmac('sha256', key).update(unsigned).digest('base64url')}`;

// While wrk runs this process stands still, and servers close what is idle: connections are of one walk.
let agent;
const connect = () => (agent?.destroy(), agent = new http.Agent({keepAlive: true, maxSockets: 64}));
connect();
function call(server, method, path, body) {
  return new Promise((done, fail) => {
    const text = body && JSON.stringify(body);
    const request = http.request({host: 'localhost', port: server.port, method, path, agent, headers: {...server.headers, ...(text ? {'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text)} : {})}}, (answer) => {
      const parts = [];
      answer.on('data', (d) => parts.push(d)).on('error', fail).on('end', () => {
        const told = Buffer.concat(parts).toString();
        if (answer.statusCode >= 300) return fail(new Error(`${method} ${path}: ${answer.statusCode} ${told}`));
        done(JSON.parse(told));
      });
    });
    request.on('error', fail);
    request.end(text);
  });
}

/** The peer's storage as a native module, compiled once from the sources that the server embeds. */
function nativeSqlite() {
  const at = join(root, 'build/bench-peer/node_modules');
  if (existsSync(join(at, 'better-sqlite3/build/Release/better_sqlite3.node'))) return;
  mkdirSync(at, {recursive: true});
  for (const name of ['better-sqlite3', 'bindings', 'file-uri-to-path']) cpSync(join(root, 'node_modules', name), join(at, name), {recursive: true});
  const modules = execFileSync('npm', ['root', '-g'], {encoding: 'utf8'}).trim().split('\n').pop();
  const gyp = [join(modules, 'npm/node_modules/node-gyp/bin/node-gyp.js'), '/usr/share/nodejs/node-gyp/bin/node-gyp.js'].find(existsSync);
  if (gyp) spawnSync(process.execPath, [gyp, 'rebuild', '--release', '--nodedir=/usr'], {cwd: join(at, 'better-sqlite3'), stdio: 'ignore'});
}

async function startPeer() {
  nativeSqlite();
  const child = spawn('taskset', ['-c', '0', process.execPath, join(root, 'bench/peer.cjs'), join(scratch, 'peer.db'), key, String(rows), String(pulled)], {stdio: ['ignore', 'pipe', 'inherit']});
  const port = await new Promise((done, fail) => {
    child.stdout.on('data', (d) => done(Number(d)));
    child.once('exit', () => fail(new Error('the peer ended')));
  });
  return {name: 'azure-mobile-apps', port, pids: () => [child.pid], headers: {'ZUMO-API-VERSION': '2.0.0', 'X-ZUMO-AUTH': token}, stop: () => child.kill('SIGKILL'), host: {}};
}

async function startOurs() {
  const columns = {text: 'string', complete: 'boolean', rank: {type: 'number', index: true}, userId: 'string'};
  const table = {permissions: 'public', soft_delete: true, columns, dialect: 'v2'};
  const script = 'function insert(item, user, request) { item.userId = user.userId; request.execute(); }';
  const server = await new Mandated({args: ['--loops', '1'], tenant: JSON.stringify({tenant: 'bench', settings: {hosts: ['localhost']}, services: {default: {v2_signing_keys: [key],
    tables: {items: table, pulled: table, fresh: table, scripted: {...table, permissions: 'authenticated', scripts: {insert: script}}}}}})}).start();
  spawnSync('taskset', ['-acp', '0', String(server.child.pid)]);
  const pids = () => [server.child.pid, ...readdirSync(`/proc/${server.child.pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${server.child.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number))];
  const ours = {name: 'mandated', port: server.port, pids, headers: {'ZUMO-API-VERSION': '2.0.0', 'X-ZUMO-AUTH': token}, stop: () => server.stop(), host: {Host: `localhost:${server.port}`}};
  for (const [name, count] of [['items', rows], ['pulled', pulled]]) {
    let next = 0;
    const writer = async () => {
      for (let from; (from = next) < count;) {
        next += 100;
        const requests = Array.from({length: Math.min(100, count - from)}, (_, i) => ({id: String(i), method: 'POST', url: name,
          body: {id: `row${from + i}`, text: `row ${from + i}`, complete: (from + i) % 2 === 1, rank: from + i, userId: 'sid:ana'}}));
        const {responses} = await call({...ours, headers: {...ours.headers, Prefer: 'continue-on-error'}}, 'POST', '/tables/$batch', {requests});
        const failed = responses.find((r) => r.status !== 201);
        if (failed) throw new Error(JSON.stringify(failed));
      }
    };
    await Promise.all(Array.from({length: 4}, writer));
  }
  return ours;
}

const json = {'Content-Type': 'application/json'};
const item = '{"text":"a row of the bench","complete":false,"rank":7}';

/** Each row is updated once, with the version it has. */
async function versionsOf(server) {
  connect();
  const file = join(scratch, `${server.name}.versions`), lines = [];
  for (let skip = 0; skip < rows; skip += 1000) {
    const page = await call(server, 'GET', `/tables/items?$select=id,version&$orderby=id&$skip=${skip}&$top=1000`);
    for (const {id, version} of page) lines.push(`${id} ${version}`);
  }
  writeFileSync(file, lines.join('\n'));
  return {file, count: lines.length};
}
function updates(server, {file, count}) {
  const share = Math.floor(count / runs), all = [];
  for (let run = 0; run < runs; ++run) {
    all.push(wrkOnce(`http://127.0.0.1:${server.port}/tables/items`, `
local rows = {}
for line in io.lines("${file}") do rows[#rows + 1] = line end
local at = ${run * share}
${lua('PATCH', {...server.headers, ...server.host, ...json})}
request = function()
  at = at + 1
  local id, version = rows[at % #rows + 1]:match("(%S+) (%S+)")
  wrk.headers["If-Match"] = '"' .. version .. '"'
  return wrk.format("PATCH", "/tables/items/" .. id, nil, '{"text":"again","rank":' .. at .. '}')
end`, server.pids(), Math.max(1, Math.min(seconds, 3))));
  }
  if (all.some((r) => r.requests > share)) console.log(`# ${server.name}: more updates than rows, the rest were 412`);
  return {rate: median(all.map((r) => r.rate)), micros: median(all.map((r) => r.micros)), errors: all.reduce((n, r) => n + r.errors, 0)};
}

/** One client, page after page of 50 from the largest stamp seen, as the JavaScript SDK pulls; at most a minute. */
async function pull(server) {
  connect();
  const began = performance.now(), before = spent(server.pids()), seen = new Set();
  let stamp = '1970-01-01T00:00:00.000Z', skip = 0, whole = true;
  for (;;) {
    const page = await call(server, 'GET', `/tables/pulled?$filter=(updatedAt%20ge%20datetimeoffset'${stamp}')&$orderby=updatedAt&$skip=${skip}&$top=50&__includeDeleted=true`);
    if (!page.length) break;
    for (const one of page) seen.add(one.id);
    const last = page.at(-1).updatedAt;
    skip = last === stamp ? skip + page.length : 0;
    stamp = last;
    if (performance.now() - began > 60_000) { whole = false; break; }
  }
  const time = (performance.now() - began) / 1000;
  return {rows: seen.size, seconds: time, rate: seen.size / time, micros: (spent(server.pids()) - before) / seen.size, errors: 0, whole};
}

/** A server goes on with requests whose client has gone; the next walk begins when it has none left. */
async function quiet(server) {
  for (let before = spent(server.pids()), after; ; before = after) {
    await new Promise((done) => setTimeout(done, 300));
    after = spent(server.pids());
    if (after - before < 30_000) return;  // a tenth of a core
  }
}

async function walks(server) {
  const base = `http://127.0.0.1:${server.port}`, out = {};
  const load = (path, script) => driven(base + path, script, {pids: server.pids()});
  const headers = {...server.headers, ...server.host};
  out['read by id'] = load('/tables/items/row777', lua('GET', headers));
  out['filtered list of 50 with a total'] = load(`/tables/items?$filter=(complete%20eq%20false)%20and%20(rank%20gt%201000)&$orderby=rank%20desc&$top=50&$inlinecount=allpages`, lua('GET', headers));
  await quiet(server);
  out['insert'] = load('/tables/fresh', lua('POST', {...headers, ...json}, item));
  out['update with If-Match'] = updates(server, await versionsOf(server));
  connect();
  await call(server, 'POST', '/tables/scripted', {text: 'the first starts what runs scripts'});
  await quiet(server);
  out['insert with a script'] = load('/tables/scripted', lua('POST', {...headers, ...json}, item));
  if (server.name === 'mandated') {
    const requests = Array.from({length: 100}, (_, i) => ({id: String(i), method: 'POST', url: 'fresh', body: JSON.parse(item)}));
    const batch = driven(`${base}/tables/$batch`, lua('POST', {...headers, ...json, Prefer: 'continue-on-error'}, JSON.stringify({requests})), {connections: 8, pids: server.pids()});
    out['batch of 100 inserts, a row'] = {...batch, rate: batch.rate * 100, micros: batch.micros / 100};
  } else {
    out['batch of 100 inserts, a row'] = out.insert;  // it has no batch: a hundred inserts
  }
  out['pull of all, 50 a page, a row'] = await pull(server);
  return out;
}

console.log(`${rows.toLocaleString('en')} rows, ${pulled.toLocaleString('en')} to pull; ${runs} runs of ${seconds} s, medians; ratio: processor time of theirs / ours`);
const peer = await startPeer(), theirs = await walks(peer);
peer.stop();
const server = await startOurs(), ours = await walks(server);
for (const [name, mine] of Object.entries(ours)) {
  const yours = theirs[name];
  row(name, k(mine.rate), '/s', `${k(yours.rate)}/s, ratio ${(yours.micros / mine.micros).toFixed(1)}`,
    `${mine.micros.toFixed(1)} µs, ${yours.micros.toFixed(1)} µs of CPU each${mine.errors || yours.errors ? `; errors ${mine.errors}, ${yours.errors}` : ''}`);
}
const mine = ours['pull of all, 50 a page, a row'], yours = theirs['pull of all, 50 a page, a row'];
row('pull of all', mine.seconds.toFixed(1), 's', yours.whole ? `${yours.seconds.toFixed(1)} s` : `${yours.rows.toLocaleString('en')} rows in the first minute`, `${mine.rows.toLocaleString('en')} rows; must < 60 s`);
agent.destroy();
await server.stop();
rmSync(scratch, {recursive: true, force: true});
