// One node of three is killed -9, paused for ten seconds, cut off from the database: the others go on as if nothing had
// happened, what was acknowledged stays, and what may be used once is used once (RL-12, RL-24). On a private PostgreSQL,
// whatever engine the rest of the suite is about.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {copyFileSync} from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import {join} from 'node:path';
import test, {after, before, describe} from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {startPostgres} from '../support/postgres.mjs';
import {figure, Mandated, signIn} from './harness.mjs';

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const faultSeconds = Number(process.env.MANDATE_FAULT_SECONDS ?? 10);
const quick = {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1', MANDATE_RATE_RO: '1000'};
const file = tenant().replace('  hosts: [localhost]\n', '  hosts: [localhost]\n  issuer_host: "localhost:{{port}}"\n');
const client = {client_id: 'worker', client_secret: 'worker-secret-worker-secret-worker-secret'};

/** A line to the database that can be held: nothing passes then, and nobody is told. */
function line(to) {
  const ends = new Set();
  let held = false;
  const server = net.createServer({pauseOnConnect: true}, (near) => {
    const far = net.connect(to, '127.0.0.1');
    for (const [from, other] of [[near, far], [far, near]]) {
      ends.add(from);
      from.on('data', (bytes) => other.write(bytes)).on('error', () => {}).on('close', () => { ends.delete(from); other.destroy(); });
      if (held) from.pause(); else from.resume();
    }
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done({
    port: server.address().port,
    hold(yes) { held = yes; for (const end of ends) yes ? end.pause() : end.resume(); },
    close() { server.close(); for (const end of ends) end.destroy(); },
  })));
}

describe('three nodes on one PostgreSQL', () => {
  let postgres, direct, held, nodes;
  const rows = new Map();  // id → 'ok', 'refused' or 'unknown'
  let counter = 0;

  before(async () => {
    postgres = await startPostgres({fsync: true});
    direct = await postgres.createDatabase();
    held = await line(postgres.port);
    const a = await new Mandated({tenant: file, store: direct, env: quick}).start();
    nodes = [a];
    for (const store of [direct, direct.replace(`:${postgres.port}/`, `:${held.port}/`)]) {
      const node = new Mandated({store, env: quick});
      copyFileSync(join(a.directory, 'master.key'), join(node.directory, 'master.key'));
      nodes.push(await node.start());
    }
    for (const node of nodes) node.agent = new https.Agent({keepAlive: true, maxSockets: 32});
  });
  after(async () => {
    held?.hold(false);
    for (const node of nodes ?? []) { node.agent.destroy(); await node.stop(); }
    held?.close();
    await postgres?.stop('immediate');
  });

  const token = (node, body) => node.call('POST', '/oauth/token', {body});
  async function code() {
    const code_verifier = randomBytes(32).toString('base64url');
    const redirect_uri = `https://localhost:${nodes[0].port}/mobile`;
    const query = new URLSearchParams({client_id: 'modern', response_type: 'code', redirect_uri, scope: 'openid', state: 's',
      code_challenge: createHash('sha256').update(code_verifier).digest('base64url'), code_challenge_method: 'S256'});
    const location = await signIn(nodes[0], `/authorize?${query}`, ana.email, ana.password, (l) => l.startsWith(redirect_uri));
    return {grant_type: 'authorization_code', client_id: 'modern', redirect_uri, code_verifier, code: new URL(location).searchParams.get('code')};
  }

  /** Inserts and token checks at a steady rate, until it is stopped; gives every answer. */
  function load(node, bearer, each = 25) {
    const answers = [], under = new Set();
    const ask = (what, sent) => {
      const begun = performance.now();
      const one = sent().then((answer) => answers.push({what, status: answer.status, text: answer.text, ms: performance.now() - begun}),
        (error) => answers.push({what, status: 0, text: String(error), ms: performance.now() - begun}));
      under.add(one);
      return one.finally(() => under.delete(one));
    };
    const timer = setInterval(() => {
      const id = `row-${++counter}`;
      rows.set(id, 'unknown');
      ask('insert', async () => {
        const answer = await node.call('POST', '/tables/anyone', {headers: {'ZUMO-API-VERSION': '2.0.0'}, body: {id, n: counter}});
        if (answer.status === 201) rows.set(id, 'ok');
        else if (answer.status < 500) rows.set(id, 'refused');
        return answer;
      });
      if (counter % 2) ask('check', () => node.call('POST', '/oauth/introspect', {body: {...client, token: bearer}}));
    }, 1000 / each);
    return {answers, async stop() { clearInterval(timer); await Promise.all(under); return answers; }};
  }

  /** The others under the fault: each answer good, none late. `codes` are tried everywhere, before and after `end`. */
  async function during(name, begin, end) {
    const bearer = (await token(nodes[0], {grant_type: 'client_credentials', audience: 'https://orders.example', ...client})).json.access_token;
    const codes = await Promise.all(Array.from({length: 6}, code));
    const used = codes.map(() => 0), unclear = codes.map(() => 0);
    const redeem = (at, who) => Promise.all(who.map((node) => token(node, codes[at]).then(
      (answer) => { if (answer.status === 200) ++used[at]; else if (answer.status >= 500) ++unclear[at]; }, () => { ++unclear[at]; })));
    const loads = nodes.map((node) => load(node, bearer));
    await wait(1000);
    const others = loads.slice(0, 2), before = others.map((l) => l.answers.length);
    const everywhere = [redeem(0, nodes), redeem(1, nodes)];
    await begin();
    await redeem(2, nodes.slice(0, 2));
    everywhere.push(redeem(3, nodes));
    await wait(faultSeconds * 1000);
    const seen = others.map((l, i) => l.answers.slice(before[i]));
    const troubled = loads[2].stop();
    await end();
    await Promise.all([...everywhere, troubled]);
    for (const at of [0, 1, 2, 3, 4, 5]) await redeem(at, nodes);
    for (const l of others) await l.stop();
    for (const [i, answers] of seen.entries()) {
      const bad = answers.filter((a) => a.status !== (a.what === 'insert' ? 201 : 200));
      const times = answers.map((a) => a.ms).sort((x, y) => x - y), p99 = times[Math.floor(times.length * 0.99)];
      console.log(`# ${name}, node ${'ab'[i]}: ${answers.length} answers in ${faultSeconds} s, ${bad.length} bad, p99 ${p99.toFixed(0)} ms, slowest ${times.at(-1).toFixed(0)} ms`);
      assert.deepEqual(bad.slice(0, 3), [], `${bad.length} of ${answers.length} answers of a node that had no trouble`);
      assert.ok(times.at(-1) < 3000, `an answer took ${times.at(-1)} ms`);
      figure(p99 < 250, `${name}: p99 ${p99} ms`);
    }
    const theirs = await troubled, late = Math.max(0, ...theirs.map((a) => a.ms));
    console.log(`# ${name}, the node itself: ${theirs.filter((a) => a.status === 201 || a.status === 200).length} good answers, ${theirs.filter((a) => a.status >= 500).length} of 503, ${theirs.filter((a) => !a.status).length} without; slowest ${late.toFixed(0)} ms`);
    for (const answer of theirs) assert.ok([0, 200, 201, 503].includes(answer.status), `${answer.status} ${answer.text}`);
    for (const at of codes.keys()) {
      assert.ok(used[at] <= 1, `code ${at} was redeemed ${used[at]} times`);
      assert.ok(used[at] === 1 || unclear[at] > 0, `code ${at} was redeemed nowhere`);
    }
    const after = await nodes[2].call('POST', '/tables/anyone', {headers: {'ZUMO-API-VERSION': '2.0.0'}, body: {id: `after-${name}`}});
    assert.equal(after.status, 201, after.text);
    rows.set(`after-${name}`, 'ok');
  }

  test('one is killed -9 and started again', () => during('killed', () => nodes[2].kill('SIGKILL'), () => nodes[2].start()));

  test('one is paused', () => during('paused', () => nodes[2].child.kill('SIGSTOP'), async () => { nodes[2].child.kill('SIGCONT'); await wait(500); }));

  test('one is cut off from the database', () => during('cut off', () => held.hold(true), async () => { held.hold(false); await wait(2500); }));

  test('every acknowledged row is there, none twice, and no other', async () => {
    const found = [];
    for (let skip = 0; ; skip += 1000) {
      const page = await nodes[1].call('GET', `/tables/anyone?$select=id&$orderby=id&$top=1000&$skip=${skip}`, {headers: {'ZUMO-API-VERSION': '2.0.0'}});
      assert.equal(page.status, 200, page.text);
      found.push(...page.json.map((row) => row.id));
      if (page.json.length < 1000) break;
    }
    const there = new Set(found);
    assert.equal(there.size, found.length, 'a row is there twice');
    assert.deepEqual([...rows].filter(([id, end]) => end === 'ok' && !there.has(id)).map(([id]) => id), [], 'acknowledged and lost');
    assert.deepEqual(found.filter((id) => rows.get(id) === 'refused' || !rows.has(id)), [], 'refused and there');
    console.log(`# ${found.length} rows, ${[...rows.values()].filter((end) => end === 'unknown').length} left open, 0 anomalies`);
  });
});
