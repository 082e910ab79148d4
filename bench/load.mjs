// The four walks and their neighbours under load: server on core 0, wrk on core 1, medians of several runs, each figure
// beside a floor or peer measured in the same minute. Prints a table; measures nothing it does not print.
//   ./dev bench [seconds per run = 4] [runs = 3]
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';
import {bad, k, load as driven, lua, median, row, scratch} from './driver.mjs';

process.env.MANDATE_BUILD ??= 'build/release';
const {Mandated, root, signIn} = await import('../tests/live/harness.mjs');
const {tenant, ana} = await import('../tests/compat/tenant.mjs');
const {refreshWalk} = await import('./refresh.mjs');

/** The processes under load. */
let measured = [];
const load = (url, script = '', connections = 64) => driven(url, script, {connections, pids: measured});

/** Operations a second of `openssl speed` on core 0. */
function openssl(algorithm, column) {
  const told = execFileSync('taskset', ['-c', '0', 'openssl', 'speed', '-seconds', '2', algorithm], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
  const line = told.trim().split('\n').pop().trim().split(/\s+/);
  return Number(line[line.length - (column === 'sign' ? 2 : 1)]);
}

/** What SQLite alone does with the same file or disk on core 0, a second. */
const bare = (what, where) => Number(execFileSync('taskset', ['-c', '0', join(root, 'build/release/bench/bare_sqlite'), what, where], {encoding: 'utf8'}));

// nginx, one worker on core 0, 60-byte JSON by `return 200`.
const health = '{"status":"ok","service":"mandated","version":"0.1.0","up":1}';
const nginxPort = 18000 + Math.floor(Math.random() * 2000);
writeFileSync(join(scratch, 'nginx.conf'), `worker_processes 1; worker_cpu_affinity 01; daemon off; pid ${scratch}/nginx.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path ${scratch}/b; proxy_temp_path ${scratch}/p; fastcgi_temp_path ${scratch}/f; uwsgi_temp_path ${scratch}/u; scgi_temp_path ${scratch}/s;
  server { listen 127.0.0.1:${nginxPort}; location / { return 200 '${health}'; } } }`);
const nginx = spawn('taskset', ['-c', '0', 'nginx', '-e', '/dev/null', '-c', join(scratch, 'nginx.conf')], {stdio: 'ignore'});
await new Promise((r) => setTimeout(r, 300));
measured = [nginx.pid, ...readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ').map(Number)];
const peer = load(`http://127.0.0.1:${nginxPort}/`);
measured = [];
nginx.kill();
row('nginx return 200, 60-byte JSON', k(peer.rate), 'req/s', '', `the peer of the same minute; ${bad(peer)}`);

// Time from exec to the first answer, with an existing database.
class Pinned extends Mandated {
  async start() {
    await super.start();
    spawnSync('taskset', ['-acp', '0', String(this.child.pid)]);
    return this;
  }
}
// One issuer for both schemes: the person signs in over TLS, wrk asks in the clear.
const server = await new Pinned({tenant: tenant().replace('hosts: [localhost]', 'hosts: [localhost]\n  issuer_host: "localhost:{{port}}"'), args: ['--loops', '1'], env: {MANDATE_RATE_DELEGATION: '1000000000', MANDATE_RATE_TOKEN: '1000000000'}}).start();
await server.kill('SIGTERM');
const starts = [];
for (let i = 0; i < 5; ++i) {
  const began = performance.now();
  server.tenant = undefined;
  await server.start();
  await server.call('GET', '/health', {plain: true});
  starts.push(performance.now() - began);
  if (i < 4) await server.kill('SIGTERM');
}
const rss = () => Number(readFileSync(`/proc/${server.child.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
row('exec to first answer', Math.round(median(starts)), 'ms', 'must < 100, aim 40');
row('idle memory (RSS, no scripts)', rss().toFixed(1), 'MB', 'must < 40, aim 20');

const base = `http://127.0.0.1:${server.port}`;
const host = {Host: `localhost:${server.port}`};
const ratio = (r, of, name, must, aim) => `${(r.rate / of).toFixed(2)} of ${name} (must ${must}, aim ${aim})`;

measured = [server.child.pid];
const floor = load(`${base}/health`);
row('60-byte answer through the router', k(floor.rate), 'req/s', ratio(floor, peer.rate, 'nginx', 1.2, 1.4), bad(floor, peer.micros));

// A person, a token, some rows.
const location = await signIn(server, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(`${server.base}/mobile`)}&state=s`,
  ana.email, ana.password, (l) => l.startsWith(`${server.base}/mobile#`));
const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
const delegationBody = JSON.stringify({client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend', api_type: 'wams', scope: 'openid'});
const delegated = await server.call('POST', '/delegation', {body: delegationBody, headers: {'Content-Type': 'application/json'}});
if (delegated.status !== 200) throw new Error(delegated.text);
const zumo = {...host, 'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'};
let id;
for (let i = 0; i < 2000; ++i) {
  const made = await server.call('POST', '/tables/plain', {plain: true, headers: {...zumo, 'Content-Type': 'application/json'}, body: JSON.stringify({text: `row ${i}`, complete: i % 2 === 0, rank: i})});
  if (made.status !== 201) throw new Error(made.text);
  id = made.json.id;
}
const byId = load(`${base}/tables/plain/${id}`, lua('GET', zumo));
row('authenticated read by id', k(byId.rate), 'req/s', ratio(byId, peer.rate, 'nginx', 0.45, 0.75), bad(byId, peer.micros));
const list = load(`${base}/tables/plain?$filter=complete%20eq%20false%20and%20rank%20gt%20100&$orderby=rank%20desc&$top=50`, lua('GET', zumo));
const bareLists = bare('list', join(server.data, 'compat.db'));
row('filtered, ordered list of 50', k(list.rate), 'req/s', `${(list.rate / bareLists).toFixed(2)} of bare SQLite step + JSON (must 0.5, aim 0.8)`,
  `${k(bareLists)} bare; of 2,000 rows, no index; ${bad(list, 1e6 / bareLists)}`);

const json = {...zumo, 'Content-Type': 'application/json'};
const syncs = execFileSync('taskset', ['-c', '0', join(root, 'build/release/bench/fdatasync_rate'), server.data], {encoding: 'utf8'}).trim();
const insert = load(`${base}/tables/plain`, lua('POST', json, '{"text":"a row of the bench","complete":false,"rank":7}'), 64);
const bareInserts = bare('insert', server.data);
row('durable insert, 64 clients', k(insert.rate), 'rows/s', `${(insert.rate / bareInserts).toFixed(2)} of bare group commit (must 0.5, aim 0.8)`,
  `${k(bareInserts)} bare; ${(insert.rate / Number(syncs)).toFixed(1)} × fdatasync/s (${k(Number(syncs))}); ${bad(insert)}`);
// The script processes are there after a first call; they run on the server's core and count with it.
await server.call('POST', '/tables/TodoItem', {plain: true, headers: json, body: '{"text":"the first"}'});
for (const task of readdirSync(`/proc/${server.child.pid}/task`))
  measured.push(...readFileSync(`/proc/${server.child.pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number));
const scripted = load(`${base}/tables/TodoItem`, lua('POST', json, '{"text":"a row of the bench","complete":false}'), 64);
row('insert with script, 64 clients', k(scripted.rate), 'rows/s', `${(scripted.rate / insert.rate).toFixed(2)} of insert without (must 0.75, aim 0.9)`, bad(scripted));
measured = [server.child.pid];

const rsaVerify = openssl('rsa2048', 'verify'), ecSign = openssl('ecdsap256', 'sign'), rsaSign = openssl('rsa2048', 'sign');
const delegation = load(`${base}/delegation`, lua('POST', {...host, 'Content-Type': 'application/json'}, delegationBody));
row('delegation RS256 → HS256, uncached', k(delegation.rate), 'req/s', `${(delegation.rate / rsaVerify).toFixed(2)} of openssl RSA-2048 verify (must 0.35, aim 0.5)`, bad(delegation, 1e6 / rsaVerify));
for (const [alg, audience, ops, name] of [['ES256', 'https://orders.example', ecSign, 'P-256 sign'], ['RS256', 'https://rs256.example', rsaSign, 'RSA-2048 sign']]) {
  const r = load(`${base}/oauth/token`, lua('POST', {...host, 'Content-Type': 'application/json'}, JSON.stringify({grant_type: 'client_credentials', client_id: 'worker', client_secret: 'worker-secret-worker-secret-worker-secret', audience})));
  row(`client_credentials, ${alg}`, k(r.rate), 'req/s', `${(r.rate / ops).toFixed(2)} of openssl ${name} (${alg === 'ES256' ? 'must 0.35, aim 0.5' : 'no target'})`, bad(r, 1e6 / ops));
}
await refreshWalk(server, 'ES256', host, {pids: measured});
const check = load(`${base}/tables/plain/none`, lua('GET', zumo));
row('token check (read of an absent row)', k(check.rate), 'req/s', ratio({rate: check.rate}, peer.rate, 'nginx', '–', '–'), `${check.micros.toFixed(1)} µs of CPU each`);
row('memory after the load (RSS)', rss().toFixed(1), 'MB');
await server.stop();
rmSync(scratch, {recursive: true, force: true});
