// Runs the whole test suite, or the parts named: room names, "wire", "fuzz", "live", "compat". Parts that meet a whole server
// run once for each engine of MANDATE_ENGINES, e.g. sqlite,postgres. The pieces of the parts (a share of a GoogleTest binary,
// a file of tests) run side by side in MANDATE_LANES lanes (one a processor), the longest first.
// Prints one line a part, always in the same order, and ends with "N passed, N failed".
import {spawn} from 'node:child_process';
import {chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync} from 'node:fs';
import {availableParallelism, tmpdir} from 'node:os';
import {basename, dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = join(root, process.env.MANDATE_BUILD ?? 'build/dev');
const wanted = process.argv.slice(2);
const lanes = Number(process.env.MANDATE_LANES || availableParallelism());
if (!(lanes >= 1)) throw new Error(`MANDATE_LANES: ${process.env.MANDATE_LANES}`);

const known = ['sqlite', 'postgres'];
const engines = (process.env.MANDATE_ENGINES ?? known.join(',')).split(',');
for (const engine of engines) if (!known.includes(engine)) throw new Error(`MANDATE_ENGINES: ${engine} is none of ${known.join(', ')}`);
/** Parts whose tests take the engine from MANDATE_STORE_UNDER_TEST. */
const onEachEngine = ['wire', 'live', 'compat'];
/** Files of those parts that are the same on every engine, and why: they run with the first one alone. */
const once = {'docs.test.mjs': 'nothing is stored there', 'example_cluster.test.mjs': 'it has a PostgreSQL of its own',
  'nodes.test.mjs': 'it has a PostgreSQL of its own', 'cluster_faults.test.mjs': 'it has a PostgreSQL of its own',
  'failover.test.mjs': 'it has a PostgreSQL of its own', 'service_nodes.test.mjs': 'it has a PostgreSQL of its own', 'mixed_versions.test.mjs': 'it has a PostgreSQL of its own'};
/** About how many seconds a binary (all of it, on SQLite) or a file takes; 5 where nothing is said. Only the order depends on it. */
const seconds = {fault: 320, scripts: 80, wire: 60, conformance: 45, tenant: 33, tables: 28, delegation: 18, oauth: 12, http: 10, management: 70,
  'cluster_faults.test.mjs': 60, 'upgrade.test.mjs': 50, 'nodes.test.mjs': 45, 'move.test.mjs': 45, 'kill.test.mjs': 40, 'crowd.test.mjs': 35,
  'scripts.test.mjs': 20, 'hostile_bodies.test.mjs': 20, 'overload.test.mjs': 15, 'failover.test.mjs': 15, 'reload.test.mjs': 12, 'client-suite.test.mjs': 60, 'client-offline.test.mjs': 15, 'pull.test.mjs': 8, 'service.test.mjs': 20, 'service_nodes.test.mjs': 30, 'example_cluster.test.mjs': 12};
/** A binary is cut into shares of about so long. */
const share = 20;
/** Pieces that measure the machine: nothing runs beside them. */
const alone = new Set(process.env.MANDATE_FIGURES ? readdirSync(join(root, 'tests/live')) : []);

// What tests leave in their temporary directory goes with this one. In memory where there is room: their databases sync often,
// and no test is about a machine that loses its power (those of tests/fault cut it inside the process).
const roomInMemory = () => { try { const {bavail, bsize} = statfsSync('/dev/shm'); return bavail * bsize > 4e9; } catch { return false; } };
const scratch = mkdtempSync(join(process.env.TMPDIR || !roomInMemory() ? tmpdir() : '/dev/shm', 'mandate-tests-'));
chmodSync(scratch, 0o711);  // PostgreSQL runs as another user
process.on('exit', () => rmSync(scratch, {recursive: true, force: true, maxRetries: 5}));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const parts = [];  // in the order they are printed: {title, pieces, notes}

/** A part for each engine; `cut(title, env, first)` gives its pieces: {cost, name, command, args, env, limit, counts(result)}. */
function part(name, cut, notes = () => []) {
  if (wanted.length && !wanted.includes(name)) return;
  for (const [at, engine] of (onEachEngine.includes(name) ? engines : ['sqlite']).entries()) {
    const title = engine === 'sqlite' ? name : `${name} (${engine})`;
    const pieces = cut(title, {MANDATE_STORE_UNDER_TEST: engine}, at === 0);
    if (pieces.length) parts.push({title, pieces, notes: notes(at === 0), left: pieces.length, good: 0, bad: 0, seconds: 0, output: []});
  }
}

const executables = (folder, prefix) =>
  existsSync(folder) ? readdirSync(folder).filter((f) => f.startsWith(prefix) && !f.includes('.')).sort().map((f) => join(folder, f)) : [];
const scripts = (folder) => existsSync(join(root, folder)) ? readdirSync(join(root, folder)).filter((f) => f.endsWith('.test.mjs')).sort().map((f) => join(root, folder, f)) : [];

function googletest(path) {
  const name = basename(path).replace(/^test_/, ''), cost = seconds[name] ?? 5, shards = Math.ceil(cost / share);
  part(name, (title, env) => Array.from({length: shards}, (_, at) => {
    const json = join(scratch, `${title}.${at}.json`);
    return {
      name, cost: cost / shards, command: path, args: [`--gtest_output=json:${json}`, '--gtest_brief=1'],
      env: {...env, ...(shards > 1 ? {GTEST_TOTAL_SHARDS: shards, GTEST_SHARD_INDEX: at} : {})},
      counts() {
        if (!existsSync(json)) return {good: 0, bad: 0};
        const told = JSON.parse(readFileSync(json, 'utf8')), bad = told.failures + told.errors;
        return {bad, good: told.tests - told.failures - told.disabled};
      },
    };
  }));
}

function nodetest(name, files, limit) {
  part(name, (title, env, first) => files.filter((file) => first || !(basename(file) in once)).map((file) => ({
    name: basename(file), cost: seconds[basename(file)] ?? 5, command: 'node', args: ['--test', '--test-reporter=tap', file], env, limit,
    counts({output}) {
      const number = (word) => Number(output.match(new RegExp(`^# ${word} (\\d+)`, 'm'))?.[1] ?? 0);
      return {good: number('pass'), bad: number('fail') + number('cancelled') + number('skipped') + number('todo')};  // nothing is skipped silently
    },
  })), (first) => files.map((file) => basename(file)).filter((file) => !first && file in once).map((file) => `left out: ${file}, ${once[file]}`));
}

for (const path of executables(join(build, 'tests'), 'test_')) googletest(path);
for (const path of executables(join(build, 'tests/fuzz'), 'fuzz_')) {
  if (wanted.length && !wanted.includes('fuzz')) continue;
  const name = basename(path).replace(/^fuzz_/, '');
  parts.push({title: `fuzz corpus ${name}`, left: 1, good: 0, bad: 0, seconds: 0, output: [], notes: [], pieces: [
    {name, cost: 1, command: path, args: [join(root, 'tests/fuzz/corpus', name)], env: {}, counts: ({code}) => ({good: code === 0 ? 1 : 0, bad: code === 0 ? 0 : 1})}]});
}
nodetest('live', scripts('tests/live'), Number(process.env.MANDATE_LIVE_LIMIT ?? 1_200_000));
nodetest('compat', scripts('tests/compat'), 1_200_000);

function run({command, args, env, limit = 900_000}, lane) {
  const tmp = mkdtempSync(join(scratch, 't'));
  chmodSync(tmp, 0o711);
  return new Promise((done) => {
    const child = spawn(command, args.map(String), {cwd: root, stdio: ['ignore', 'pipe', 'pipe'],
      // Ports for servers that come back on the port they had: below those the kernel gives away, and no other lane's.
      env: {...process.env, ...env, TMPDIR: tmp, MANDATE_TEST_PORTS: String(10_000 + lane * 500)}});
    let output = '';
    child.stdout.on('data', (d) => (output += d));
    child.stderr.on('data', (d) => (output += d));
    const timer = setTimeout(() => { output += '\n(killed: took longer than its limit)\n'; child.kill('SIGKILL'); }, limit);
    const end = (result) => { clearTimeout(timer); rmSync(tmp, {recursive: true, force: true, maxRetries: 5}); done(result); };
    child.on('close', (code, signal) => end({code, signal, output}));
    child.on('error', (error) => end({code: 127, output: String(error)}));
  });
}

let passed = 0, failed = 0, printed = 0;
function print({title, good, bad, seconds, output, notes}) {
  passed += good;
  failed += bad;
  console.log(`${bad ? 'FAIL' : 'ok  '} ${title.padEnd(24)} ${String(good).padStart(5)} passed ${bad ? `${bad} failed ` : ''}(${seconds.toFixed(1)} s)`);
  for (const piece of output) {
    if (piece.bad) console.log(piece.text.split('\n').slice(-120).join('\n'));
    for (const line of piece.text.split('\n')) if (/^(# )?left out: /.test(line)) console.log(`     ${line.replace(/^# /, '')}`);
  }
  for (const note of notes) console.log(`     ${note}`);
}

async function perform({part, piece, at}, lane) {
  const begun = performance.now();
  const result = await run(piece, lane);
  const took = (performance.now() - begun) / 1000;
  let {good, bad} = piece.counts(result);
  if (result.code !== 0 && bad === 0) bad = 1;  // crashed, or a sanitizer spoke
  part.good += good, part.bad += bad, part.seconds += took, part.output[at] = {bad, text: result.output};
  if (process.env.MANDATE_TIMES) console.error(`     ${took.toFixed(1).padStart(6)} s  ${part.title}: ${piece.name} ${piece.env.GTEST_SHARD_INDEX ?? ''}`);
  --part.left;
  for (; printed < parts.length && parts[printed].left === 0; ++printed) print(parts[printed]);
}

const all = parts.flatMap((part) => part.pieces.map((piece, at) => ({part, piece, at})));
const waiting = all.filter(({piece}) => !alone.has(piece.name)).sort((a, b) => b.piece.cost - a.piece.cost);
await Promise.all(Array.from({length: lanes}, async (_, lane) => { for (let next; (next = waiting.shift());) await perform(next, lane); }));
for (const one of all.filter(({piece}) => alone.has(piece.name))) await perform(one, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
