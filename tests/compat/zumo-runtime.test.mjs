// npm azure-mobile-services 1.0.0 is the original V1 server runtime: its own token module must accept our WAMS token.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import {createRequire} from 'node:module';
import test from 'node:test';
import {Mandated, signIn} from '../live/harness.mjs';
import {tenant, ana} from './tenant.mjs';

// Node of 2014 gave HMAC the bytes of a 'binary' string; today's would encode it as UTF-8. The key is the 32 raw bytes.
const {createHmac} = crypto;
crypto.createHmac = (algorithm, key) => createHmac(algorithm, typeof key === 'string' ? Buffer.from(key, 'latin1') : key);
const runtime = createRequire(import.meta.url)('azure-mobile-services/runtime/jsonwebtoken.js');

test('the runtime accepts the token vector of the wire contract', () => {
  const token = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjAifQ.eyJleHAiOjQxMDI0NDQ4MDAsImlzcyI6InVybjptaWNyb3NvZnQ6d2luZG93cy1henVyZTp6dW1vIiwidmVyIjoyLCJhdWQiOiJGYWNlYm9vayIsInVpZCI6IkZhY2Vib29rOjEyMyJ9.bB3mtTPGOXpLwJ7PeTQilZEy582ayng2K6HUT0lsqiI';
  assert.equal(runtime.parse(token, 'mandate-test-master-key', 'JWTSig').claims.uid, 'Facebook:123');
});

test('the runtime accepts a WAMS token that /delegation minted, and refuses one with a byte changed', async (t) => {
  const server = await new Mandated({tenant: tenant()}).start();
  t.after(() => server.stop());
  const location = await signIn(server, `/authorize?client_id=todo&response_type=token&scope=openid&redirect_uri=${encodeURIComponent(`${server.base}/mobile`)}&state=s`,
    ana.email, ana.password, (l) => l.startsWith(`${server.base}/mobile#`));
  const {id_token} = Object.fromEntries(new URLSearchParams(location.split('#')[1]));
  const answer = await server.call('POST', '/delegation', {body: {client_id: 'todo', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', id_token, target: 'todo-backend'}});
  assert.equal(answer.status, 200, answer.text);
  const parsed = runtime.parse(answer.json.id_token, 'mandate-test-master-key', 'JWTSig');
  assert.match(parsed.claims.uid, /^auth0\|/);
  assert.equal(parsed.envelope.kid, '0');
  const broken = answer.json.id_token.replace(/.$/, (c) => (c === 'A' ? 'E' : 'A'));
  assert.throws(() => runtime.parse(broken, 'mandate-test-master-key', 'JWTSig'), /invalid signature/);
});
