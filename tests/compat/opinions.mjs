// What the second opinions share: requests played to npm azure-mobile-apps and to mandated, answers as lines that can be compared,
// and the tables of the guide that say why some of them differ.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {createHmac} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from '../live/harness.mjs';

export const key = 'an opinion of its own, thirty-two bytes at the least';

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token of the second generation for a user. */
export function token(user) {
  const now = Math.floor(Date.now() / 1000), issuer = 'urn:microsoft:windows-azure:zumo';
  const text = `${encoded({alg: 'HS256', typ: 'JWT'})}.${encoded({sub: user, iss: issuer, aud: issuer, iat: now, exp: now + 3600, ver: '3'})}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}
/** An answer as one line, without what no two servers share: stamps, versions, the address, our place behind a row, the number of a line in the log. */
function said({status, headers, text}) {
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, out = [status];
  const tag = headers.get('etag'), link = headers.get('link');
  let body = text;
  try {
    const json = JSON.parse(text);
    const plain = (value) => {
      if (Array.isArray(value)) return value.map(plain);
      if (!value || typeof value !== 'object') return value;
      const kept = Object.entries(value).filter(([name]) => name !== 'version').sort(([a], [b]) => (a < b ? -1 : 1));
      return Object.fromEntries(kept.map(([name, v]) => [name, /^(created|updated)At$/.test(name) && stamp.test(v) ? '…' : name === 'id' && /^[0-9a-f-]{36}$/.test(v) ? 'a GUID' : name === 'id' && /^[0-9a-f]{24}$/.test(v) ? '…' : plain(v)]));
    };
    body = JSON.stringify(plain(json));
    if (tag && !tag.startsWith('W/')) out.push(json.version && tag === `"${json.version}"` ? 'ETag' : 'ETag of something else');
  } catch { body = text.replace(/\s+/g, ' ').replace(/<!DOCTYPE.*/, 'a page of HTML'); }
  if (link) out.push(`Link ${new URL(link.split(';')[0]).search.slice(1).split('&').filter((p) => !p.startsWith('$skiptoken')).map(decodeURIComponent).sort().join('&')}`);
  if (body) out.push(body);
  return out.join(' ').replaceAll('|', '\\|');
}

/** [name, method, path, body, headers] each; {version} is that of the row the last answer gave. Paths without a slash are tables'. */
async function play(steps, ask) {
  const told = new Map();
  let version = '';
  for (const [name, method, path, body, headers = {}] of steps) {
    const answer = await ask(method, encodeURI(path.startsWith('/') ? path : `/tables/${path}`), body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
      {'ZUMO-API-VERSION': '2.0.0', ...(body === undefined ? {} : {'Content-Type': 'application/json'}),
        ...Object.fromEntries(Object.entries(headers).map(([n, v]) => [n, v.replace('{version}', version)]))});
    try { version = JSON.parse(answer.text).version ?? version; } catch { /* no row */ }
    told.set(name, said(answer));
  }
  return told;
}

async function fetched(base, method, path, body, headers) {
  const answer = await fetch(base + path, {method, body, headers});
  return {status: answer.status, headers: answer.headers, text: await answer.text()};
}

/** name → [theirs, ours] of the guide's table. */
function explained(page) {
  const lines = readFileSync(join(root, 'docs/guide', page), 'utf8').split('\n').filter((line) => line.startsWith('| ') && !/^\| (-|Request)/.test(line));
  return new Map(lines.map((line) => line.slice(2, -2).split(/(?<!\\) \| /)).map(([name, theirs, ours]) => [name, [theirs, ours].map((cell) => cell.replace(/^`|`$/g, ''))]));
}

/** Starts azure-mobile-apps with these arguments of node; its port. */
export async function startPeer(t, args, env = {}) {
  const peer = spawn(process.execPath, args, {stdio: ['ignore', 'pipe', 'inherit'], cwd: join(root, 'tests/compat'), env: {...process.env, ...env}});
  t.after(() => peer.kill('SIGKILL'));
  return new Promise((done, fail) => {
    peer.stdout.on('data', (chunk) => /^\d+$/m.test(chunk) && done(String(chunk).match(/^\d+$/m)[0]));
    peer.once('exit', () => fail(new Error('azure-mobile-apps ended')));
  });
}

/** Plays the steps to both; what differs must be what the page says. `prefix`: of the service at mandated. */
export async function compare(steps, port, server, page, prefix = '') {
  const theirs = await play(steps, (...request) => fetched(`http://127.0.0.1:${port}`, ...request));
  const ours = await play(steps, async (method, path, body, headers) => {
    const answer = await server.call(method, prefix + path, {body, headers});
    return {status: answer.status, headers: {get: (name) => answer.headers[name]}, text: answer.text};
  });
  const differing = new Map([...theirs].filter(([name, line]) => line !== ours.get(name)).map(([name, line]) => [name, [line, ours.get(name)]]));
  if (process.env.MANDATE_OPINIONS) for (const [name, [a, b]] of differing) console.log(`| ${name} | \`${a}\` | \`${b}\` | |`);
  assert.deepEqual(Object.fromEntries(differing), Object.fromEntries(explained(page)));
}
