// Starts a real mandated on a free port with an empty database, applies a tenant file, and talks to it over TLS.
// MANDATE_STORE_UNDER_TEST=postgres: the database is one of a private PostgreSQL, else a SQLite file.
import assert from 'node:assert/strict';
import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import test, {after} from 'node:test';
import {fileURLToPath} from 'node:url';
import {sharedPostgres} from '../support/postgres.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = join(root, process.env.MANDATE_BUILD ?? 'build/dev');
const releaseBuild = join(root, 'build/release');
/** Whether there is a server without sanitizers, for tests whose figures mean something only there. */
export const released = existsSync(join(releaseBuild, 'src/mandated'));

/** One version and the next: mandated as it is, and tests/next. Of the second there may be no release build. */
export const current = 'src/mandated', next = 'tests/next/mandated_next';
export const bothReleased = released && existsSync(join(releaseBuild, next));

/** What the servers of these tests keep their data in: 'sqlite' or 'postgres'. */
export const engine = process.env.MANDATE_STORE_UNDER_TEST || 'sqlite';
if (!['sqlite', 'postgres'].includes(engine)) throw new Error(`MANDATE_STORE_UNDER_TEST=${engine}: neither sqlite nor postgres`);

/** A test of what only SQLite has: its files, and the lock on them. Elsewhere it is left out, by name. */
export function sqliteTest(name, fn) {
  if (engine === 'sqlite') test(name, fn);
  else console.log(`left out: "${name}", it is about SQLite's own files`);
}

/** Resolves when a child has written a log line of that event; rejects when it ends first. */
function event(child, name, lines) {
  return new Promise((done, fail) => {
    let rest = '';
    child.stderr.on('data', (d) => {
      rest += d;
      for (let at; (at = rest.indexOf('\n')) >= 0; rest = rest.slice(at + 1)) {
        const line = rest.slice(0, at);
        lines.push(line);
        try {
          const parsed = JSON.parse(line);
          if (parsed.event === name) done(parsed);
        } catch { /* a sanitizer's report is no JSON; it stays in lines */ }
      }
    });
    child.once('exit', (code, signal) => fail(new Error(`mandated ended (${code ?? signal}) before "${name}":\n${lines.slice(-30).join('\n')}`)));
  });
}

/**
 * A port below those the kernel gives away by itself, and in a range that no other lane of tests/run takes from: a server
 * that was killed comes back on the port it had.
 */
function freePort() {
  const tried = Number(process.env.MANDATE_TEST_PORTS ?? 9_500) + Math.floor(Math.random() * 500), probe = net.createServer();
  return new Promise((done, fail) => {
    probe.once('error', (error) => (error.code === 'EADDRINUSE' ? freePort().then(done, fail) : fail(error)));
    probe.listen(tried, () => probe.close(() => done(tried)));
  });
}

/** A figure that depends on the machine: it must hold under `./dev long`, on a machine of its own; elsewhere a miss is said. */
export function figure(holds, missed) {
  if (process.env.MANDATE_FIGURES) return assert.ok(holds, missed);
  if (!holds) console.log(`# a figure missed on this machine: ${missed}`);
}

/** Those that a test which failed did not stop: else this file would not end before its limit. */
const running = new Set();
after(() => setTimeout(() => { for (const child of running) child.kill('SIGKILL'); }, 5000).unref());

export class Mandated {
  /**
   * A data directory and a database of its own; `tenant` is the text of a tenant file, or undefined. `release`: without
   * sanitizers, if there is one. `store`: a URL, for servers that share a database. `program`: current or next; it may be
   * changed for what is started later.
   */
  constructor({tenant, args = [], env = {}, release = false, store, program = current} = {}) {
    this.program = program;
    this.build = release && released ? releaseBuild : build;
    this.directory = mkdtempSync(join(tmpdir(), 'mandate-live-'));
    this.data = join(this.directory, 'data');
    this.tenant = tenant;
    this.args = args;
    this.env = env;
    this.lines = [];
    this.port = 0;
    this.store = store;
  }

  async start() {
    if (engine === 'postgres' && !this.store) this.store = this.ownStore = await (await sharedPostgres()).createDatabase();
    this.port ||= await freePort();
    ({child: this.child, exited: this.exited} = this.#launch());
    const told = await event(this.child, 'listening', this.lines);
    this.port = told.port;
    this.metricsPort = told.metrics_port;
    const ca = join(this.data, 'tls/ca.pem');  // there when the server made its own certificate
    if (existsSync(ca)) this.ca = readFileSync(ca);
    this.base = `https://localhost:${this.port}`;
    if (this.tenant) this.apply(this.tenant);
    return this;
  }

  #launch(...more) {
    const child = spawn(join(this.build, this.program),
      ['--data-dir', this.data, '--port', String(this.port), '--master-key-file', join(this.directory, 'master.key'),
        ...(this.store ? ['--store', this.store] : []), ...this.args, ...more],
      {cwd: this.directory, stdio: ['ignore', 'ignore', 'pipe'], env: {...process.env, ...this.env}});
    running.add(child);
    child.once('exit', () => running.delete(child));
    return {child, exited: new Promise((done) => child.once('exit', (code, signal) => done({code, signal})))};
  }

  /**
   * Another mandated, with `more` options, takes over from this one. Resolves when it serves, to {child, exited} of the one
   * before; rejects when it ends instead, and the one before is still ours.
   */
  async upgrade(...more) {
    const before = {child: this.child, exited: this.exited}, coming = this.beginUpgrade(...more);
    await coming.serves;
    ({child: this.child, exited: this.exited} = coming);
    return before;
  }

  /** The same, begun only: {child, exited, serves} of the one that comes; the one before stays ours. */
  beginUpgrade(...more) {
    const coming = this.#launch('--take-over', ...more);
    return {...coming, serves: event(coming.child, 'listening', this.lines)};
  }

  /** What the running server calls itself. */
  version() { return this.cli('status').stdout.match(/^mandated (\S+),/)?.[1]; }

  cli(...args) {
    const told = spawnSync(join(this.build, 'cli/mandate'), ['--socket', join(this.data, 'admin.sock'), ...args], {encoding: 'utf8', cwd: this.directory});
    return {status: told.status, stdout: told.stdout, stderr: told.stderr};
  }

  apply(text) {
    const file = join(this.directory, 'tenant.yaml');
    writeFileSync(file, text.replaceAll('{{port}}', String(this.port)));
    const told = this.cli('apply', file);
    if (told.status !== 0) throw new Error(`apply failed: ${told.stdout}${told.stderr}`);
    return told.stdout;
  }

  /** One request over TLS; cookies are kept in `jar` when given. Resolves to {status, headers, text, json}. */
  call(method, path, {headers = {}, body, jar, plain = false} = {}) {
    if (jar && Object.keys(jar).length) headers = {...headers, Cookie: Object.entries(jar).map(([k, v]) => `${k}=${v}`).join('; ')};
    if (body !== undefined && typeof body !== 'string') body = JSON.stringify(body), headers = {'Content-Type': 'application/json', ...headers};
    if (body !== undefined) headers = {...headers, 'Content-Length': Buffer.byteLength(body)};
    const url = new URL(path, plain ? `http://localhost:${this.port}` : this.base);
    return new Promise((done, fail) => {
      const request = (plain ? http : https).request(url, {method, headers, ca: this.ca, agent: this.agent}, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (d) => (text += d)).on('error', fail).on('end', () => {
          if (jar)
            for (const cookie of answer.headers['set-cookie'] ?? []) {
              const [pair] = cookie.split(';'), at = pair.indexOf('=');
              if (/max-age=0/i.test(cookie)) delete jar[pair.slice(0, at)]; else jar[pair.slice(0, at)] = pair.slice(at + 1);
            }
          let json;
          try { json = JSON.parse(text); } catch { json = undefined; }
          done({status: answer.statusCode, reason: answer.statusMessage, headers: answer.headers, text, json});
        });
      });
      request.on('error', fail);
      request.end(body);
    });
  }

  kill(signal = 'SIGKILL') { this.child.kill(signal); return this.exited; }

  /** Everything that is stored, as [where, text]; the server may run. */
  stored() {
    if (this.store) return [['the database', execFileSync('pg_dump', ['-d', this.store], {encoding: 'utf8', maxBuffer: 1 << 30})]];
    return readdirSync(this.data).filter((f) => /\.db/.test(f)).map((f) => [f, readFileSync(join(this.data, f)).toString('latin1')]);
  }

  /** SIGTERM; fails when the server did not end with 0 or a sanitizer spoke. */
  async stop() {
    const {code, signal} = await this.kill('SIGTERM');
    rmSync(this.directory, {recursive: true, force: true});
    if (this.ownStore) await (await sharedPostgres()).dropDatabase(this.ownStore);
    const report = this.lines.filter((l) => /ERROR: \w*Sanitizer|runtime error:/.test(l));
    if (code !== 0 || report.length) throw new Error(`mandated ended with ${code ?? signal}\n${this.lines.slice(-60).join('\n')}`);
  }
}

const decode = (t) => t.replace(/&amp;/g, '&').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>');
const attribute = (tag, name) => decode(tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? '');

/** Fills in the hosted login page as a person would and follows redirects until `until(location)`; gives that location. */
export async function signIn(server, start, email, password, until, jar = {}) {
  let answer = await server.call('GET', start, {jar});
  for (let hops = 0; hops < 5 && answer.headers.location && !until(answer.headers.location); ++hops) answer = await server.call('GET', answer.headers.location, {jar});
  if (answer.headers.location) return answer.headers.location;
  const form = [...answer.text.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map((m) => m[0]).find((f) => /type="password"/.test(f));
  if (!form) throw new Error(`no login form: ${answer.status} ${answer.text.slice(0, 400)}`);
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<(?:input|button)[^>]*>/g)) {
    const type = attribute(tag, 'type'), name = attribute(tag, 'name');
    if (name) fields.set(name, type === 'password' ? password : type === 'email' || type === 'text' ? email : attribute(tag, 'value'));
  }
  answer = await server.call('POST', attribute(form.match(/<form[^>]*>/)[0], 'action') || '/login', {
    jar, body: fields.toString(), headers: {'Content-Type': 'application/x-www-form-urlencoded', Origin: server.base}});
  for (let hops = 0; hops < 5 && answer.headers.location && !until(answer.headers.location); ++hops) answer = await server.call('GET', answer.headers.location, {jar});
  if (!answer.headers.location) throw new Error(`the login did not end: ${answer.status} ${answer.text.slice(0, 600)}`);
  return answer.headers.location;
}
