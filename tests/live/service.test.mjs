// Services and their folders at a running server: deployed, used by an app, rolled back, pulled; a path of their own; keys.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHmac, createHash} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated, root, signIn} from './harness.mjs';

const tenant = `
tenant: services
settings: {hosts: [localhost]}
connections: {db: {strategy: auth0}}
users: [{email: ana@example.org, name: Ana, email_verified: true, password: correct horse battery staple}]
services:
  third:
    application_key: third-application-key
    master_key: third-master-key
    v2_signing_keys: [third-v2-signing-key-of-many-letters]
    login: {token: v2}
    tables: {Shared: {permissions: authenticated}}
  default:
    login: {token: v1}
    application_key: first-application-key
    master_key: first-master-key
    v2_signing_keys: [first-v2-signing-key-of-many-letters]
    tables: {Shared: {permissions: authenticated}}
  second:
    prefix: /old/second
    login: {token: own}
    application_key: second-application-key
    master_key: second-master-key
    v2_signing_keys: [second-v2-signing-key-of-many-letters]
    cors_hosts: [pages.example]
    settings: {MS_DynamicSchemaEnabled: "false", pageSize: "3"}
    tables:
      Shared: {permissions: authenticated}
      Open: {permissions: public, soft_delete: true, columns: {text: string}}
`;
let server;
before(async () => { server = await new Mandated({tenant, env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}}).start(); });
after(() => server.stop());

const b64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (claims, key) => { const text = `${b64({alg: 'HS256', typ: 'JWT', kid: '0'})}.${b64(claims)}`; return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`; };
const exp = () => Math.floor(Date.now() / 1000) + 3600;
/** A V1 token (mobile-backend-wire 4.1). */
const v1 = (uid, master = 'first-master-key') => signed({exp: exp(), iss: 'urn:microsoft:windows-azure:zumo', ver: 2, aud: 'Custom', uid}, createHash('sha256').update(`${master}JWTSig`).digest());
const v2 = (sub, key, place) => signed({exp: exp(), iss: place, aud: place, ver: '3', sub}, key);
const ask = (method, path, {token, ...more} = {}) => server.call(method, path, {...more, headers: {...(token ? {'X-ZUMO-AUTH': token} : {}), ...more.headers}});
const cli = (...args) => server.cli(...args);
const good = (told) => { assert.equal(told.status, 0, told.stdout + told.stderr); return told.stdout; };
const refused = (told) => { assert.notEqual(told.status, 0, told.stdout); return told.stderr; };
const folder = (name, files) => {
  const path = join(server.directory, name);
  rmSync(path, {recursive: true, force: true});
  for (const [file, text] of Object.entries(files)) { mkdirSync(join(path, file, '..'), {recursive: true}); writeFileSync(join(path, file), text); }
  return path;
};
const open = JSON.stringify({routes: {'*': {'*': {permission: 'public'}}}});

test('the app of 2014 is deployed as it is: tables, permissions, scripts, a custom API, a job, a module that npm installs', async () => {
  const app = join(server.directory, 'app');
  cpSync(join(root, 'examples/mobile-service-v1'), app, {recursive: true});
  const dry = good(cli('service', 'deploy', app, '--dry-run'));
  assert.match(dry, /Would run version 1/);
  assert.equal((await ask('GET', '/tables/TodoItem', {token: v1('Custom:ana')})).status, 404);
  const told = good(cli('service', 'deploy', app, '--note', 'as it was'));
  assert.match(told, /\+ table\/TodoItem\.insert\.js/);
  assert.match(told, /\+ node_modules\/plural\/index\.js/);
  assert.match(told, /Runs version 1/);
  assert.match(good(cli('service', 'deploy', app)), /Nothing to change: version 1 runs/);
  assert.ok(!existsSync(join(app, 'service/node_modules')), 'npm worked in a copy');

  const ana = v1('Custom:ana'), ben = v1('Custom:ben');
  assert.equal((await ask('POST', '/tables/TodoItem', {body: {text: 'x'}})).status, 401);
  const made = await ask('POST', '/tables/TodoItem', {token: ana, body: {text: '  buy   milk ', userId: 'Custom:ben'}});
  assert.equal(made.status, 201, made.text);
  assert.equal(made.json.text, 'buy milk');
  assert.equal(made.json.userId, 'Custom:ana');
  assert.equal((await ask('POST', '/tables/TodoItem', {token: ana, body: {text: ' '}})).status, 400);
  assert.deepEqual((await ask('GET', '/tables/TodoItem', {token: ben})).json, []);
  assert.equal((await ask('GET', '/tables/TodoItem', {token: ana})).json.length, 1);
  assert.equal((await ask('PATCH', `/tables/TodoItem/${made.json.id}`, {token: ben, body: {complete: true}})).status, 404);
  const done = await ask('PATCH', `/tables/TodoItem/${made.json.id}`, {token: ana, body: {complete: true}});
  assert.equal(done.status, 200, done.text);

  assert.equal((await ask('GET', '/api/stats')).status, 401);
  const stats = await ask('GET', '/api/stats', {token: ana});
  assert.equal(stats.status, 200, stats.text);
  assert.deepEqual(stats.json, {items: 1, done: 1, text: '1 item'});

  const job = await ask('POST', '/jobs/archive', {headers: {'X-ZUMO-MASTER': 'first-master-key'}});
  assert.ok(job.status < 300, `${job.status} ${job.text}`);
  let archived = [];
  for (const until = Date.now() + 20_000; Date.now() < until && !archived.length;)
    archived = (await ask('GET', '/tables/Archive', {headers: {'X-ZUMO-MASTER': 'first-master-key'}})).json ?? [];
  assert.equal(archived[0]?.text, 'buy milk');
  assert.match(good(cli('service', 'list')), /default {2}version 1, \d+ tables, 1 API, 1 job {2}\/s\/default/);
});

test('a version is one change: a mistake changes nothing, rollback brings the one before back', async () => {
  const files = {'table/Notes.json': open, 'table/Notes.insert.js': 'function insert(item, user, request) { item.made = require("../shared/word"); request.execute(); }', 'shared/word.js': 'module.exports = "one";'};
  good(cli('service', 'create', 'notes'));
  const path = folder('notes', files);
  const of = (method, rest, more) => ask(method, `/s/notes${rest}`, more);
  good(cli('service', 'deploy', path, '--service', 'notes'));
  assert.equal((await of('POST', '/tables/Notes', {body: {}})).json.made, 'one');
  writeFileSync(join(path, 'shared/word.js'), 'module.exports = "two";');
  assert.match(good(cli('service', 'deploy', path, '--service', 'notes', '--note', 'two')), /~ shared\/word\.js[\s\S]*Runs version 2, after version 1/);
  assert.equal((await of('POST', '/tables/Notes', {body: {}})).json.made, 'two');
  writeFileSync(join(path, 'table/Notes.read.js'), 'function read(query, user, request) { this is no JavaScript }');
  assert.match(refused(cli('service', 'deploy', path, '--service', 'notes')), /table\/Notes\.read\.js/);
  assert.equal((await of('POST', '/tables/Notes', {body: {}})).json.made, 'two');
  assert.match(good(cli('service', 'rollback', '--service', 'notes')), /Runs version 1, after version 2/);
  assert.equal((await of('POST', '/tables/Notes', {body: {}})).json.made, 'one');
  const versions = good(cli('service', 'versions', '--service', 'notes'));
  assert.match(versions, /^ {2}2 .*two$/m);
  assert.match(versions, /^\* 1 /m);
  assert.match(refused(cli('service', 'rollback', '9', '--service', 'notes')), /has no version 9/);
});

test('what must not be in a folder is refused by name; links are passed over', () => {
  const path = folder('wrong', {'shared/x.js': '1', 'node_modules/fast/build/fast.node': 'ELF'});
  assert.match(refused(cli('service', 'deploy', path)), /node_modules\/fast\/build\/fast\.node is a native module/);
  assert.match(refused(cli('service', 'deploy', folder('empty', {'.git/config': ''}))), /folder is empty/);
  assert.match(refused(cli('service', 'deploy', join(path, 'nowhere'))), /is no folder/);
  assert.match(refused(cli('service', 'deploy', folder('other', {'shared/x.js': '1'}), '--service', 'nobody')), /There is no service 'nobody'/);
  const linked = folder('linked', {'shared/x.js': '1'});
  symlinkSync('/etc/hostname', join(linked, 'shared/hostname.js'));
  const told = cli('service', 'deploy', linked, '--dry-run');
  assert.match(told.stderr, /shared\/hostname\.js is a symbolic link and was passed over/);
  assert.ok(!told.stdout.includes('hostname'));
});

test('pull writes what runs, and over nothing that is not deployed', () => {
  const path = folder('pulled', {});
  mkdirSync(path);
  good(cli('service', 'pull', path, '--service', 'notes'));
  assert.equal(readFileSync(join(path, 'shared/word.js'), 'utf8'), 'module.exports = "one";');
  writeFileSync(join(path, 'shared/word.js'), 'changed here');
  writeFileSync(join(path, 'new.js'), '');
  const told = refused(cli('service', 'pull', path, '--service', 'notes'));
  assert.match(told, /shared\/word\.js differs/);
  assert.match(told, /new\.js is not in the service/);
  good(cli('service', 'pull', path, '--service', 'notes', '--version', '2', '--force'));
  assert.equal(readFileSync(join(path, 'shared/word.js'), 'utf8'), 'module.exports = "two";');
  good(cli('service', 'types', path, '--service', 'notes'));
  assert.match(readFileSync(join(path, 'mandate.d.ts'), 'utf8'), /Notes: \{\n {4}id: string;\n(.*\n)*? {4}made\?: string \| null;/);
});

test('watch deploys at each change, and waits after a mistake', async () => {
  const path = folder('watched', {'shared/x.js': '1'});
  good(cli('service', 'create', 'watched'));
  const watching = spawn(join(root, process.env.MANDATE_BUILD ?? 'build/dev', 'cli/mandate'), ['--socket', join(server.data, 'admin.sock'), 'service', 'watch', path, '--service', 'watched']);
  let told = '', heard = () => {};
  for (const stream of [watching.stdout, watching.stderr]) stream.on('data', (d) => { told += d; heard(); });
  const says = (what) => new Promise((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`not said: ${what}\n${told}`)), 30_000);
    heard = () => { if (what.test(told)) { clearTimeout(timer); done(); } };
    heard();
  });
  try {
    await says(/Runs version 1:/);
    mkdirSync(join(path, 'api'));
    writeFileSync(join(path, 'api/hello.js'), 'exports.get = function (req, res) { res.send(200, "hello"); }');
    await says(/\+ api\/hello\.js[\s\S]*after version/);
    writeFileSync(join(path, 'api/hello.js'), 'exports.get = ((');
    await says(/mandate: api\/hello\.js/);
    writeFileSync(join(path, 'api/hello.js'), 'exports.get = 2');
    await says(/~ api\/hello\.js/);
  } finally {
    watching.kill();
  }
});

test('every door of a service is below its own paths: tables in each dialect with their links, preflights, tokens', async () => {
  for (const place of ['/s/second', '/old/second']) {
    const made = await ask('POST', `${place}/tables/Open`, {body: {text: 'a'}, headers: {'X-ZUMO-APPLICATION': 'second-application-key'}});
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.location, `${server.base}${place}/tables/Open/${made.json.id}`);
    for (const text of ['b', 'c', 'd']) await ask('POST', `${place}/tables/Open`, {body: {text}, headers: {'ZUMO-API-VERSION': '2.0.0'}});
    const page = await ask('GET', `${place}/tables/Open`, {headers: {'ZUMO-API-VERSION': '2.0.0'}});
    assert.equal(page.json.length, 3, 'pageSize of the service');
    const next = page.headers.link.match(/^(\S+); rel=next$/)[1];
    assert.ok(next.startsWith(`${server.base}${place}/tables/Open?`), next);
    assert.ok((await ask('GET', next.slice(server.base.length), {headers: {'ZUMO-API-VERSION': '2.0.0'}})).json.length >= 1);
    const v3 = await ask('GET', `${place}/tables/Open?$top=10`, {headers: {'X-ZUMO-Options': 'nextLink=path', 'ZUMO-API-VERSION': '3.0.0'}});
    if (v3.json.nextLink) assert.ok(v3.json.nextLink.startsWith(`${place}/tables/Open?`), v3.json.nextLink);
    const unknown = await ask('POST', `${place}/tables/Open`, {body: {text: 'x', other: 1}, headers: {'ZUMO-API-VERSION': '2.0.0'}});
    assert.equal(unknown.status, 400, 'MS_DynamicSchemaEnabled is off');
    const asked = await ask('OPTIONS', `${place}/tables/Open`, {headers: {Origin: 'https://pages.example', 'Access-Control-Request-Method': 'GET'}});
    assert.equal(asked.headers['access-control-allow-origin'], 'https://pages.example');
    assert.equal((await ask('GET', `${place}/status`)).status, 200);
    assert.equal((await ask('POST', `${place}/push/registrationids`, {headers: {'X-ZUMO-APPLICATION': 'second-application-key'}})).headers.location?.split('/push/')[0], `${server.base}${place}`);
  }
  const here = await ask('OPTIONS', '/tables/Shared', {headers: {Origin: 'https://pages.example', 'Access-Control-Request-Method': 'GET'}});
  assert.equal(here.headers['access-control-allow-origin'], undefined);
  for (const path of ['/s/nobody/tables/Open', '/old/tables/Open', '/s/second', '/old/second/nothing', '/s/second/s/second/tables/Open'])
    assert.equal((await ask('GET', path)).status, 404, path);
});

test('a token or a key of one service is void at the other, by V1 and V2, at either path', async () => {
  const tokens = {
    default: [v1('Custom:ana', 'first-master-key'), v2('sid:1', 'first-v2-signing-key-of-many-letters', `${server.base}/`)],
    second: [v1('Custom:ana', 'second-master-key')],
  };
  for (const [home, list] of Object.entries(tokens))
    for (const token of list)
      for (const [place, name] of [['', 'default'], ['/s/default', 'default'], ['/s/second', 'second'], ['/old/second', 'second']])
        assert.equal((await ask('GET', `${place}/tables/Shared`, {token, headers: {'ZUMO-API-VERSION': '2.0.0'}})).status, name === home ? 200 : 401, `a token of ${home} at ${place}`);
  for (const place of ['/s/second', '/old/second']) {
    const token = v2('sid:1', 'second-v2-signing-key-of-many-letters', `${server.base}${place}/`);
    assert.equal((await ask('GET', `${place}/tables/Shared`, {token, headers: {'ZUMO-API-VERSION': '2.0.0'}})).status, 200, place);
    assert.equal((await ask('GET', '/tables/Shared', {token, headers: {'ZUMO-API-VERSION': '2.0.0'}})).status, 401);
  }
  for (const [place, key, status] of [['', 'first-master-key', 200], ['', 'second-master-key', 401], ['/s/second', 'second-master-key', 200], ['/s/second', 'first-master-key', 401]])
    assert.equal((await ask('GET', `${place}/tables/Shared`, {headers: {'X-ZUMO-MASTER': key}})).status, status, `${key} at ${place}`);
});

test('people log in at a service\'s own path; what they are given is void at every other service', async () => {
  const places = {'': 'default', '/s/default': 'default', '/s/second': 'second', '/old/second': 'second', '/s/third': 'third'}, tokens = [];
  for (const [place, home] of Object.entries(places)) {
    const end = await signIn(server, `${place}/login/db`, 'ana@example.org', 'correct horse battery staple', (l) => l.includes('/login/done#'));
    assert.ok(end.startsWith(`${server.base}${place}/login/done#token=`), end);
    const {authenticationToken} = JSON.parse(decodeURIComponent(end.split('#token=')[1]));
    tokens.push([place, home, authenticationToken]);
    assert.equal((await ask('GET', `${place}/login/done`)).status, 200);
  }
  for (const [from, home, token] of tokens)
    for (const [place, name] of Object.entries(places)) {
      // A V2 token names the path it was given for; at another path of the same service it is another place.
      const status = (await ask('GET', `${place}/tables/Shared`, {token, headers: {'ZUMO-API-VERSION': '2.0.0'}})).status;
      assert.equal(status, name === home ? 200 : 401, `a token from ${from || '/'} at ${place || '/'}`);
    }
});

test('keys are replaced with an overlap, or at once', async () => {
  const master = (key) => ask('GET', '/s/second/tables/Shared', {headers: {'X-ZUMO-MASTER': key}}).then((a) => a.status);
  const told = good(cli('service', 'keys', 'rotate', 'master', '--service', 'second'));
  const fresh = told.match(/^ {2}(\S+)$/m)[1];
  assert.match(told, /counts until/);
  assert.deepEqual([await master(fresh), await master('second-master-key')], [200, 200]);
  assert.equal((await ask('GET', '/s/second/tables/Shared', {token: v1('Custom:ana', 'second-master-key')})).status, 200);
  const again = good(cli('service', 'keys', 'rotate', 'master', '--service', 'second', '--overlap', '0')).match(/^ {2}(\S+)$/m)[1];
  assert.deepEqual([await master(again), await master(fresh), await master('second-master-key')], [200, 401, 401]);
  assert.equal((await ask('GET', '/s/second/tables/Shared', {token: v1('Custom:ana', 'second-master-key')})).status, 401);
  assert.match(refused(cli('service', 'keys', 'rotate', 'master', '--overlap', 'soon')), /--overlap must look like/);
});

test('a version that runs is there after kill -9, and what a killed deployment left is none', async () => {
  const path = folder('heavy', {'shared/x.js': 'module.exports = 1;'});
  good(cli('service', 'create', 'heavy'));
  good(cli('service', 'deploy', path, '--service', 'heavy'));
  for (let i = 0; i < 400; ++i) writeFileSync(join(path, `shared/f${i}.js`), `module.exports = "${createHash('sha256').update(String(i)).digest('hex').repeat(50)}";`);
  const deploying = spawn(join(root, process.env.MANDATE_BUILD ?? 'build/dev', 'cli/mandate'), ['--socket', join(server.data, 'admin.sock'), 'service', 'deploy', path, '--service', 'heavy']);
  let said = '';
  deploying.stdout.on('data', (d) => (said += d));
  const ended = new Promise((done) => deploying.on('exit', done));
  await new Promise((done) => setImmediate(done));
  await server.kill();
  await ended;
  server.tenant = undefined;
  await server.start();
  const versions = good(cli('service', 'versions', '--service', 'heavy'));
  const whole = /^\* 2 .* 401 files/m.test(versions);
  assert.ok(whole || (/^\* 1 .* 1 file,/m.test(versions) && !/^ *2 /m.test(versions)), versions);
  if (/Runs version 2/.test(said)) assert.ok(whole, 'what was acknowledged is there');
  good(cli('service', 'deploy', path, '--service', 'heavy'));
  assert.match(good(cli('service', 'versions', '--service', 'heavy')), /^\* 2 .* 401 files/m);
  assert.equal((await ask('POST', '/tables/TodoItem', {token: v1('Custom:ana'), body: {text: 'after it'}})).status, 201);
});

test('a service goes with its tables when that is said', async () => {
  assert.match(refused(cli('service', 'delete', 'notes')), /has 1 tables/);
  good(cli('service', 'delete', 'notes', '--force'));
  assert.equal((await ask('GET', '/s/notes/tables/Notes')).status, 404);
  assert.match(refused(cli('service', 'delete', 'default', '--force')), /default service stays/);
  good(cli('service', 'create', 'notes'));
  assert.match(good(cli('service', 'versions', '--service', 'notes')), /Nothing was deployed yet/);
  good(cli('service', 'deploy', folder('notes', {'table/Notes.json': open}), '--service', 'notes'));
  assert.deepEqual((await ask('GET', '/s/notes/tables/Notes')).json, [], 'no rows of the one before');
});
