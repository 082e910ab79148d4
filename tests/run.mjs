// Runs the whole test suite, or the parts named: room names, "wire", "fuzz", "compat", "demo".
// Parts that meet a whole server run once for each engine of MANDATE_ENGINES, e.g. sqlite,postgres.
// Prints one line a part and ends with "N passed, N failed".
import {spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const build = join(root, process.env.MANDATE_BUILD ?? 'build/dev');
const wanted = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'mandate-tests-'));
let passed = 0, failed = 0;

const known = ['sqlite', 'postgres'];
const engines = (process.env.MANDATE_ENGINES ?? known.join(',')).split(',');
for (const engine of engines) if (!known.includes(engine)) throw new Error(`MANDATE_ENGINES: ${engine} is none of ${known.join(', ')}`);
/** Parts whose tests take the engine from MANDATE_STORE_UNDER_TEST. */
const onEachEngine = ['wire', 'live', 'compat'];
/** Files of those parts that are the same on every engine, and why: they run with the first one alone. */
const once = {'docs.test.mjs': 'nothing is stored there', 'example_cluster.test.mjs': 'it has a PostgreSQL of its own',
  'nodes.test.mjs': 'it has a PostgreSQL of its own', 'cluster_faults.test.mjs': 'it has a PostgreSQL of its own',
  'failover.test.mjs': 'it has a PostgreSQL of its own'};
/** How often to run a part: its name as printed, and what its tests find in their environment. */
const runs = (part) => (onEachEngine.includes(part) ? engines : ['sqlite']).map((engine, at) => ({
  first: at === 0, title: engine === 'sqlite' ? part : `${part} (${engine})`, env: {...process.env, MANDATE_STORE_UNDER_TEST: engine}}));

function run(command, args, options = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options});
    let output = '';
    child.stdout.on('data', (d) => (output += d));
    child.stderr.on('data', (d) => (output += d));
    const timer = setTimeout(() => { output += '\n(killed: took longer than its limit)\n'; child.kill('SIGKILL'); }, options.limit ?? 900_000);
    child.on('close', (code, signal) => { clearTimeout(timer); done({code, signal, output}); });
    child.on('error', (error) => { clearTimeout(timer); done({code: 127, output: String(error)}); });
  });
}

function report(name, good, bad, seconds, output) {
  passed += good;
  failed += bad;
  console.log(`${bad ? 'FAIL' : 'ok  '} ${name.padEnd(24)} ${String(good).padStart(5)} passed ${bad ? `${bad} failed ` : ''}(${seconds.toFixed(1)} s)`);
  if (bad) console.log(output.split('\n').slice(-120).join('\n'));
  for (const line of output.split('\n')) if (/^(# )?left out: /.test(line)) console.log(`     ${line.replace(/^# /, '')}`);
}

const only = (name) => wanted.length === 0 || wanted.includes(name);
const timed = async (fn) => { const t = performance.now(); const r = await fn(); return [r, (performance.now() - t) / 1000]; };

async function googletest(path) {
  const name = path.split('/').pop().replace(/^test_/, '');
  if (!only(name)) return;
  for (const {title, env} of runs(name)) {
    const json = join(scratch, `${title}.json`);
    const [result, seconds] = await timed(() => run(path, [`--gtest_output=json:${json}`, '--gtest_brief=1'], {env}));
    let good = 0, bad = 0;
    if (existsSync(json)) {
      const told = JSON.parse(readFileSync(json, 'utf8'));
      bad = told.failures + told.errors;
      good = told.tests - told.failures - told.disabled;
    }
    if (result.code !== 0 && bad === 0) bad = 1;  // crashed, or a sanitizer spoke
    report(title, good, bad, seconds, result.output);
  }
}

async function corpus(path) {
  if (!only('fuzz')) return;
  const name = path.split('/').pop().replace(/^fuzz_/, '');
  const [result, seconds] = await timed(() => run(path, [join(root, 'tests/fuzz/corpus', name)]));
  report(`fuzz corpus ${name}`, result.code === 0 ? 1 : 0, result.code === 0 ? 0 : 1, seconds, result.output);
}

async function nodetest(name, files, limit) {
  if (!only(name) || files.length === 0) return;
  for (const {title, env, first} of runs(name)) {
    const chosen = files.filter((file) => first || !(basename(file) in once));
    const [result, seconds] = await timed(() => run('node', ['--test', '--test-reporter=tap', '--test-concurrency=1', ...chosen], {limit, env}));
    const number = (word) => Number(result.output.match(new RegExp(`^# ${word} (\\d+)`, 'm'))?.[1] ?? 0);
    let bad = number('fail') + number('cancelled') + number('skipped') + number('todo');  // nothing is skipped silently
    if (result.code !== 0 && bad === 0) bad = 1;
    report(title, number('pass'), bad, seconds, result.output);
    for (const file of files.filter((f) => !chosen.includes(f))) console.log(`     left out: ${basename(file)}, ${once[basename(file)]}`);
  }
}

const executables = (folder, prefix) =>
  existsSync(folder) ? readdirSync(folder).filter((f) => f.startsWith(prefix) && !f.includes('.')).sort().map((f) => join(folder, f)) : [];
const scripts = (folder) => existsSync(join(root, folder)) ? readdirSync(join(root, folder)).filter((f) => f.endsWith('.test.mjs')).sort().map((f) => join(root, folder, f)) : [];

for (const path of executables(join(build, 'tests'), 'test_')) await googletest(path);
for (const path of executables(join(build, 'tests/fuzz'), 'fuzz_')) await corpus(path);
await nodetest('live', scripts('tests/live'), Number(process.env.MANDATE_LIVE_LIMIT ?? 1_200_000));
await nodetest('compat', scripts('tests/compat'), 1_200_000);
rmSync(scratch, {recursive: true, force: true});
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
