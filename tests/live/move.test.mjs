// `mandate move`: from SQLite to PostgreSQL while people work, and back; killed at any instant it is run again. Nothing that
// was acknowledged is missing after, and tokens, sessions and rows of before work.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import https from 'node:https';
import {join} from 'node:path';
import {after} from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {sharedPostgres} from '../support/postgres.mjs';
import {Mandated, signIn, sqliteTest} from './harness.mjs';

const cheap = {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'};

/** The command beside the server; resolves to {status, out}. `heard` is told each line as it comes. */
function move(server, from, to, heard = () => {}) {
  const child = spawn(join(server.build, 'cli/mandate'), ['move', '--from', from, '--to', to], {cwd: server.directory, stdio: ['ignore', 'pipe', 'pipe']});
  let out = '', rest = '';
  const take = (d) => {
    out += d, rest += d;
    for (let at; (at = rest.indexOf('\n')) >= 0; rest = rest.slice(at + 1)) heard(rest.slice(0, at));
  };
  child.stdout.setEncoding('utf8').on('data', take);
  child.stderr.setEncoding('utf8').on('data', take);
  const done = new Promise((resolve) => child.once('close', (status) => resolve({status, out})));
  done.kill = (signal = 'SIGKILL') => child.kill(signal);
  return done;
}

// A server that was not to start and did would keep this process from its end.
const all = [];
after(() => { for (const server of all) server.child?.kill('SIGKILL'); });
const house = (options) => { all.push(new Mandated(options)); return all.at(-1); };

/** What people hold: tokens, a session in a browser. */
async function people(server) {
  const jar = {}, callback = `${server.base}/mobile`;
  const ask = `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(callback)}&state=s`;
  const location = await signIn(server, ask, ana.email, ana.password, (l) => l.startsWith(`${callback}#`), jar);
  const {id_token, access_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  const delegated = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'}});
  assert.equal(delegated.status, 200, delegated.text);
  const refresh = [];
  for (let i = 0; i < 3; ++i) {
    const login = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid offline_access', device: `d${i}`}});
    assert.equal(login.status, 200, login.text);
    refresh.push(login.json.refresh_token);
  }
  return {jar, callback, ask, access_token, refresh, zumo: {'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'}};
}

async function stillWork(server, held) {
  const info = await server.call('GET', '/userinfo', {headers: {Authorization: `Bearer ${held.access_token}`}});
  assert.equal(info.status, 200, `the access token of before: ${info.text}`);
  assert.equal(info.json.email, ana.email);
  const silent = await server.call('GET', `${held.ask}&prompt=none`, {jar: {...held.jar}});
  assert.match(silent.headers.location ?? silent.text, /access_token=/, 'the session of before');
  const refresh_token = held.refresh.pop();
  const used = await server.call('POST', '/oauth/token', {body: {grant_type: 'refresh_token', client_id: 'todo', refresh_token}});
  assert.equal(used.status, 200, `the refresh token of before: ${used.text}`);
}

/** All rows of the table: id → n. */
async function rows(server, zumo) {
  const found = new Map();
  for (let skip = 0; ; skip += 1000) {
    const page = await server.call('GET', `/tables/plain?$select=id,n&$orderby=id&$top=1000&$skip=${skip}`, {headers: zumo});
    assert.equal(page.status, 200, page.text);
    for (const row of page.json) found.set(row.id, row.n);
    if (page.json.length < 1000) return found;
  }
}

/** About `rate` writes a second, each told when it was acknowledged: `known` is what must be there, or is in doubt. */
function load(server, zumo, rate, known) {
  const state = {stop: false, acknowledged: 0, longest: 0, refused: 0};
  let counter = 0;
  const writers = 10;
  const writer = async (mine) => {
    let next = performance.now() + Math.random() * 100;
    for (let i = 0; !state.stop; ++i) {
      const wait = next - performance.now();
      if (wait > 0) await new Promise((r) => setTimeout(r, wait));
      next += 1000 * writers / rate;
      const id = i % 3 === 0 || i < 3 ? `w${mine}-${++counter}` : `w${mine}-${mine}`, n = ++counter;
      const before = known.get(id);
      known.set(id, {doubt: true});
      const from = performance.now();
      try {
        const fresh = before === undefined;
        const answer = fresh ? await server.call('POST', '/tables/plain', {headers: zumo, body: {id, n}})
          : await server.call('PATCH', `/tables/plain/${id}`, {headers: zumo, body: {id, n}});
        if (answer.status < 300) {
          known.set(id, n);
          ++state.acknowledged;
          state.longest = Math.max(state.longest, performance.now() - from);
        } else if (answer.status === 404 && before.doubt) {
          known.delete(id);
        } else {
          assert.equal(answer.status, 503, answer.text);
          assert.ok(answer.headers['retry-after'], 'a refusal says when to try again');
          if (before === undefined) known.delete(id); else known.set(id, before);
          ++state.refused;
        }
      } catch (e) {
        if (e.code === 'ERR_ASSERTION') throw e;
        return;  // the server was killed: that write is in doubt
      }
    }
  };
  const all = Promise.all(Array.from({length: writers}, (_, i) => writer(i)));
  state.end = async () => { state.stop = true; await all; };
  return state;
}

function compare(found, known) {
  const wrong = [...known].filter(([id, n]) => !n?.doubt && found.get(id) !== n);
  assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${known.size} acknowledged rows are not what they were`);
  const strange = [...found.keys()].filter((id) => !known.has(id));
  assert.deepEqual(strange.slice(0, 5), [], 'rows nobody wrote');
}

async function preload(server, zumo, count, known) {
  server.agent = new https.Agent({keepAlive: true, maxSockets: 32});
  let next = 0;
  await Promise.all(Array.from({length: 32}, async () => {
    for (let i; (i = next++) < count;) {
      const made = await server.call('POST', '/tables/plain', {headers: zumo, body: {id: `p${i}`, n: i, text: `ünï ${'x'.repeat(i % 200)}`, real: i / 7, flag: i % 2 === 0}});
      assert.equal(made.status, 201, made.text);
      known.set(`p${i}`, i);
    }
  }));
}

async function refusesToStart(server, line) {
  await assert.rejects(server.start(), line);
  await server.exited;
}

sqliteTest('a house moves to PostgreSQL under load, and back', async () => {
  const url = await (await sharedPostgres()).createDatabase();
  const server = house({tenant: tenant(), env: cheap});
  await server.start();
  server.tenant = undefined;
  const held = await people(server), known = new Map();
  await preload(server, held.zumo, 2000, known);
  const working = load(server, held.zumo, 100, known);
  await new Promise((r) => setTimeout(r, 500));
  const moved = await move(server, `sqlite:${server.data}`, url);
  assert.equal(moved.status, 0, moved.out);
  assert.match(moved.out, /counts and checksums agree/);
  const held_for = Number(moved.out.match(/Writers waited (\d+) ms/)?.[1]);
  assert.ok(held_for < 5000, moved.out);
  assert.ok(!moved.out.includes(new URL(url).password), 'no password is shown');
  await new Promise((r) => setTimeout(r, 300));
  await working.end();
  assert.ok(working.refused > 0, 'after the switch writes are refused');
  assert.equal((await server.call('GET', '/tables/plain/p1', {headers: held.zumo})).status, 200, 'reads go on');
  console.log(`# ${working.acknowledged} writes acknowledged during the move, the slowest in ${Math.round(working.longest)} ms; writers waited ${held_for} ms`);
  // Said again, nothing happens.
  const again = await move(server, `sqlite:${server.data}`, url);
  assert.equal(again.status, 0, again.out);
  assert.match(again.out, /moved already/);
  server.agent.destroy(), server.agent = undefined;
  await server.kill('SIGTERM');
  await refusesToStart(server, /has moved to postgres:/);

  server.store = url;
  await server.start();
  compare(await rows(server, held.zumo), known);
  await stillWork(server, held);
  const check = server.cli('check');
  assert.equal(check.status, 0, check.stdout + check.stderr);
  // Written there, so that the way back has something to carry.
  const made = await server.call('POST', '/tables/plain', {headers: held.zumo, body: {id: 'there', n: -5}});
  assert.equal(made.status, 201, made.text);
  known.set('there', -5);

  server.agent = new https.Agent({keepAlive: true, maxSockets: 32});
  const again_working = load(server, held.zumo, 100, known);
  await new Promise((r) => setTimeout(r, 500));
  const target = join(server.directory, 'back');
  const back = await move(server, url, `sqlite:${target}`);
  assert.equal(back.status, 0, back.out);
  assert.match(back.out, /counts and checksums agree/);
  const held_back = Number(back.out.match(/Writers waited (\d+) ms/)?.[1]);
  assert.ok(held_back < 5000, back.out);
  await new Promise((r) => setTimeout(r, 300));
  await again_working.end();
  assert.ok(again_working.refused > 0, 'after the switch writes are refused');
  console.log(`# back: ${again_working.acknowledged} writes acknowledged meanwhile, the slowest in ${Math.round(again_working.longest)} ms; writers waited ${held_back} ms`);
  assert.equal((await server.call('GET', '/tables/plain/p1', {headers: held.zumo})).status, 200, 'reads go on');
  assert.equal((await server.call('POST', '/tables/plain', {headers: held.zumo, body: {id: 'late', n: 1}})).status, 503);
  server.agent.destroy(), server.agent = undefined;
  await server.kill('SIGTERM');
  await refusesToStart(server, /has moved to sqlite:/);
  server.store = undefined;
  server.data = target;
  await server.start();
  compare(await rows(server, held.zumo), known);
  await stillWork(server, held);
  const sound = server.cli('check');
  assert.equal(sound.status, 0, sound.stdout + sound.stderr);
  await server.stop();
});

sqliteTest('a move that is killed is run again', async () => {
  const url = await (await sharedPostgres()).createDatabase();
  const server = house({tenant: tenant(), env: cheap});
  await server.start();
  server.tenant = undefined;
  const held = await people(server), known = new Map();
  await preload(server, held.zumo, 1000, known);
  const mark = () => existsSync(join(server.data, 'mandate.move')) && JSON.parse(readFileSync(join(server.data, 'mandate.move'), 'utf8'));
  let kills = 0;
  // At each line it says, and in between: how far it is when it dies is different each time.
  for (const at of [0, 1, 2, 4, 6, 7, 8]) {
    const working = load(server, held.zumo, 100, known);
    let lines = 0, killed = false;
    const kill = () => { if (!killed) killed = true, server.kill('SIGKILL'); };
    if (at === 0) setTimeout(kill, 150);
    const told = await move(server, `sqlite:${server.data}`, url, () => { if (++lines >= at && at > 0) kill(); });
    kill();
    await server.exited;
    await working.end();
    assert.ok([0, 1, 3].includes(told.status), told.out);
    ++kills;
    if (mark().state === 'left') break;
    if (/Copied/.test(told.out)) await refusesToStart(house({env: cheap, store: url}), /is not finished/);
    await server.start();
    compare(await rows(server, held.zumo), known);
  }
  // And with nobody serving, by a mandated started for it; that is killed too.
  if (mark().state !== 'left') await server.kill('SIGTERM');
  for (const wait of [300, 900, 1800]) {
    const child = spawn(join(server.build, 'src/mandated'), ['move', '--from', `sqlite:${server.data}`, '--to', url], {stdio: 'ignore'});
    const gone = new Promise((r) => child.once('exit', r));
    await Promise.race([gone, new Promise((r) => setTimeout(r, wait))]);
    child.kill('SIGKILL');
    await gone;
    ++kills;
  }
  const moved = await move(server, `sqlite:${server.data}`, url);
  assert.equal(moved.status, 0, moved.out);
  server.agent.destroy(), server.agent = undefined;
  server.store = url;
  await server.start();
  compare(await rows(server, held.zumo), known);
  await stillWork(server, held);
  console.log(`# ${kills} kills, ${known.size} rows`);

  // The way back, killed in the same way while the node goes on being written; once it is only asked to stop.
  const target = join(server.directory, 'back'), database = await sharedPostgres();
  const left_over = () => Number(database.sql("select count(*) from pg_namespace where nspname = 'mandate/move'", url));
  server.agent = new https.Agent({keepAlive: true, maxSockets: 32});
  const working = load(server, held.zumo, 100, known);
  let on_the_way = 0;
  for (const at of [0, 1, 2, 3, 4, 'stop']) {
    let lines = 0;
    const back = move(server, url, `sqlite:${target}`, () => {
      ++lines;
      if (at === 'stop' && lines === 1) back.kill('SIGTERM');
      else if (at > 0 && lines >= at) back.kill();
    });
    if (at === 0) setTimeout(() => back.kill(), 400);
    const told = await back;
    assert.notEqual(told.status, 0, told.out);
    if (at !== 'stop') on_the_way += left_over();
    else assert.equal(left_over(), 0, `asked to stop it takes away what it made: ${told.out}`);
    const made = await server.call('POST', '/tables/plain', {headers: held.zumo, body: {id: `after-${at}`, n: -1}});
    assert.equal(made.status, 201, `the source serves on: ${made.text}`);
    known.set(`after-${at}`, -1);
  }
  assert.ok(on_the_way > 0, 'some of the kills came while it followed');
  const back = await move(server, url, `sqlite:${target}`);
  assert.equal(back.status, 0, back.out);
  assert.equal(left_over(), 0, 'nothing of the kills is left');
  await new Promise((r) => setTimeout(r, 300));
  await working.end();
  assert.ok(working.refused > 0);
  server.agent.destroy(), server.agent = undefined;
  await server.kill('SIGTERM');
  server.store = undefined, server.data = target;
  await server.start();
  compare(await rows(server, held.zumo), known);
  await stillWork(server, held);
  await server.stop();
});
