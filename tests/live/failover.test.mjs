// The primary dies and the synchronous standby takes over under load (RL-12): what was acknowledged is there, writes are
// away for the promotion and two seconds at most, and the checking of tokens never stops. On PostgreSQL of its own.
import assert from 'node:assert/strict';
import https from 'node:https';
import test from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {startPostgres} from '../support/postgres.mjs';
import {percentile} from './crowd.mjs';
import {figure, Mandated, signIn} from './harness.mjs';

const rate = 200, wait = (ms) => new Promise((done) => setTimeout(done, ms));

test('the primary is killed and the standby promoted under load: no row is lost, and tokens are checked all the while', {timeout: 120_000}, async () => {
  const primary = await startPostgres({fsync: true, settings: ["synchronous_standby_names = 'standby'"]});
  const standby = await primary.standby({name: 'standby', fsync: true, settings: ["synchronous_standby_names = ''"]});
  const first = new URL(await primary.createDatabase());
  const store = `postgres://${first.username}:${first.password}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}${first.pathname}?target_session_attrs=read-write`;
  const node = await new Mandated({tenant: tenant(), store, env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}}).start();
  node.agent = new https.Agent({keepAlive: true, maxSockets: 64});
  const location = await signIn(node, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(`${node.base}/mobile`)}&state=s`,
    ana.email, ana.password, (l) => l.startsWith(`${node.base}/mobile#`));
  const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  const traded = await node.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend', api_type: 'wams', scope: 'openid'}});
  assert.equal(traded.status, 200, traded.text);
  const headers = {'X-ZUMO-AUTH': traded.json.id_token, 'ZUMO-API-VERSION': '2.0.0'};
  const stranger = {...headers, 'X-ZUMO-AUTH': traded.json.id_token.slice(0, -4) + 'AAAA'};

  const acknowledged = [], gaps = [], wrong = [], times = [];
  let last = performance.now(), sent = 0, over = false;
  const write = async () => {
    const id = `row-${++sent}`;
    const answer = await node.call('POST', '/tables/plain', {headers, body: {id, text: 'x', complete: false, rank: sent}});
    const now = performance.now();
    if (answer.status === 201) {
      acknowledged.push(id);
      gaps.push(now - last);
      last = now;
    } else if (answer.status !== 503) wrong.push(`insert: ${answer.status} ${answer.text}`);
    else if (!answer.headers['retry-after']) wrong.push('503 without Retry-After');
  };
  const check = async (what, path, headers, allowed) => {
    const began = performance.now();
    const answer = await node.call('GET', path, {headers});
    if (!allowed.includes(answer.status)) wrong.push(`${what}: ${answer.status} ${answer.text.slice(0, 100)}`);
    return performance.now() - began;
  };
  await write();  // row-1, which the checks read
  const under = [];
  const spawned = (promise) => under.push(promise.catch((error) => wrong.push(String(error))));
  const ticker = (async () => {
    for (let i = 0; !over; ++i) {
      spawned(write());
      // A token that is known is never taken for a bad one, a bad one never for a good one; keys are there for everybody.
      if (i % 4 === 0) spawned(check('a good token', '/tables/plain/row-1', headers, [200, 503]));
      if (i % 4 === 1) spawned(check('a bad token', '/tables/plain/row-1', stranger, [401]).then((ms) => times.push(ms)));
      if (i % 4 === 2) spawned(check('the keys', '/.well-known/jwks.json', {}, [200]).then((ms) => times.push(ms)));
      await wait(1000 / rate);
    }
  })();
  await wait(2000);
  const killed = performance.now();
  await primary.kill();
  await standby.promote();
  const promotion = performance.now() - killed;
  const before = acknowledged.length;
  for (const end = performance.now() + 30_000; acknowledged.length === before;) {
    assert.ok(performance.now() < end, `no write came through after the promotion: ${node.lines.slice(-3).join('\n')}`);
    await wait(10);
  }
  await wait(2000);
  over = true;
  await ticker;
  await Promise.all(under);

  const lost = [];
  for (const id of acknowledged) if ((await node.call('GET', `/tables/plain/${id}`, {headers})).status !== 200) lost.push(id);
  const outage = Math.max(...gaps), checks = {p50: percentile(times, 0.5), p99: percentile(times, 0.99), most: Math.max(...times)};
  console.log(`# ${acknowledged.length} of ${sent} writes acknowledged, ${lost.length} lost; promotion ${promotion.toFixed(0)} ms, writes away ${outage.toFixed(0)} ms; `
    + `${times.length} checks without the database: p50 ${checks.p50.toFixed(0)} ms, p99 ${checks.p99.toFixed(0)} ms, slowest ${checks.most.toFixed(0)} ms`);
  assert.deepEqual(lost, []);
  assert.deepEqual(wrong.slice(0, 5), []);
  assert.ok(acknowledged.length > 100, 'there was a load');
  figure(outage <= promotion + 2000, `writes were away for ${outage.toFixed(0)} ms, promotion took ${promotion.toFixed(0)} ms`);
  figure(checks.most < 1000, `a check took ${checks.most.toFixed(0)} ms`);
  node.agent.destroy();
  await node.stop();
  await standby.end();
  await primary.end();
});
