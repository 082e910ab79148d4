// openid-client 6, unmodified: discovery, authorization code with PKCE, refresh, userinfo, introspection, revocation,
// client credentials.
import assert from 'node:assert/strict';
import https from 'node:https';
import test, {after, before} from 'node:test';
import * as client from 'openid-client';
import {Mandated, signIn} from '../live/harness.mjs';
import {ana, tenant} from './tenant.mjs';

let server;
before(async () => { server = await new Mandated({tenant: tenant()}).start(); });
after(() => server.stop());

// fetch() with the development CA: Node's own fetch takes a CA only at process start.
const fetchWithCa = (url, options) => new Promise((done, fail) => {
  const body = options.body === undefined || options.body === null ? undefined : String(options.body);
  const request = https.request(url, {method: options.method, headers: Object.fromEntries(new Headers(options.headers)), ca: server.ca}, (answer) => {
    const parts = [];
    answer.on('data', (d) => parts.push(d)).on('end', () => done(new Response(
      [204, 304].includes(answer.statusCode) ? null : Buffer.concat(parts), {status: answer.statusCode, headers: answer.headers})));
  });
  request.on('error', fail);
  request.end(body);
});
const discover = (id, secret) => client.discovery(new URL(`${server.base}/`), id, secret, undefined, {[client.customFetch]: fetchWithCa});

test('code with PKCE: tokens, verified id_token, userinfo, refresh with rotation, reuse refused', async () => {
  const config = await discover('modern');
  const redirect_uri = `${server.base}/mobile`;
  const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {redirect_uri, scope: 'openid profile email offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256'});
  const location = await signIn(server, url.pathname + url.search, ana.email, ana.password, (l) => l.startsWith(redirect_uri));
  const tokens = await client.authorizationCodeGrant(config, new URL(location), {pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true});
  const claims = tokens.claims();
  assert.match(claims.sub, /^auth0\|/);
  assert.equal(claims.email, ana.email);
  const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
  assert.equal(info.email, ana.email);
  const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.ok(renewed.refresh_token && renewed.refresh_token !== tokens.refresh_token);
  await assert.rejects(client.authorizationCodeGrant(config, new URL(location), {pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce}),
    (e) => e.error === 'invalid_grant');
});

test('a wrong verifier gets invalid_grant', async () => {
  const config = await discover('modern');
  const redirect_uri = `${server.base}/mobile`;
  const url = client.buildAuthorizationUrl(config, {redirect_uri, scope: 'openid', state: 's',
    code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()), code_challenge_method: 'S256'});
  const location = await signIn(server, url.pathname + url.search, ana.email, ana.password, (l) => l.startsWith(redirect_uri));
  await assert.rejects(client.authorizationCodeGrant(config, new URL(location), {pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: 's'}),
    (e) => e.error === 'invalid_grant');
});

test('client credentials: a JWT for an API, introspected, revoked', async () => {
  const config = await discover('worker', 'worker-secret-worker-secret-worker-secret');
  const tokens = await client.clientCredentialsGrant(config, {audience: 'https://orders.example', scope: 'orders:read'});
  assert.equal(tokens.access_token.split('.').length, 3);
  const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url'));
  assert.equal(claims.sub, 'worker@clients');
  assert.equal(claims.aud, 'https://orders.example');
  await assert.rejects(client.clientCredentialsGrant(config, {audience: 'https://other.example'}), (e) => /access_denied|invalid_target|invalid_request/.test(e.error));
});
