// The load walks on PostgreSQL: nodes on core 0, the database on core 1 beside wrk (a machine with more cores would give it
// one of its own), sharing round trips against not, one, two and three nodes; each figure beside pgbench on the same cluster.
//   ./dev bench postgres [seconds per run = 4] [runs = 3]
import {execFileSync, spawnSync} from 'node:child_process';
import {copyFileSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {bad, k, load, loadAll, lua, median, row, runs, scratch, seconds} from './driver.mjs';

process.env.MANDATE_BUILD ??= 'build/release';
process.env.MANDATE_STORE_UNDER_TEST = 'postgres';
const {Mandated, signIn} = await import('../tests/live/harness.mjs');
const {startPostgres} = await import('../tests/support/postgres.mjs');
const {tenant, ana} = await import('../tests/compat/tenant.mjs');
const {refreshWalk} = await import('./refresh.mjs');

const database = await startPostgres({fsync: true, settings: ['max_connections = 200', 'shared_buffers = 256MB']});
const bin = execFileSync('pg_config', ['--bindir'], {encoding: 'utf8'}).trim();
/** The server's processes, its connections among them, on core 1. */
const pin = () => {
  const head = Number(readFileSync(`${database.directory}/data/postmaster.pid`, 'utf8').split('\n')[0]);
  spawnSync('taskset', ['-acp', '1', String(head)]);
  for (const child of readFileSync(`/proc/${head}/task/${head}/children`, 'utf8').trim().split(' ')) spawnSync('taskset', ['-cp', '1', child]);
};

// What pgbench reaches with 64 clients on core 0.
const peerUrl = await database.createDatabase();
execFileSync(`${bin}/pgbench`, ['-i', '-q', '-s', '5', peerUrl], {stdio: 'ignore'});
pin();
const pgbench = (kind) => median(Array.from({length: runs}, () => {
  const told = execFileSync('taskset', ['-c', '0', `${bin}/pgbench`, kind, '-n', '-M', 'prepared', '-c', '64', '-j', '1', '-T', String(seconds), peerUrl], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
  return Number(told.match(/tps = ([\d.]+)/)[1]);
}));
const reads = pgbench('-S'), writes = pgbench('-N');
row('pgbench -S, 64 clients', k(reads), 'tps', '', 'one SELECT by key each');
row('pgbench -N, 64 clients', k(writes), 'tps', '', 'UPDATE, SELECT and INSERT in a transaction each, fsync on');

class Node extends Mandated {
  async start() {
    await super.start();
    spawnSync('taskset', ['-acp', '0', String(this.child.pid)]);
    return this;
  }
}
const text = () => tenant().replace('hosts: [localhost]', 'hosts: [localhost]\n  issuer_host: "localhost:{{port}}"');
const env = {MANDATE_RATE_DELEGATION: '1000000000', MANDATE_RATE_TOKEN: '1000000000'};

/** A person's token for the tables of `node`. */
async function visitor(node) {
  const location = await signIn(node, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(`${node.base}/mobile`)}&state=s`,
    ana.email, ana.password, (l) => l.startsWith(`${node.base}/mobile#`));
  const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  const trade = JSON.stringify({client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend', api_type: 'wams', scope: 'openid'});
  const delegated = await node.call('POST', '/delegation', {body: trade, headers: {'Content-Type': 'application/json'}});
  if (delegated.status !== 200) throw new Error(delegated.text);
  const host = {Host: `localhost:${node.port}`};
  return {host, trade, zumo: {...host, 'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'}};
}
async function fill(node, headers) {
  let id;
  for (let i = 0; i < 2000; ++i) {
    const made = await node.call('POST', '/tables/plain', {plain: true, headers, body: JSON.stringify({text: `row ${i}`, complete: i % 2 === 0, rank: i})});
    if (made.status !== 201) throw new Error(made.text);
    id = made.json.id;
  }
  return id;
}
const against = (rate, peer, name) => `${(rate / peer).toFixed(2)} of ${name}`;
const oneRow = '{"text":"a row of the bench","complete":false,"rank":7}';

async function walks(together) {
  const title = together === 1 ? 'each for itself' : 'sharing round trips';
  const node = await new Node({tenant: text(), args: ['--loops', '1', '--store-together', String(together)], env}).start();
  const base = `http://127.0.0.1:${node.port}`, pids = [node.child.pid];
  const {host, trade, zumo} = await visitor(node), json = {...zumo, 'Content-Type': 'application/json'};
  const id = await fill(node, json);
  pin();
  const byId = load(`${base}/tables/plain/${id}`, lua('GET', zumo), {pids});
  row(`read by id, ${title}`, k(byId.rate), 'req/s', against(byId.rate, reads, 'pgbench -S'), bad(byId));
  const list = load(`${base}/tables/plain?$filter=complete%20eq%20false%20and%20rank%20gt%20100&$orderby=rank%20desc&$top=50`, lua('GET', zumo), {pids});
  row(`list of 50, ${title}`, k(list.rate), 'req/s', '', `of 2,000 rows, no index; ${bad(list)}`);
  const insert = load(`${base}/tables/plain`, lua('POST', json, oneRow), {pids});
  row(`durable insert, ${title}`, k(insert.rate), 'rows/s', against(insert.rate, writes, 'pgbench -N'), bad(insert));
  const delegation = load(`${base}/delegation`, lua('POST', {...host, 'Content-Type': 'application/json'}, trade), {pids});
  row(`delegation RS256 → HS256, ${title}`, k(delegation.rate), 'req/s', '', bad(delegation));
  const mine = load(`${base}/oauth/token`, lua('POST', {...host, 'Content-Type': 'application/json'},
    JSON.stringify({grant_type: 'client_credentials', client_id: 'worker', client_secret: 'worker-secret-worker-secret-worker-secret', audience: 'https://orders.example'})), {pids});
  row(`client_credentials ES256, ${title}`, k(mine.rate), 'req/s', '', bad(mine));
  await refreshWalk(node, title, host, {pids, peer: (rate) => against(rate, writes, 'pgbench -N')});
  await node.stop();
}
await walks(1);
await walks(256);

// Several nodes share core 0: what they cost together shows, not what more cores would give.
const first = await new Node({tenant: text(), args: ['--loops', '1'], env}).start();
const visit = await visitor(first), id = await fill(first, {...visit.zumo, 'Content-Type': 'application/json'});
const nodes = [first];
for (const count of [1, 2, 3]) {
  while (nodes.length < count) {
    const node = new Node({store: first.store, args: ['--loops', '1'], env});
    copyFileSync(join(first.directory, 'master.key'), join(node.directory, 'master.key'));
    nodes.push(await node.start());
  }
  pin();
  const pids = nodes.map((node) => node.child.pid);
  const at = (path, script) => nodes.map((node) => ({url: `http://127.0.0.1:${node.port}${path}`, lua: script}));
  const byId = await loadAll(at(`/tables/plain/${id}`, lua('GET', visit.zumo)), {pids});
  row(`read by id, ${count} node${count > 1 ? 's' : ''}`, k(byId.rate), 'req/s', against(byId.rate, reads, 'pgbench -S'), bad(byId));
  const insert = await loadAll(at('/tables/plain', lua('POST', {...visit.zumo, 'Content-Type': 'application/json'}, oneRow)), {pids});
  row(`durable insert, ${count} node${count > 1 ? 's' : ''}`, k(insert.rate), 'rows/s', against(insert.rate, writes, 'pgbench -N'), bad(insert));
}
for (const node of nodes.reverse()) await node.stop();

await database.end();
rmSync(scratch, {recursive: true, force: true});
