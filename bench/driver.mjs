// What the load walks share: wrk on core 1, medians of several runs, processor time by request, one line a figure.
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

export const seconds = Number(process.argv[2] ?? 4), runs = Number(process.argv[3] ?? 3);
export const scratch = mkdtempSync(join(tmpdir(), 'mandate-bench-'));
export const median = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
export const row = (what, figure, unit, ratio = '', note = '') =>
  console.log(`${what.padEnd(44)} ${String(figure).padStart(10)} ${unit.padEnd(8)} ${ratio.padEnd(42)} ${note}`);
export const k = (n) => (n >= 10_000 ? Math.round(n / 100) * 100 : Math.round(n)).toLocaleString('en');

/** Microseconds of processor time these processes have used so far (the kernel counts in hundredths of a second). */
export const spent = (pids) => pids.reduce((sum, pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return sum + (Number(fields[11]) + Number(fields[12])) * 1e4;
}, 0);

/**
 * Requests a second of wrk, median of `runs`; `lua` sets wrk.method, headers, body or a request function. `pids`: the
 * processes under load, whose time is counted.
 */
export function load(url, lua = '', {connections = 64, pids = []} = {}) {
  const command = wrk(url, lua, connections);
  const one = () => {
    const before = spent(pids);
    const told = spawnSync('taskset', command, {encoding: 'utf8'});
    const result = read(told.stdout, told.stderr);
    return {...result, micros: (spent(pids) - before) / result.requests};
  };
  const all = Array.from({length: runs}, one);
  const errors = all.reduce((n, r) => n + r.errors, 0);
  return {rate: median(all.map((r) => r.rate)), p50: median(all.map((r) => r.p50)), micros: median(all.map((r) => r.micros)), errors};
}
/** One run, with the processor time by request. */
export function wrkOnce(url, script, pids, duration = seconds) {
  const before = spent(pids);
  const told = spawnSync('taskset', wrk(url, script, 64, 'load.lua', duration), {encoding: 'utf8'});
  const result = read(told.stdout, told.stderr);
  return {...result, micros: (spent(pids) - before) / result.requests};
}
/** The same at several places at once: rates are added. */
export async function loadAll(targets, {connections = 64, pids = []} = {}) {
  const all = [];
  for (let i = 0; i < runs; ++i) {
    const before = spent(pids);
    const results = await Promise.all(targets.map(({url, lua}, at) => new Promise((done, fail) => {
      const child = spawn('taskset', wrk(url, lua, Math.ceil(connections / targets.length), `load${at}.lua`), {stdio: ['ignore', 'pipe', 'inherit']});
      let output = '';
      child.stdout.on('data', (d) => (output += d));
      child.on('close', () => { try { done(read(output, '')); } catch (error) { fail(error); } });
    })));
    const requests = results.reduce((n, r) => n + r.requests, 0);
    all.push({rate: results.reduce((n, r) => n + r.rate, 0), errors: results.reduce((n, r) => n + r.errors, 0), micros: (spent(pids) - before) / requests});
  }
  return {rate: median(all.map((r) => r.rate)), micros: median(all.map((r) => r.micros)), errors: all.reduce((n, r) => n + r.errors, 0)};
}

function wrk(url, lua, connections, name = 'load.lua', duration = seconds) {
  const script = join(scratch, name);
  writeFileSync(script, lua + `
done = function(summary, latency)
  io.write(string.format("RESULT %d %d %d %d\\n", summary.requests, summary.duration, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout, latency:percentile(50)))
end`);
  return ['-c', '1', 'wrk', '-t1', `-c${connections}`, `-d${duration}s`, '-s', script, url];
}

function read(output, complaint) {
  const [, requests, micros, errors, p50] = output.match(/RESULT (\d+) (\d+) (\d+) (\d+)/) ?? [];
  if (requests === undefined) throw new Error(output + complaint);
  return {requests: Number(requests), rate: requests / (micros / 1e6), errors: Number(errors), p50: Number(p50)};
}

export const lua = (method, headers, body) => `wrk.method = "${method}"
${Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = [[${value}]]`).join('\n')}
${body === undefined ? '' : `wrk.body = [[${body}]]`}`;

/** What a machine shared with others leaves comparable: processor time by request, set against the peer's (µs). And whether
 *  answers were errors. */
export const bad = (r, peerMicros) => `${r.micros.toFixed(1)} µs of CPU each${peerMicros ? ` (${(peerMicros / r.micros).toFixed(2)} by CPU)` : ''}${r.errors ? `; ${r.errors} answers were errors` : ''}`;
