// An app from one deployment to the next, and what it does wrong: what its author is told, and that nobody else is worse off.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated} from '../live/harness.mjs';
import {key, token} from './opinions.mjs';

const tenant = `
tenant: changes
settings: {hosts: [localhost]}
services:
  default: {}
  app: {v2_signing_keys: ["${key}"]}
`;
const main = `
var app = require('express')(), mobile = require('azure-mobile-apps')();
mobile.tables.import('./tables');
mobile.api.import('./api');
app.use(mobile);
app.use(function (req, res) { res.status(404).send('There is nothing here'); });
app.listen(process.env.PORT || 3000);
`;
const table = (text) => `var table = module.exports = require('azure-mobile-apps').table();\n${text}\n`;

let server;
before(async () => { server = await new Mandated({tenant}).start(); });
after(() => server?.stop());

/** The arguments that deploy a folder of these files. */
function folder(files) {
  const root = join(server.directory, 'app');
  rmSync(root, {recursive: true, force: true});
  for (const [path, text] of Object.entries({'app.js': main, 'package.json': '{"main": "app.js", "dependencies": {"azure-mobile-apps": "^4.0.2", "express": "^4.12.3"}}', ...files})) {
    mkdirSync(dirname(join(root, path)), {recursive: true});
    writeFileSync(join(root, path), text);
  }
  return ['service', 'deploy', root, '--service', 'app'];
}
const deploy = (files) => server.cli(...folder(files));
function deployed(files) {
  const told = deploy(files);
  assert.equal(told.status, 0, told.stdout + told.stderr);
  return told.stdout;
}
const call = (method, path, body, headers = {}) => server.call(method, `/s/app${path}`, {body, headers: {'ZUMO-API-VERSION': '2.0.0', ...headers}});
/** The lines of the service's code, once one of them is like that. */
function logged(pattern) {
  let lines = '';
  for (const until = Date.now() + 30_000; Date.now() < until && !pattern.test(lines);) lines = server.cli('logs', '--service', 'app').stdout;
  assert.match(lines, pattern);
  return lines;
}

test('a first row is sown once, and what is wrong with a new version leaves the old one running', async () => {
  const first = {'tables/Tip.js': table('table.seed = [{id: "1", text: "one"}, {id: "2", text: "two"}]; table.read(function (context) { context.res.set("X-Version", "1"); return context.execute(); });')};
  assert.match(deployed(first), /2 first rows of table Tip/);
  assert.match(deployed(first), /Nothing to change: version 1 runs/);
  assert.equal((await call('DELETE', '/tables/Tip/1')).status, 200);

  const thrown = deploy({...first, 'tables/Broken.js': table('\nthrow new Error("not today");')});
  assert.notEqual(thrown.status, 0);
  assert.match(thrown.stdout + thrown.stderr, /Error: not today\n.* at .*\/tables\/Broken\.js:3:7/);
  const misspelt = deploy({...first, 'tables/Broken.js': table('table.columns = {text: "varchar", _x: "string"};')});
  assert.match(misspelt.stdout + misspelt.stderr, /table Broken: column text: the type must be string, number, boolean or datetime/);
  const unparsed = deploy({...first, 'api/odd.js': 'module.exports = {get: function (req, res {} };'});
  assert.match(unparsed.stdout + unparsed.stderr, /api\/odd\.js:1/);

  const second = {...first, 'tables/Tip.js': first['tables/Tip.js'].replace('"1");', '"2");')};
  assert.doesNotMatch(deployed(second), /first rows/);
  const tips = await call('GET', '/tables/Tip');
  assert.deepEqual([tips.headers['x-version'], tips.json.map((row) => row.id)], ['2', ['2']]);
});

test('a table that the app no longer has is not served, and its rows are there when it has it again', async () => {
  deployed({'tables/Mine.js': table('table.read(function (context) { context.query.where({owner: "ana"}); return context.execute(); });')});
  for (const [id, owner] of [['a', 'ana'], ['b', 'ben']]) assert.equal((await call('POST', '/tables/Mine', {id, owner})).status, 201);
  deployed({'tables/Other.js': table('')});
  assert.equal((await call('GET', '/tables/Mine')).status, 404, 'nobody reads without the handlers that stood around it');
  assert.equal((await call('POST', '/tables/Mine', {id: 'c'})).status, 404);
  assert.equal((await call('GET', '/tables/Other')).status, 200);
  const back = server.cli('service', 'rollback', '--service', 'app');
  assert.equal(back.status, 0, back.stdout + back.stderr);
  assert.deepEqual((await call('GET', '/tables/Mine')).json.map((row) => row.id), ['a']);
});

test('a service that leaves its app serves none of the rows that the app kept apart', async () => {
  const mine = {'tables/Kept.js': table('table.read(function (context) { context.query.where({owner: "ana"}); return context.execute(); });')};
  deployed({...mine, 'app.js': "module.exports = require('./lib/start');", 'lib/start.js': main.replaceAll("'./", "'../")});
  for (const [id, owner] of [['a', 'ana'], ['b', 'ben']]) assert.equal((await call('POST', '/tables/Kept', {id, owner})).status, 201);
  assert.deepEqual((await call('GET', '/tables/Kept')).json.map((row) => row.id), ['a']);
  const without = deploy({...mine, 'app.js': '// nothing'});
  assert.match(without.stdout + without.stderr, /app\.js: makes no app/);
  assert.match(deployed({'app.js': '// nothing', 'table/Old.insert.js': 'function insert(item, user, request) { request.execute(); }'}), /! table kept: there is no app any more, and no file names it, so it is not served/);
  assert.equal((await call('GET', '/tables/Kept')).status, 404);
  deployed(mine);
  assert.deepEqual((await call('GET', '/tables/Kept')).json.map((row) => row.id), ['a']);
});

test('what app.js would keep from the tables by a route of Express refuses the deployment', async () => {
  const guarded = deploy({'tables/T.js': table(''), 'app.js': main.replace("app.use(mobile);", "app.all('/tables/*', function (req, res, next) { if (req.get('x-secret')) next(); else res.status(403).end(); });\napp.use(mobile);")});
  assert.notEqual(guarded.status, 0);
  assert.match(guarded.stdout + guarded.stderr, /all\('\/tables\/\*'\) of Express stands before the tables or APIs/);
});

test('of two deployments at once each is whole or refused', async () => {
  const version = (n) => ({'tables/T.js': table(`table.read(function (context) { context.res.set("X-Version", "${n}"); return context.execute(); });`), [`tables/Only${n}.js`]: table('')});
  const run = (args) => new Promise((done) => {
    const child = spawn(join(server.build, 'cli/mandate'), ['--socket', join(server.data, 'admin.sock'), ...args]);
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('close', (status) => done({status, text}));
  });
  const asked = [];
  for (const n of [1, 2]) {
    const [service, act, root, ...rest] = folder(version(n)), own = `${root}${n}`;
    rmSync(own, {recursive: true, force: true});
    renameSync(root, own);
    asked.push(run([service, act, own, ...rest]));
  }
  const told = await Promise.all(asked);
  assert.ok(told.some((each) => each.status === 0), told.map((each) => each.text).join());
  for (const each of told) if (each.status !== 0) assert.match(each.text, /changed|conflict|again/i);
  const now = (await call('GET', '/tables/T')).headers['x-version'];
  assert.equal((await call('GET', `/tables/Only${now}`)).status, 200);
  assert.equal((await call('GET', `/tables/Only${3 - now}`)).status, 404);
});

test('what an app does wrong is told to its author, and to its clients no more than that', async () => {
  deployed({
    'tables/T.js': table('table.insert(function (context) { if (context.item.text === "bad") throw new Error("a secret of the house"); return context.execute(); });\ntable.webhook = {url: "http://192.0.2.1:9/hook"};'),
    'tables/Odd.js': table('table.transforms = [async function (item) { return item; }];'),
    'tables/Diary.js': 'module.exports = require("azure-mobile-apps").table({perUser: true});',
    'api/push.js': 'module.exports = {get: function (req, res) { res.json({push: typeof req.azureMobile.push}); }, post: function (req, res) { req.azureMobile.push.send(null, {}); }, access: "anonymous"};\nmodule.exports.post.access = "authenticated";',
  });
  const bad = await call('POST', '/tables/T', {text: 'bad'});
  assert.equal(bad.status, 500);
  assert.doesNotMatch(bad.text, /secret/);
  logged(/a secret of the house\n? *.*at .*\/tables\/T\.js:2/s);
  assert.equal((await call('POST', '/tables/T', {text: 'good'})).status, 201);
  logged(/The webhook of table 'T' failed/);
  assert.equal((await call('POST', '/tables/Odd', {text: 'x'})).status, 500);
  logged(/A transform of table 'Odd' gave a promise/);
  assert.equal((await call('GET', '/tables/Diary')).status, 401);
  assert.equal((await call('POST', '/tables/Diary', {text: 'x'})).status, 401);
  assert.deepEqual((await call('GET', '/api/push')).json, {push: 'undefined'});
  assert.equal((await call('POST', '/api/push')).status, 401);
  assert.equal((await call('POST', '/api/push', undefined, {'X-ZUMO-AUTH': token('sid:ana')})).status, 500);
  logged(/TypeError: Cannot read propert.*undefined.*\/api\/push\.js:1/s);
});

test('settings of tables hold together: rows of one\'s own in fixed columns, rows that expire, indexes', async () => {
  deployed({
    'tables/Fixed.js': 'module.exports = {perUser: true, userIdColumn: "owner", dynamicSchema: false, columns: {text: "string", at: "date"}, indexes: ["text", ["text", "at"]]};',
    'tables/Fresh.js': table('table.recordsExpire = {minutes: 5};'),
    'tables/Numbered.json': '{"autoIncrement": true, "insert": {"authorize": true}}',
    'api/none.js': 'module.exports = {};',
  });
  const ana = {'X-ZUMO-AUTH': token('sid:ana')};
  const made = await call('POST', '/tables/Fixed', {id: 'a', text: 'one', at: '2015-02-01T00:00:00.000Z'}, ana);
  assert.deepEqual([made.status, made.json.owner, made.json.at], [201, 'sid:ana', '2015-02-01T00:00:00.000Z'], made.text);
  assert.equal((await call('POST', '/tables/Fixed', {id: 'b', other: 1}, ana)).status, 400);
  assert.deepEqual((await call('GET', '/tables/Fixed', undefined, {'X-ZUMO-AUTH': token('sid:ben')})).json, []);
  // What is sent back as it was read is no forgery.
  assert.equal((await call('PATCH', '/tables/Fixed/a', {id: 'a', text: 'two', owner: 'sid:ana'}, ana)).status, 200);
  assert.equal((await call('POST', '/tables/Fresh', {id: 'a'})).status, 201);
  assert.deepEqual((await call('GET', '/tables/Fresh?$select=id')).json, [{id: 'a'}]);
  assert.equal((await call('POST', '/tables/Numbered', {text: 'x'})).status, 401);
  assert.equal((await call('POST', '/tables/Numbered', {text: 'x'}, ana)).json.id, 1);
  assert.equal((await call('GET', '/api/none')).status, 404);
});
