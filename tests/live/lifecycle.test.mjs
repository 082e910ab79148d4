// Start, stop and the files around a running server.
import assert from 'node:assert/strict';
import {chmodSync, existsSync, readdirSync, statSync} from 'node:fs';
import net from 'node:net';
import {join} from 'node:path';
import test from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {Mandated, sqliteTest} from './harness.mjs';

const quick = {env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}};

test('SIGTERM: a request in flight is answered, the socket closes, the exit status is 0', async () => {
  const server = await new Mandated({tenant: tenant(), ...quick}).start();
  const slow = net.connect(server.port, '127.0.0.1');
  await new Promise((done) => slow.once('connect', done));
  const body = JSON.stringify({client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'});
  slow.write(`POST /oauth/ro HTTP/1.1\r\nHost: localhost:${server.port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`);
  await server.call('GET', '/health');  // the first part has been read by now
  server.child.kill('SIGTERM');
  let text = '';
  slow.on('data', (d) => (text += d));
  slow.write(body.slice(20));
  await new Promise((done) => slow.once('close', done));
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /connection: close/i);
  assert.deepEqual(await server.exited, {code: 0, signal: null});
});

sqliteTest('a second server on the same data is refused with one clear line', async () => {
  const server = await new Mandated(quick).start();
  const second = new Mandated(quick);
  second.data = server.data;
  second.directory = server.directory;
  await assert.rejects(second.start(), (e) => /mandated: .+/.test(e.message) && !/Sanitizer/.test(e.message));
  assert.equal((await server.call('GET', '/health')).status, 200);
  await server.stop();
});

const walk = (folder) => readdirSync(folder, {withFileTypes: true}).flatMap((f) => (f.isDirectory() ? [join(folder, f.name), ...walk(join(folder, f.name))] : [join(folder, f.name)]));

test('files are private', async () => {
  const server = await new Mandated({tenant: tenant(), ...quick}).start();
  for (const path of [server.data, ...walk(server.data), join(server.directory, 'master.key')]) {
    if (path.endsWith('.pem') && existsSync(path)) continue;  // certificates are public
    assert.equal(statSync(path).mode & 0o077, 0, path);
  }
  await server.stop();
});

sqliteTest('a database open to others is refused', async () => {
  const server = await new Mandated({tenant: tenant(), ...quick}).start();
  await server.kill('SIGTERM');
  const database = walk(server.data).find((f) => f.endsWith('compat.db'));
  chmodSync(database, 0o644);
  server.tenant = undefined;
  const outcome = await server.start().then(() => 'started', (e) => e.message);
  if (outcome === 'started') {  // the system store is fine, so the server may run; the open file must not be served
    const answer = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password}});
    assert.notEqual(answer.status, 200);
    await server.kill('SIGTERM');
  } else {
    assert.match(outcome, /compat\.db|open to others|readable/);
  }
});

test('no planted secret stands in the data files or in the log', async () => {
  const server = await new Mandated({tenant: tenant(), args: ['--log-level', 'debug'], ...quick}).start();
  const login = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid offline_access', device: 'd'}});
  assert.equal(login.status, 200, login.text);
  await server.call('GET', `/userinfo?access_token=${login.json.access_token}`);
  await server.call('POST', '/oauth/token', {body: {grant_type: 'client_credentials', client_id: 'worker', client_secret: 'worker-secret-worker-secret-worker-secret', audience: 'https://orders.example'}});
  await server.kill('SIGTERM');
  const secrets = {password: ana.password, 'client secret': 'worker-secret-worker-secret', 'master key of the service': 'mandate-test-master-key',
    'application key': 'compat-application-key', 'refresh token': login.json.refresh_token, 'access token': login.json.access_token};
  const files = server.stored();
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [file, text] of files)
      for (const form of [secret, Buffer.from(secret).toString('hex')]) assert.ok(!text.includes(form), `the ${name} stands in ${file}`);
    assert.ok(!server.lines.join('\n').includes(secret), `the ${name} stands in the log`);
  }
  assert.ok(!server.lines.join('\n').includes(login.json.id_token.slice(0, 60)), 'an id_token stands in the log');
  for (const line of server.lines) assert.doesNotThrow(() => JSON.parse(line), line);
});

test('a wrong option, or a wrong value, is refused with a line that names it', async () => {
  for (const [args, pattern] of [[['--no-such-option', '1'], /no.such.option/], [['--port', '99999'], /port/], [['--log-level', 'loud'], /log.level/]])
    await assert.rejects(new Mandated({args}).start(), (e) => pattern.test(e.message));
});

test('TLS and plain HTTP meet on one port', async () => {
  const server = await new Mandated(quick).start();
  assert.equal((await server.call('GET', '/health')).status, 200);
  assert.equal((await server.call('GET', '/health', {plain: true})).status, 200);
  await server.stop();
});
