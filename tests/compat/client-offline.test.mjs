// The offline tests inside npm azure-mobile-apps-client 2.0.1 (sdk/test), unmodified, against a live mandated: its sync tables push
// and pull, with conflicts, over the SQLite store that its Cordova apps have.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated} from '../live/harness.mjs';
import {QUnit, sqlitePlugin} from './sdk_tests.mjs';
import {browserGlobals} from './xhr.mjs';

const require = createRequire(import.meta.url);
const suite = join(dirname(require.resolve('azure-mobile-apps-client/package.json')), 'sdk/test');
let server;

before(async () => {
  server = await new Mandated({tenant: `
tenant: offline
settings: {hosts: [localhost]}
services:
  default: {tables: {todoitem: {permissions: public, soft_delete: true}}}
`}).start();
  browserGlobals(server.ca);
  Object.assign(globalThis, {window: globalThis, cordova: {version: '6'}, sqlitePlugin, QUnit: new QUnit()});
});
after(() => server?.stop());

test('its offline functional tests: 31 of 31', async () => {
  require(join(suite, 'tests/target/cordova/config.js')).server = server.base;
  for (const file of ['constants.js', 'testframework.js']) require(join(suite, 'misc', file));
  require(join(suite, 'tests/target/cordova/offline.functional.tests.js'));
  globalThis.$run();
  const results = await globalThis.QUnit.run();
  assert.deepEqual(results.filter(([, , failures]) => failures.length > 0), []);
  assert.equal(results.length, 31);
});
