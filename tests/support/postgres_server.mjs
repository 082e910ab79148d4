// Keeps one private PostgreSQL for the process that started this one, and leaves nothing of it behind, however that
// process ends: when stdin ends, the server is stopped and its directory removed.
//
//   node postgres_server.mjs [--fsync] [--tls] [--set 'name = value']… [--standby-of URL --name NAME]
//
// It first says "ok PORT PASSWORD DIRECTORY". Then each line in is a command, each line out "ok …" or "failed …":
//   start · stop fast|immediate · kill9 · signal STOP|CONT · promote · database · drop DATABASE · configure NAME = VALUE
// The server listens on 127.0.0.1:PORT and on a socket in DIRECTORY. It knows two users with that password: the
// superuser postgres, and mandate, who may nothing but owns what "database" makes.
import {execFile, execFileSync, spawn} from 'node:child_process';
import {createHash, randomBytes, randomInt} from 'node:crypto';
import {appendFileSync, chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import readline from 'node:readline';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {parseArgs, promisify} from 'node:util';

const {values: wish} = parseArgs({options: {
  fsync: {type: 'boolean', default: false}, tls: {type: 'boolean', default: false}, set: {type: 'string', multiple: true, default: []},
  'standby-of': {type: 'string'}, name: {type: 'string', default: 'standby'},
}});
const primary = wish['standby-of'];
const bin = binaries();
const someone = unprivileged();
const directory = mkdtempSync(join(tmpdir(), 'mandate-pg-'));
const data = join(directory, 'data'), logFile = join(directory, 'log'), lockFile = join(data, 'postmaster.pid');
const password = primary ? new URL(primary).password : randomBytes(16).toString('hex');
let superPassword = password, port = 0, databases = 0, child, ended;

/** The folder of initdb and postgres: Debian keeps it out of PATH. */
function binaries() {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').sort((a, b) => b - a) : [];
  const folders = versions.map((v) => `/usr/lib/postgresql/${v}/bin`);
  try { folders.unshift(execFileSync('pg_config', ['--bindir'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim()); } catch { /* not there */ }
  const found = folders.find((f) => existsSync(join(f, 'initdb')));
  if (!found) throw new Error('no PostgreSQL on this machine: ./dev install');
  return found;
}

/** PostgreSQL refuses to run as root: then the user it is run as. */
function unprivileged() {
  if (process.getuid() !== 0) return undefined;
  const id = (flag, name) => execFileSync('id', [flag, name], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).trim();
  for (const name of ['postgres', 'nobody'])
    try { return {uid: Number(id('-u', name)), gid: Number(id('-g', name))}; } catch { /* no such user */ }
  throw new Error('neither a user postgres nor a user nobody');
}

/** What runs a program as that user; it ends when this process does, even by SIGKILL. */
const asSomeone = ['--pdeathsig', 'QUIT', ...(someone ? ['--reuid', someone.uid, '--regid', someone.gid, '--clear-groups'] : []), '--'].map(String);
const mine = (path) => { if (someone) chownSync(path, someone.uid, someone.gid); };
const quoted = (value) => `'${String(value).replaceAll("'", "''")}'`;

async function tool(name, args, env = {}) {
  try {
    const {stdout} = await promisify(execFile)('setpriv', [...asSomeone, join(bin, name), ...args], {cwd: directory, env: {...process.env, LC_ALL: 'C', ...env}});
    return stdout.trim();
  } catch (error) { throw new Error(`${name}: ${(error.stderr || error.message).trim()}`); }
}

/** As the superuser; not waiting for a synchronous standby, which may not be there yet. */
const sql = (...statements) => tool('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', ...statements.flatMap((s) => ['-c', s])],
  {PGHOST: '127.0.0.1', PGPORT: port, PGUSER: 'postgres', PGPASSWORD: superPassword, PGDATABASE: 'postgres', PGOPTIONS: '-c synchronous_commit=local'});

const configure = (...lines) => appendFileSync(join(data, 'postgresql.conf'), lines.map((l) => `${l}\n`).join(''));

const initdbOptions = ['--no-sync', '--no-instructions', '--wal-segsize=1', '--locale=C.UTF-8', '--encoding=UTF8', '-U', 'postgres', '--auth=scram-sha-256'];

/** What initdb made once for this user and this PostgreSQL, never started, with the password it has. ./dev clean removes it. */
const template = join(dirname(fileURLToPath(import.meta.url)), '../../build', 'postgres-' + createHash('sha256')
  .update([process.getuid(), someone?.uid, bin, statSync(join(bin, 'postgres')).mtimeMs, ...initdbOptions].join('\n')).digest('hex').slice(0, 12));

/** Most of a start would be initdb. False when there is nothing to copy yet. */
async function copied() {
  try {
    superPassword = readFileSync(join(template, 'password'), 'utf8');
    await promisify(execFile)('cp', ['-a', join(template, 'data'), data]);
    return true;
  } catch {
    rmSync(data, {recursive: true, force: true});
    return false;
  }
}

async function initdb() {
  const secret = join(directory, 'password'), making = `${template}.${process.pid}`;
  superPassword = randomBytes(16).toString('hex');
  writeFileSync(secret, superPassword, {mode: 0o600});
  mine(secret);
  await tool('initdb', ['-D', data, ...initdbOptions, `--pwfile=${secret}`]);
  try {
    mkdirSync(making, {recursive: true, mode: 0o700});
    await promisify(execFile)('cp', ['-a', data, secret, making]);
    renameSync(making, template);
  } catch {  // another one was faster, or there is no such folder for us
    rmSync(making, {recursive: true, force: true});
  }
  rmSync(secret);
}

async function make() {
  mine(directory);
  if (primary) {
    await tool('pg_basebackup', ['-D', data, '-d', primary, '-X', 'stream', '-c', 'fast', '--no-sync']);
    writeFileSync(join(data, 'standby.signal'), '');
    mine(join(data, 'standby.signal'));
    const {hostname, port: at} = new URL(primary);
    configure(`primary_conninfo = 'host=${hostname} port=${at} user=postgres password=${password} application_name=${wish.name}'`,
      "synchronous_standby_names = ''");  // the primary's wish, not that of what may follow it
  } else {
    if (!(await copied())) await initdb();
    // mmap: shared memory in the data directory, so that nothing stays in /dev/shm after a kill.
    configure("listen_addresses = '127.0.0.1'", 'dynamic_shared_memory_type = mmap', 'shared_buffers = 64MB', 'wal_keep_size = 128MB',
      'wal_receiver_status_interval = 1s', 'wal_retrieve_retry_interval = 200ms', 'jit = off', "timezone = 'UTC'");
  }
  configure(`fsync = ${wish.fsync ? 'on' : 'off'}`, `unix_socket_directories = ${quoted(directory)}`);
  if (wish.tls) certify();
  configure(...wish.set);
}

function certify() {
  const key = join(directory, 'server.key'), certificate = join(directory, 'server.crt');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', certificate], {stdio: 'pipe'});
  mine(key), mine(certificate);
  configure('ssl = on', `ssl_key_file = ${quoted(key)}`, `ssl_cert_file = ${quoted(certificate)}`);
}

/** A port below those the kernel gives away by itself, so that it is still free when the server is started again. */
function freePort() {
  return new Promise((done, fail) => {
    const tried = randomInt(15000, 32000), probe = net.createServer();
    probe.once('error', (error) => (error.code === 'EADDRINUSE' ? freePort().then(done, fail) : fail(error)));
    probe.listen(tried, '127.0.0.1', () => probe.close(() => done(tried)));
  });
}

const log = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');

/** Resolves when the server takes connections: it says so in its lock file. */
async function start() {
  if (child) throw new Error('the server runs already');
  const before = log().length, out = openSync(logFile, 'a');
  const server = spawn('setpriv', [...asSomeone, join(bin, 'postgres'), '-D', data, '-p', String(port)], {cwd: directory, stdio: ['ignore', out, out]});
  closeSync(out);
  child = server;
  ended = new Promise((done) => server.once('exit', () => { if (child === server) child = undefined; done(); }));
  for (const until = Date.now() + 60_000; ; await pause(5)) {
    if (!child) throw new Error(`the server ended: ${log().slice(before)}`);
    if (Date.now() > until) throw new Error(`the server does not get ready: ${log().slice(before)}`);
    const lines = existsSync(lockFile) ? readFileSync(lockFile, 'utf8').split('\n') : [];
    if (Number(lines[0]) === server.pid && lines[7]?.trim() === 'ready') return;
  }
}

/** The server's process and those it made. */
function processes() {
  if (!child) return [];
  const all = [child.pid];
  for (const entry of readdirSync('/proc').filter((e) => /^\d+$/.test(e)))
    try {
      if (Number(readFileSync(`/proc/${entry}/stat`, 'utf8').match(/^.*\) \S (\d+)/)[1]) === child.pid) all.push(Number(entry));
    } catch { /* gone meanwhile */ }
  return all;
}

const lives = (pid) => { try { return !/^.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; } };
const signalAll = (signal) => { for (const pid of processes()) try { process.kill(pid, signal); } catch { /* gone meanwhile */ } };

/** All of its processes at once, as when the machine dies. */
async function kill9() {
  if (!child) return;
  child.kill('SIGSTOP');  // so that it makes no new ones
  const all = processes(), over = ended;
  signalAll('SIGKILL');
  await over;
  while (all.some(lives)) await pause(2);
  const segment = existsSync(lockFile) && readFileSync(lockFile, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1];
  if (segment) try { execFileSync('ipcrm', ['-m', segment], {stdio: 'ignore'}); } catch { /* the server may have removed it */ }
}

async function stop(mode) {
  if (!child) return;
  const over = ended;
  signalAll('SIGCONT');
  child.kill(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
  const patience = new AbortController();
  await Promise.race([over, pause(20_000, undefined, {signal: patience.signal}).catch(() => {})]);
  patience.abort();
  if (child) { await kill9(); throw new Error(`it had to be killed: ${log().slice(-2000)}`); }
}

const commands = {
  start,
  stop,
  kill9,
  signal: (name) => signalAll(`SIG${name}`),
  promote: async () => { if (await sql('select pg_promote(true, 60)') !== 't') throw new Error('not promoted'); },
  database: async () => {
    const name = `m${++databases}`;
    await sql(`create database ${name} owner mandate template template0 encoding 'UTF8' locale 'C.UTF-8'`);
    return `postgres://mandate:${password}@127.0.0.1:${port}/${name}`;
  },
  drop: (name) => sql(`drop database ${name} with (force)`),
  configure: (line) => { configure(line); child?.kill('SIGHUP'); },
};

const oneLine = (text) => String(text ?? '').replace(/\s*\n\s*/g, ' | ');
const say = (text) => process.stdout.write(`${oneLine(text)}\n`);

async function end(code) {
  process.stdout.on('error', () => {});
  await stop('immediate').catch((error) => console.error(error.message));
  rmSync(directory, {recursive: true, force: true, maxRetries: 5});
  process.exit(code);
}

process.stdout.on('error', () => {});  // nobody listens any more: stdin has ended too
let over = false;
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => { over = true; end(1); });
const input = readline.createInterface({input: process.stdin});
let turn = (async () => {
  await make();
  for (let tries = 1; ; ++tries) {
    port = await freePort();
    try { await start(); break; } catch (error) { if (tries === 5 || !/already in use/.test(error.message)) throw error; }
  }
  if (!primary) await sql(`create role mandate login password ${quoted(password)}`, `alter role postgres password ${quoted(password)}`);
  superPassword = password;
  say(`ok ${port} ${password} ${directory}`);
})().catch((error) => { say(`failed ${oneLine(error.message)}`); return end(1); });
input.on('line', (line) => {
  const [verb] = line.split(' ', 1), rest = line.slice(verb.length + 1);
  turn = turn.then(async () => {
    if (over) return;
    try {
      if (!Object.hasOwn(commands, verb)) throw new Error(`no command ${verb}`);
      say(`ok ${oneLine(await commands[verb](rest))}`.trim());
    } catch (error) { say(`failed ${oneLine(error.message)}`); }
  });
});
input.on('close', () => { turn = turn.then(() => (over ? undefined : end(0))); });
