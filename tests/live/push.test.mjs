// Messages from the desk and from scripts to devices, through receivers that check what the platforms would check.
import assert from 'node:assert/strict';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';
import {Receivers} from '../support/push_receivers.mjs';
import {Mandated} from './harness.mjs';

const key = 'push-application-key';
const yaml = (settings, scripts) => JSON.stringify({tenant: 'push', settings: {hosts: ['localhost']}, services: {default: {application_key: key, push: settings,
  tables: {Item: {permissions: 'public', scripts: {insert: scripts}}}}}});
const script = `function insert(item, user, request) {
  var options = { success: function () { request.respond(200, { told: true }); }, error: function (error) { request.respond(200, { status: error.statusCode, text: error.message }); } };
  if (item.how === 'apns') push.apns.send(item.to, { alert: item.text, badge: 3, payload: { id: 7 } }, options);
  else if (item.how === 'gcm') push.gcm.send(item.to, item.text, options);
  else if (item.how === 'wns') push.wns.sendToastText01(item.to, { text1: item.text }, options);
  else if (item.how === 'mpns') push.mpns.sendToast(item.to, { text1: item.text }, options);
  else if (item.how === 'tags') push.send(item.to, { message: item.text }, options);
  else push.apns.send('ff', { alert: 'nobody handles what goes wrong' });
}`;

async function house(fn) {
  const directory = mkdtempSync(join(tmpdir(), 'mandate-push-'));
  const receivers = await new Receivers().start(directory);
  const server = await new Mandated({tenant: yaml(receivers.settings(), script), args: ['--egress-allow', receivers.host, '--egress-ca-file', receivers.caFile]}).start();
  const install = async (id, body, headers = {}) => {
    const answer = await server.call('PUT', `/push/installations/${id}`, {body: {installationId: id, ...body}, headers: {'Content-Type': 'application/json', ...headers}});
    assert.equal(answer.status, 200, answer.text);
  };
  const send = (...args) => {
    const told = server.cli('push', 'send', ...args);
    assert.equal(told.status, 0, told.stderr);
  };
  try {
    await fn({server, receivers, install, send});
    assert.deepEqual(receivers.wrong, []);
  } finally {
    await server.stop();
    receivers.stop();
    rmSync(directory, {recursive: true, force: true});
  }
}

test('one message reaches four platforms, each in its own words; devices that are gone are forgotten', () => house(async ({server, receivers, install, send}) => {
  const browser = receivers.browser('b1');
  await install('ios', {platform: 'apns', pushChannel: 'AA01', tags: ['news']});
  await install('android', {platform: 'gcm', pushChannel: 'android-token', tags: ['news']});
  await install('windows', {platform: 'wns', pushChannel: `${receivers.base}/wns/1`, tags: ['news']});
  await install('browser', {platform: 'webpush', pushChannel: browser.subscription, tags: ['news']});
  await install('gone', {platform: 'apns', pushChannel: 'DEAD', tags: ['news']});
  await install('other', {platform: 'apns', pushChannel: 'AA02', tags: ['sports']});
  receivers.dead.add('dead');
  send('--tags', 'news && !sports', '--title', 'Hello', '--body', 'World & more');
  const of = (platform) => receivers.message((m) => m.platform === platform && m.to !== 'dead');
  assert.deepEqual((await of('apns')).payload, {aps: {alert: {title: 'Hello', body: 'World & more'}}});
  assert.deepEqual((await of('gcm')).payload.notification, {title: 'Hello', body: 'World & more'});
  assert.match((await of('wns')).payload, /<toast>.*World &amp; more/);
  const web = await of('webpush');
  assert.deepEqual(JSON.parse(web.payload), {title: 'Hello', body: 'World & more'});
  assert.equal((await server.call('GET', '/push/webpush/key')).json.publicKey, web.key);
  await receivers.message((m) => m.to === 'dead');
  assert.ok(!receivers.got.some((m) => m.to === 'aa02'));
  for (;;) {
    await new Promise(setImmediate);  // the receivers live here too
    const list = server.cli('push', 'list').stdout;
    if (!/ done: /.test(list)) continue;
    assert.match(list, /5 devices, 4 delivered, 1 gone, 0 failed/);
    break;
  }
  assert.doesNotMatch(server.cli('push', 'list', '--registrations').stdout, /^gone /m);
  assert.equal(receivers.tokens, 1);
}));

test('templates of devices are filled with a message\'s properties', () => house(async ({receivers, install, send}) => {
  await install('ios', {platform: 'apns', pushChannel: 'AA01', templates: {t: {body: JSON.stringify({aps: {alert: '{\'Dear \' + $(name)}', badge: '#(n)'}})}}});
  await install('windows', {platform: 'wns', pushChannel: `${receivers.base}/wns/1`, templates: {t: {body: '<toast><text>$(name)</text></toast>', headers: {'X-WNS-Type': 'wns/toast'}}}});
  send('--payload', JSON.stringify({name: 'Ana <3', n: 2}));
  assert.deepEqual((await receivers.message((m) => m.platform === 'apns')).payload, {aps: {alert: 'Dear Ana <3', badge: 2}});
  assert.equal((await receivers.message((m) => m.platform === 'wns')).payload, '<toast><text>Ana &lt;3</text></toast>');
}));

test('scripts send to devices and to tags, and hear of a device that is gone', () => house(async ({server, receivers, install}) => {
  const insert = async (item) => server.call('POST', '/tables/Item', {body: item, headers: {'ZUMO-API-VERSION': '2.0.0', 'Content-Type': 'application/json'}});
  assert.deepEqual((await insert({how: 'apns', to: 'aa01', text: 'one'})).json, {told: true});
  assert.deepEqual((await receivers.message((m) => m.to === 'aa01')).payload, {id: 7, aps: {alert: 'one', badge: 3}});
  assert.deepEqual((await insert({how: 'gcm', to: 'token-1', text: 'two'})).json, {told: true});
  assert.deepEqual((await receivers.message((m) => m.to === 'token-1')).payload.data, {message: 'two'});
  assert.deepEqual((await insert({how: 'wns', to: `${receivers.base}/wns/2`, text: 'a < b'})).json, {told: true});
  assert.equal((await receivers.message((m) => m.platform === 'wns')).payload, '<toast><visual><binding template="ToastText01"><text id="1">a &lt; b</text></binding></visual></toast>');
  receivers.dead.add('dead');
  assert.equal((await insert({how: 'apns', to: 'dead', text: 'x'})).json.status, 410);
  assert.match((await insert({how: 'mpns', to: 'http://x.notify.live.net/1', text: 'x'})).json.text, /has ended/);
  await install('ios', {platform: 'apns', pushChannel: 'AA09', tags: ['news'], templates: {t: {body: '{"aps":{"alert":"$(message)"}}'}}});
  assert.deepEqual((await insert({how: 'tags', to: ['news', 'more'], text: 'three'})).json, {told: true});
  assert.deepEqual((await receivers.message((m) => m.to === 'aa09')).payload, {aps: {alert: 'three'}});
  receivers.dead.add('ff');
  assert.equal((await insert({how: 'unhandled'})).status, 500);
}));

test('what was filed is delivered after a kill, under the same id', () => house(async ({server, receivers, install, send}) => {
  await install('ios', {platform: 'apns', pushChannel: 'AA01'});
  receivers.hanging.add('aa01');
  send('--title', 'T', '--body', 'B');
  const first = await receivers.message((m) => m.to === 'aa01');
  server.child.kill('SIGKILL');
  await server.exited;
  receivers.hanging.clear();
  server.tenant = undefined;
  await server.start();
  const again = await receivers.message((m) => m.to === 'aa01' && m !== first);
  assert.equal(again.headers['apns-id'], first.headers['apns-id']);
}));
