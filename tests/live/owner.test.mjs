// The owner's command against a running server.
import assert from 'node:assert/strict';
import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {ana, tenant} from '../compat/tenant.mjs';
import {Mandated, root} from './harness.mjs';

let server;
before(async () => { server = await new Mandated({tenant: tenant(), env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}}).start(); });
after(() => server.stop());

test('applying the same file again changes nothing; a dry run changes nothing either', () => {
  const again = server.apply(tenant());
  assert.match(again, /nothing|no change|up to date/i);
  const file = join(server.directory, 'changed.yaml');
  writeFileSync(file, tenant().replaceAll('{{port}}', String(server.port)).replace('legacy-js]', 'legacy-js, modern]'));
  const dry = server.cli('apply', file, '--dry-run');
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, /todo-backend/);
  assert.match(server.apply(tenant()), /nothing|no change|up to date/i);
});

test('the tutorial\'s own file applies from its folder, scripts and all', () => {
  const told = server.cli('apply', join(root, 'examples/todo/tenant.yaml'), '--dry-run');
  assert.equal(told.status, 0, told.stdout + told.stderr);
});

test('what export writes, apply finds unchanged', () => {
  const told = server.cli('export');
  assert.equal(told.status, 0, told.stderr);
  assert.ok(!told.stdout.includes('mandate-test-master-key'));
  const file = join(server.directory, 'export.yaml');
  writeFileSync(file, told.stdout);
  const again = server.cli('apply', file);
  assert.equal(again.status, 0, again.stdout + again.stderr);
  assert.match(again.stdout, /nothing|no change|up to date/i);
});

test('an export with secrets is readable by its owner alone, also where a file lay before', () => {
  const file = join(server.directory, 'secrets.yaml');
  writeFileSync(file, 'something longer than nothing', {mode: 0o644});
  const told = server.cli('export', '--with-secrets', '--master-key-file', join(server.directory, 'master.key'), '-o', file);
  assert.equal(told.status, 0, told.stdout + told.stderr);
  assert.match(readFileSync(file, 'utf8'), /master_key: /);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a mistake in the file is named by its path, and nothing is applied', () => {
  const file = join(server.directory, 'wrong.yaml');
  writeFileSync(file, 'tenant: compat\nclients:\n  bad: {callbacks: ["javascript:alert(1)"], grant_types: [made_up]}\n');
  const told = server.cli('apply', file);
  assert.notEqual(told.status, 0);
  assert.match(told.stdout + told.stderr, /clients\.bad\.callbacks/);
  assert.match(told.stdout + told.stderr, /clients\.bad\.grant_types/);
});

test('scripts are put, checked, listed and read back; their console is shown', async () => {
  const file = join(server.directory, 'insert.js');
  writeFileSync(file, 'function insert(item, user, request) { console.log("from the script", user.userId); item.userId = user.userId; request.execute(); }');
  assert.equal(server.cli('script', 'put', 'TodoItem', 'insert', file).status, 0);
  assert.match(server.cli('script', 'list').stdout, /TodoItem/);
  assert.match(server.cli('script', 'get', 'TodoItem', 'insert').stdout, /from the script/);
  writeFileSync(file, 'function insert(item, user, request) { this is no JavaScript }');
  const broken = server.cli('script', 'put', 'TodoItem', 'insert', file);
  assert.notEqual(broken.status, 0);
  const login = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'}});
  const delegated = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token: login.json.id_token, target: 'todo-backend'}});
  const made = await server.call('POST', '/tables/TodoItem', {headers: {'X-ZUMO-AUTH': delegated.json.id_token, 'ZUMO-API-VERSION': '2.0.0'}, body: {text: 'x'}});
  assert.equal(made.status, 201, made.text);
  let logs = '';
  for (const until = Date.now() + 10_000; Date.now() < until && !/from the script/.test(logs);) logs = server.cli('script', 'logs').stdout;
  assert.match(logs, /from the script auth0\|/);
});

test('explain says which check refuses', () => {
  const good = server.cli('delegation', 'explain', '--client', 'todo', '--target', 'todo-backend', '--user', ana.email);
  assert.equal(good.status, 0, good.stdout + good.stderr);
  const bad = server.cli('delegation', 'explain', '--client', 'modern', '--target', 'todo-backend', '--user', ana.email);
  assert.match(bad.stdout, /todo-backend/);
  assert.match(bad.stdout, /no|refus|not|✗/i);
});

test('keys rotate: old id_tokens still verify, new ones carry the new key', async () => {
  const kid = async () => (await server.call('GET', '/.well-known/jwks.json')).json.keys.map((k) => k.kid);
  const login = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'}});
  const before = await kid();
  const told = server.cli('keys', 'rotate');
  assert.equal(told.status, 0, told.stdout + told.stderr);
  const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
  const next = await server.call('POST', '/oauth/ro', {body: {client_id: 'todo', connection: 'Username-Password-Authentication', username: ana.email, password: ana.password, scope: 'openid'}});
  assert.notEqual(header(next.json.id_token).kid, header(login.json.id_token).kid);
  assert.ok(before.includes(header(next.json.id_token).kid), 'the next key was not published before it signed');
  const old = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token: login.json.id_token, target: 'todo-backend'}});
  assert.equal(old.status, 200, old.text);
});

test('check finds everything sound, config --explain prints the table, and no server is one clear line', () => {
  const check = server.cli('check');
  assert.equal(check.status, 0, check.stdout + check.stderr);
  const table = server.cli('config', '--explain');
  assert.match(table.stdout, /data_dir/);
  const other = new Mandated();
  const told = other.cli('check');
  assert.notEqual(told.status, 0);
  assert.equal(told.stderr.trim().split('\n').length, 1, told.stderr);
});
