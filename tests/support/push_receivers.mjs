// APNs, FCM v1 with Google's token endpoint, WNS with Microsoft's, and a browser's push service, over TLS with HTTP/2, as
// their documents describe them. Everything that is wrong with a request is kept in `wrong`; tests expect it to be empty.
import {execFileSync} from 'node:child_process';
import {createDecipheriv, createECDH, createPublicKey, generateKeyPairSync, hkdfSync, verify} from 'node:crypto';
import {readFileSync} from 'node:fs';
import http2 from 'node:http2';
import {join} from 'node:path';

const json = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());
/** The claims of a JWT whose signature is right; throws otherwise. */
function claims(token, key, alg) {
  const [head, body, signature] = token.split('.');
  const header = json(head);
  if (header.alg !== alg) throw new Error(`alg ${header.alg}`);
  const options = alg === 'ES256' ? {key, dsaEncoding: 'ieee-p1363'} : key;
  if (!verify('sha256', Buffer.from(`${head}.${body}`), options, Buffer.from(signature, 'base64url'))) throw new Error('the signature is wrong');
  return {header, ...json(body)};
}

/** A browser: its subscription, and what it reads of a message (RFC 8291, RFC 8188). */
export class Browser {
  constructor(endpoint) {
    this.ecdh = createECDH('prime256v1');
    this.point = this.ecdh.generateKeys();
    this.auth = Buffer.from(generateKeyPairSync('x25519').publicKey.export({type: 'spki', format: 'der'})).subarray(-16);
    this.subscription = {endpoint, expirationTime: null, keys: {p256dh: this.point.toString('base64url'), auth: this.auth.toString('base64url')}};
  }
  read(body) {
    const salt = body.subarray(0, 16), size = body.readUInt32BE(16), length = body[20], sender = body.subarray(21, 21 + length), sealed = body.subarray(21 + length);
    if (size < 18 || sealed.length > size) throw new Error('the record is larger than it says');
    const secret = Buffer.from(hkdfSync('sha256', this.ecdh.computeSecret(sender), this.auth, Buffer.concat([Buffer.from('WebPush: info\0'), this.point, sender]), 32));
    const key = hkdfSync('sha256', secret, salt, 'Content-Encoding: aes128gcm\0', 16), nonce = hkdfSync('sha256', secret, salt, 'Content-Encoding: nonce\0', 12);
    const open = createDecipheriv('aes-128-gcm', Buffer.from(key), Buffer.from(nonce));
    open.setAuthTag(sealed.subarray(-16));
    const plain = Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]);
    const end = plain.lastIndexOf(2);
    if (end < 0) throw new Error('no delimiter of a last record');
    return plain.subarray(0, end).toString();
  }
}

export class Receivers {
  constructor() {
    this.got = [];      // {platform, to, payload, headers}
    this.wrong = [];
    this.dead = new Set();
    this.hanging = new Set();
    this.tokens = 0;    // access tokens given
    this.connections = 0;
    this.browsers = new Map();
    this.waiting = [];
    this.apns = generateKeyPairSync('ec', {namedCurve: 'P-256'});
    this.google = generateKeyPairSync('rsa', {modulusLength: 2048});
    this.microsoftSecret = 'a secret & more';
  }

  async start(directory) {
    const at = (name) => join(directory, name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
      '-keyout', at('push.key'), '-out', at('push.pem')], {stdio: 'ignore'});
    this.caFile = at('push.pem');
    this.server = http2.createSecureServer({key: readFileSync(at('push.key')), cert: readFileSync(this.caFile), allowHTTP1: true}, (request, response) => {
      const parts = [];
      request.on('data', (d) => parts.push(d));
      request.on('end', () => {
        try { this.#answer(request, response, Buffer.concat(parts)); } catch (error) {
          this.wrong.push(`${request.method} ${request.url}: ${error.message}`);
          response.writeHead(500).end();
        }
      });
    });
    this.server.on('session', () => { ++this.connections; });
    await new Promise((done) => this.server.listen(0, 'localhost', done));
    this.host = `localhost:${this.server.address().port}`;
    this.base = `https://${this.host}`;
    return this;
  }
  stop() { this.server.close(); }

  browser(name) {
    const browser = new Browser(`${this.base}/push/${name}`);
    this.browsers.set(`/push/${name}`, browser);
    return browser;
  }
  /** Resolves with the first message that is so, also one that came before. */
  message(fits) {
    const there = this.got.find(fits);
    if (there) return Promise.resolve(there);
    return new Promise((done) => this.waiting.push({fits, done}));
  }

  settings() {
    const pem = (key) => key.export({type: 'pkcs8', format: 'pem'});
    const account = JSON.stringify({type: 'service_account', project_id: 'project-1', private_key_id: 'g1', private_key: pem(this.google.privateKey), client_email: 'robot@project-1.example', token_uri: `${this.base}/token`});
    return {apns: {key_id: 'KEY1234567', team_id: 'TEAM123456', topic: 'com.example.todo', key: pem(this.apns.privateKey), endpoint: this.base},
      fcm: {service_account: account, endpoint: this.base},
      wns: {package_sid: 'ms-app://s-1-15-2-1', client_secret: this.microsoftSecret, endpoint: `${this.base}/accesstoken.srf`, channel_hosts: [this.host]},
      webpush: {subject: 'mailto:owner@example.org'}};
  }

  #came(message) {
    this.got.push(message);
    this.waiting = this.waiting.filter(({fits, done}) => !(fits(message) && (done(message), true)));
  }
  #need(good, what) { if (!good) throw new Error(what); }

  #answer(request, response, body) {
    const {headers, url} = request, two = request.httpVersion === '2.0';
    const send = (status, value, more = {}) => { response.writeHead(status, {...(value === undefined ? {} : {'content-type': 'application/json'}), ...more}).end(value === undefined ? '' : JSON.stringify(value)); };
    this.#need(request.method === 'POST', 'only POST');
    const dead = () => [...this.dead].some((part) => url.includes(part) || body.includes(`"${part}"`));
    if (url.startsWith('/3/device/')) {
      this.#need(two, 'APNs speaks HTTP/2');
      const told = claims(headers.authorization?.replace(/^bearer /, '') ?? '', this.apns.publicKey, 'ES256');
      this.#need(told.header.kid === 'KEY1234567' && told.iss === 'TEAM123456' && Math.abs(told.iat - Date.now() / 1000) < 3600, 'the token is not of this team, key and hour');
      this.#need(headers['apns-topic'] === 'com.example.todo', 'apns-topic');
      this.#need(['alert', 'background'].includes(headers['apns-push-type']), 'apns-push-type');
      this.#need(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(headers['apns-id']), 'apns-id');
      this.#need(body.length <= 4096 && JSON.parse(body).aps, 'the payload');
      this.#came({platform: 'apns', to: url.slice(10), payload: JSON.parse(body), headers});
      if (this.hanging.has(url.slice(10))) return;
      return dead() ? send(410, {reason: 'Unregistered', timestamp: Date.now()}) : send(200, undefined, {'apns-id': headers['apns-id']});
    }
    if (url === '/token') {
      const form = new URLSearchParams(body.toString());
      this.#need(form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'grant_type');
      const told = claims(form.get('assertion'), this.google.publicKey, 'RS256');
      this.#need(told.iss === 'robot@project-1.example' && told.aud === `${this.base}/token` && told.exp - told.iat <= 3600 && told.scope.endsWith('/auth/firebase.messaging'), 'the assertion');
      ++this.tokens;
      return send(200, {access_token: 'google-access', expires_in: 3599, token_type: 'Bearer'});
    }
    if (url === '/v1/projects/project-1/messages:send') {
      this.#need(two && headers.authorization === 'Bearer google-access' && headers['content-type'].startsWith('application/json'), 'HTTP/2, authorization or content-type');
      const {message} = JSON.parse(body);
      this.#need(Object.values(message.data ?? {}).every((value) => typeof value === 'string'), 'data has texts only');
      this.#came({platform: 'gcm', to: message.token, payload: message, headers});
      return dead() ? send(404, {error: {code: 404, status: 'NOT_FOUND', details: [{'@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'UNREGISTERED'}]}}) : send(200, {name: 'projects/project-1/messages/1'});
    }
    if (url === '/accesstoken.srf') {
      const form = new URLSearchParams(body.toString());
      this.#need(form.get('grant_type') === 'client_credentials' && form.get('client_id') === 'ms-app://s-1-15-2-1' && form.get('client_secret') === this.microsoftSecret && form.get('scope') === 'notify.windows.com', 'the client');
      return send(200, {access_token: 'wns-access', token_type: 'bearer', expires_in: 86400});
    }
    if (url.startsWith('/wns/')) {
      this.#need(headers.authorization === 'Bearer wns-access', 'authorization');
      const type = headers['x-wns-type'];
      this.#need(/^wns\/(toast|tile|badge|raw)$/.test(type), 'X-WNS-Type');
      this.#need(headers['content-type'] === (type === 'wns/raw' ? 'application/octet-stream' : 'text/xml'), 'content-type');
      this.#came({platform: 'wns', to: url, payload: body.toString(), headers});
      return dead() ? send(410) : send(200, undefined, {'x-wns-status': 'received', 'x-wns-msg-id': '1'});
    }
    if (this.browsers.has(url)) {
      const [, token, key] = headers.authorization?.match(/^vapid t=([^,]+), k=(\S+)$/) ?? [];
      const point = Buffer.from(key ?? '', 'base64url');
      const publicKey = createPublicKey({format: 'jwk', key: {kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url')}});
      const told = claims(token, publicKey, 'ES256');
      this.#need(told.aud === this.base && told.sub === 'mailto:owner@example.org' && told.exp <= Date.now() / 1000 + 86400, 'the vapid token');
      this.#need(headers['content-encoding'] === 'aes128gcm' && /^\d+$/.test(headers.ttl), 'content-encoding or TTL');
      this.#came({platform: 'webpush', to: url, payload: this.browsers.get(url).read(body), headers, key});
      return dead() ? send(410) : send(201);
    }
    throw new Error('nobody is there');
  }
}
