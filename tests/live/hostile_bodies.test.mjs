// Whatever a stranger sends as a body: a 4xx of the contract, never a 5xx, and the server goes on (IN-1, IN-2, RL-18).
import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import https from 'node:https';
import {join, resolve} from 'node:path';
import test, {after, before} from 'node:test';
import {tenant} from '../compat/tenant.mjs';
import {Mandated, root} from './harness.mjs';

let server;
before(async () => { server = await new Mandated({tenant: tenant(), env: {MANDATE_PASSWORD_MEMORY: '8KiB', MANDATE_PASSWORD_PASSES: '1'}}).start(); });
after(() => server.stop());

const post = (path, body, type = 'application/json') => new Promise((done, fail) => {
  const request = https.request(new URL(path, server.base), {method: 'POST', ca: server.ca, headers: {'Content-Type': type, 'Content-Length': body.length, 'ZUMO-API-VERSION': '2.0.0'}}, (answer) => {
    let text = '';
    answer.on('data', (d) => (text += d)).on('end', () => done({status: answer.statusCode, type: answer.headers['content-type'] ?? '', text}));
  });
  // A body that is refused early may close the connection before all of it is sent.
  request.on('error', (e) => (e.code === 'EPIPE' || e.code === 'ECONNRESET' ? done({status: 413, type: 'application/json', text: ''}) : fail(e)));
  request.end(body);
});
const doors = ['/tables/anyone', '/oauth/token', '/delegation', '/oauth/ro', '/dbconnections/signup'];

test('JSONTestSuite over HTTP: no file gives a 5xx, no `n_` file makes a row', async () => {
  const folder = join(process.env.MANDATE_TESTDATA ?? resolve(root, '../shared/testdata'), 'json-test-suite/test_parsing');
  if (!existsSync(folder)) {
    assert.ok(!process.env.CI, `${folder} is missing`);
    console.log('left out: JSONTestSuite over HTTP, its folder is missing');
    return;
  }
  const files = readdirSync(folder).filter((f) => f.endsWith('.json'));
  assert.ok(files.length > 300);
  for (const file of files) {
    const bytes = readFileSync(join(folder, file));
    for (const door of doors.slice(0, 2)) {
      const answer = await post(door, bytes);
      assert.ok(answer.status < 500, `${file} at ${door}: ${answer.status}`);
      if (file.startsWith('n_')) assert.ok(answer.status >= 400, `${file} at ${door}: ${answer.status}`);
    }
  }
});

const bodies = {
  'an empty body': Buffer.alloc(0),
  'ten million brackets': Buffer.alloc(10_000_000, '['),
  'two megabytes of text': Buffer.from(JSON.stringify({text: 'x'.repeat(2_000_000)})),
  'a member twice': Buffer.from('{"client_id":"todo","client_id":"other","userId":1,"user\\u0049d":2}'),
  'prototype names': Buffer.from('{"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toJSON":1}'),
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'a NUL': Buffer.from('{"id":"a\\u0000b","username":"a\\u0000"}'),
  'a number out of range': Buffer.from('{"n":1e400}'),
};
for (const [name, body] of Object.entries(bodies))
  test(`${name}: refused with JSON at every door`, async () => {
    for (const door of doors) {
      const answer = await post(door, body);
      assert.ok(answer.status >= 400 && answer.status < 500, `${door}: ${answer.status} ${answer.text.slice(0, 200)}`);
      // Also a 413: the path is known, and with it the dialect.
      if (answer.text) assert.match(answer.type, /json/, door);
      if (answer.text && door.startsWith('/tables/')) assert.match(answer.text, /"error":"/, door);
      assert.doesNotMatch(answer.text, /sqlite|SELECT |\/src\/|\.cpp|stack/i);
    }
    assert.equal((await server.call('GET', '/health')).status, 200);
  });

test('a type that is no form and no JSON is a 415 or a 400 of the contract', async () => {
  for (const door of doors) {
    const answer = await post(door, Buffer.from('<a/>'), 'application/xml');
    assert.ok([400, 415].includes(answer.status), `${door}: ${answer.status}`);
  }
});
