// `mandate import` of one table in each form that it reads: rows a second, processor time of a row, largest memory of the server and
// of the command. The second time every row is there already. Ten times the rows show whether memory stays.
//   node bench/import.mjs [rows = 100000]        MANDATE_STORE_UNDER_TEST=postgres: on PostgreSQL
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {performance} from 'node:perf_hooks';

process.env.MANDATE_BUILD ??= 'build/release';
const {Mandated, engine} = await import('../tests/live/harness.mjs');

const rows = Number(process.argv[2] ?? 100_000), directory = mkdtempSync(join(tmpdir(), 'mandate-bench-'));
const columns = '{text: string, complete: boolean, rank: number, due: datetime}';
const server = await new Mandated({tenant: `
tenant: bench
settings: {hosts: [localhost]}
tables:
  Csv: {permissions: public, soft_delete: true}
  Declared: {permissions: public, soft_delete: true, columns: ${columns}}
  Unique: {permissions: public, columns: {rank: {type: integer, unique: true}}}
  Lines: {permissions: public, soft_delete: true}
  Bcp: {permissions: public, soft_delete: true}
  Long: {permissions: public, soft_delete: true}
`}).start();

const cells = (i) => [`row-${i}`, `item ${i} of the table, with some words`, i % 2 === 0, i, new Date(1_400_000_000_000 + i * 1000).toISOString(),
  '2013-01-02T03:04:05.006Z', new Date(1_390_000_000_000 + i).toISOString(), `0x${(i + 1).toString(16).padStart(16, '0')}`];
const names = ['id', 'text', 'complete', 'rank', 'due', 'createdAt', 'updatedAt', 'version'];
function write(name, count, head, line) {
  const path = join(directory, name), file = openSync(path, 'w');
  let text = head;
  for (let i = 0; i < count; ++i) {
    text += line(cells(i));
    if (text.length > 1 << 20) writeSync(file, text), text = '';
  }
  writeSync(file, text);
  closeSync(file);
  return path;
}
const csv = (row) => `${row[0]},"${row[1]}",${row.slice(2).join(',')}\n`;

const memory = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmHWM:\s*(\d+)/m)?.[1] ?? 0) / 1024;
const ticks = (pid) => { const part = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return Number(part[11]) + Number(part[12]); };

async function walk(what, table, count, path, ...more) {
  const began = performance.now(), before = ticks(server.child.pid);
  const command = spawn(join(server.build, 'cli/mandate'), ['--json', '--socket', join(server.data, 'admin.sock'), 'import', '--table', table, ...more, path], {stdio: ['ignore', 'pipe', 'inherit']});
  let told = '', largest = 0;
  command.stdout.on('data', (d) => (told += d));
  const watch = setInterval(() => { try { largest = Math.max(largest, memory(command.pid)); } catch { /* it has ended */ } }, 20);
  const [status] = await once(command, 'close');
  clearInterval(watch);
  const seconds = (performance.now() - began) / 1000, {rows: taken, refused} = JSON.parse(told);
  if (status !== 0 || refused || taken !== count) throw new Error(`${what}: ${status} ${told}`);
  console.log(`${what.padEnd(34)} ${String(Math.round(count / seconds)).padStart(7)} rows/s  ${((ticks(server.child.pid) - before) * 1e4 / count).toFixed(0).padStart(4)} µs a row in the server  ` +
    `${memory(server.child.pid).toFixed(0)} MB server, ${largest.toFixed(0)} MB command`);
}

console.log(`on ${engine}, ${rows} rows`);
const table = write('a.csv', rows, `${names.join(',')}\n`, csv);
await walk('CSV, columns made from it', 'Csv', rows, table);
await walk('the same again', 'Csv', rows, table);
await walk('CSV, declared columns', 'Declared', rows, table);
await walk('CSV, a unique column', 'Unique', rows, table, '--leave-out', 'text', '--leave-out', 'complete', '--leave-out', 'due');
await walk('JSON lines', 'Lines', rows, write('a.jsonl', rows, '', (row) => `${JSON.stringify(Object.fromEntries(names.map((name, i) => [name, row[i]])))}\n`));
await walk('bcp', 'Bcp', rows, write('a.bcp', rows, '', (row) => `${row.join('\t')}\r\n`), '--header', names.join(','));
await walk('CSV of ten times the rows', 'Long', rows * 10, write('long.csv', rows * 10, `${names.join(',')}\n`, csv));
await server.stop();
rmSync(directory, {recursive: true, force: true});
