#!/usr/bin/env node
// Starts mandated on an embedded database under ./var, brings the tenant "demo" to the state of tenant.yaml, and walks
// the tutorial of 2013 against the live server, printing what goes over the wire.
//   make demo                 leaves the server up
//   make demo DEMO_EXIT=1     stops it and exits 0
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import https from 'node:https';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const data = join(root, 'var');
const port = Number(process.env.PORT ?? 8443);
const base = `https://localhost:${port}`;
const build = join(root, process.env.MANDATE_BUILD ?? 'build/release');
const socket = join(data, 'admin.sock');
const people = {ana: ['ana@example.org', 'correct horse battery staple'], ben: ['ben@example.org', 'purple monkey dishwasher 7']};

const tty = process.stdout.isTTY;
const paint = (code, text) => (tty ? `\x1b[${code}m${text}\x1b[0m` : text);
const say = (text) => console.log(text);
const step = (n, text) => say('\n' + paint('1;36', `${n}. ${text}`));
const short = (text, most = 150) => (text.length > most ? text.slice(0, most) + '…' : text);
const tokens = (text) => text.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, (t) => t.slice(0, 10) + '…' + t.slice(-6));

let ca;
/** One request; prints it and its answer unless `quiet`. */
function call(method, path, {headers = {}, body, quiet = false, jar} = {}) {
  if (jar && Object.keys(jar).length) headers = {...headers, Cookie: Object.entries(jar).map(([k, v]) => `${k}=${v}`).join('; ')};
  if (body !== undefined) headers = {'Content-Type': 'application/json', ...headers, 'Content-Length': Buffer.byteLength(body)};
  return new Promise((done, fail) => {
    const request = https.request(new URL(path, base), {method, headers, ca}, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (d) => (text += d)).on('end', () => {
        for (const cookie of answer.headers['set-cookie'] ?? []) {
          const [pair] = cookie.split(';'), at = pair.indexOf('=');
          if (jar) /max-age=0/i.test(cookie) ? delete jar[pair.slice(0, at)] : (jar[pair.slice(0, at)] = pair.slice(at + 1));
        }
        if (!quiet) {
          const zumo = headers['X-ZUMO-AUTH'] ? `   X-ZUMO-AUTH: ${tokens(headers['X-ZUMO-AUTH'])}` : '';
          say(paint(33, `   > ${method} ${short(tokens(path), 130)}`) + paint(2, zumo));
          if (body) say(paint(33, `     ${short(tokens(body), 210)}`));
          say(paint(32, `   < ${answer.statusCode} ${answer.statusMessage}`) + (answer.headers.location ? `  → ${short(tokens(answer.headers.location), 120)}` : ''));
          if (text && /json/.test(answer.headers['content-type'] ?? '')) say(paint(32, `     ${short(tokens(text), 230)}`));
        }
        let json;
        try { json = JSON.parse(text); } catch { json = undefined; }
        done({status: answer.statusCode, headers: answer.headers, text, json});
      });
    });
    request.on('error', fail);
    request.end(body);
  });
}

function expect(what, condition, got) {
  if (condition) return;
  console.error(paint('1;31', `\nThe demo expected ${what}, but got: ${typeof got === 'string' ? got : JSON.stringify(got)}`));
  process.exit(1);
}

/** Signs a person in on the hosted page, as LoginAsync() does in an embedded browser; gives the fragment's values. */
async function signIn(who, client = 'todo') {
  const [email, password] = people[who], jar = {};
  const callback = `${base}/mobile`;
  let answer = await call('GET', `/authorize?client_id=${client}&scope=openid%20profile&redirect_uri=${encodeURIComponent(callback)}&response_type=token&connection=&state=abcdefghijklmnop`, {jar});
  expect('a redirect to the login page', answer.status === 302, answer.text);
  answer = await call('GET', answer.headers.location, {jar, quiet: true});
  const form = [...answer.text.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map((m) => m[0]).find((f) => /type="password"/.test(f));
  expect('a login form', form, answer.text);
  const decode = (t) => t.replace(/&amp;/g, '&').replace(/&quot;/g, '"').replace(/&#39;/g, "'").replace(/&lt;/g, '<').replace(/&gt;/g, '>');
  const attribute = (tag, name) => decode(tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? '');
  const fields = new URLSearchParams();
  for (const [tag] of form.matchAll(/<(?:input|button)[^>]*>/g)) {
    const type = attribute(tag, 'type'), name = attribute(tag, 'name');
    if (!name) continue;
    fields.set(name, type === 'password' ? password : type === 'email' || type === 'text' ? email : attribute(tag, 'value'));
  }
  say(paint(2, `   (the hosted login page; ${who} types e-mail and password)`));
  answer = await call('POST', attribute(form.match(/<form[^>]*>/)[0], 'action') || '/login', {
    jar, quiet: true, body: fields.toString(), headers: {'Content-Type': 'application/x-www-form-urlencoded', Origin: base}});
  for (let hops = 0; hops < 5 && answer.headers.location && !answer.headers.location.startsWith(callback); ++hops)
    answer = await call('GET', answer.headers.location, {jar});
  expect('the app\'s callback with tokens', answer.headers.location?.startsWith(callback + '#'), answer.headers.location ?? answer.text);
  const values = Object.fromEntries(new URLSearchParams(answer.headers.location.split('#')[1]));
  expect('an id_token', values.id_token, values);
  const profile = await call('GET', `/userinfo?access_token=${values.access_token}`, {quiet: true});
  expect('a profile', profile.json?.name, profile.text);
  say(`   ${paint(1, profile.json.name)} is signed in: ${profile.json.user_id}`);
  return {...values, user_id: profile.json.user_id};
}

/** GetDelegationToken("todo-backend"), as the UWP SDK puts it on the wire. */
const delegate = (client, id_token, quiet) => call('POST', '/delegation', {
  quiet, headers: {'Content-Type': 'application/x-www-form-urlencoded'},
  body: `grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&target=&client_id=${client}&id_token=${id_token}&api_type=todo-backend&refresh_token=`});

async function scenario() {
  const zumo = (token) => (token ? {'X-ZUMO-AUTH': token, 'ZUMO-API-VERSION': '2.0.0'} : {'ZUMO-API-VERSION': '2.0.0'});
  step(1, 'Ana signs in: LoginAsync() shows every way in');
  const ana = await signIn('ana');
  step(2, 'Her login becomes a token of the mobile backend: GetDelegationToken("todo-backend")');
  const anaToken = (await delegate('todo', ana.id_token)).json?.id_token;
  expect('a WAMS token', anaToken, anaToken);
  say('   claims: ' + short(Buffer.from(anaToken.split('.')[1], 'base64url').toString(), 260));
  step(3, 'Two rows go in; the insert script stamps item.userId');
  let row;
  for (const text of ['Buy milk', 'Call Ben']) {
    row = await call('POST', '/tables/TodoItem', {headers: zumo(anaToken), body: JSON.stringify({text, complete: false})});
    expect('201 and the stamped row', row.status === 201 && row.json.userId === ana.user_id, row.text);
  }
  step(4, 'Ana reads: her rows');
  const rows = await call('GET', `/tables/TodoItem?$filter=${encodeURIComponent('complete eq false')}&$orderby=createdAt%20desc&$top=2`, {headers: zumo(anaToken)});
  expect('two rows of Ana', rows.status === 200 && rows.json.length === 2 && rows.json.every((r) => r.userId === ana.user_id), rows.text);
  step(5, 'Ben signs in and reads: none of them');
  const ben = await signIn('ben');
  const benToken = (await delegate('todo', ben.id_token, true)).json?.id_token;
  const none = await call('GET', '/tables/TodoItem', {headers: zumo(benToken)});
  expect('no rows', none.status === 200 && Array.isArray(none.json) && none.json.length === 0, none.text);
  step(6, 'Ben tries to change Ana\'s row: refused');
  const foreign = await call('PATCH', `/tables/TodoItem/${row.json.id}`, {headers: zumo(benToken), body: '{"complete":true}'});
  expect('a refusal', foreign.status >= 400 && foreign.status < 500, `${foreign.status} ${foreign.text}`);
  step(7, 'Nobody without a token');
  const anonymous = await call('GET', '/tables/TodoItem', {headers: zumo()});
  expect('401', anonymous.status === 401, anonymous.status);
  step(8, 'Ana signs in to an app that the backend does not list: its delegation is refused');
  const stranger = await signIn('ana', 'other');
  const refused = await delegate('other', stranger.id_token);
  expect('403', refused.status === 403, `${refused.status} ${refused.text}`);
  return {anaToken};
}

const running = () => new Promise((done) => {
  if (!ca) return done(false);
  const r = https.get(new URL('/health', base), {ca, timeout: 2000}, (a) => { a.resume(); done(a.statusCode === 200); });
  r.on('error', () => done(false)).on('timeout', () => r.destroy());
});
const caFile = join(data, 'tls/ca.pem');
const readCa = () => { if (existsSync(caFile)) ca = readFileSync(caFile); };

mkdirSync(data, {recursive: true, mode: 0o700});
const began = performance.now();
readCa();
let server;
if (await running()) {
  say(`mandated is up already at ${base}`);
} else {
  const log = openSync(join(data, 'mandated.log'), 'a');
  server = spawn(join(build, 'src/mandated'), ['--data-dir', data, '--port', String(port)], {detached: true, stdio: ['ignore', log, log], cwd: root});
  let ended = false;
  server.on('exit', (code) => { ended = true; if (!stopping) { console.error(`mandated ended with ${code}; see var/mandated.log`); process.exit(1); } });
  for (const until = Date.now() + 20_000; !ended; await new Promise((r) => setTimeout(r, 25))) {
    readCa();
    if (await running()) break;
    if (Date.now() > until) { console.error('mandated did not answer within 20 s; see var/mandated.log'); process.exit(1); }
  }
  writeFileSync(join(data, 'mandated.pid'), String(server.pid));
  say(`mandated is up at ${base} (${Math.round(performance.now() - began)} ms), data in ./var`);
}
var stopping = false;
const applied = spawnSync(join(build, 'cli/mandate'), ['--socket', socket, 'apply', join(root, 'examples/todo/tenant.yaml')], {encoding: 'utf8', cwd: root,
  env: {...process.env, MANDATE_DEMO_PORT: String(port)}});
if (applied.status !== 0) { console.error(applied.stdout + applied.stderr); process.exit(1); }
say(short(applied.stdout.trim(), 1500));

const {anaToken} = await scenario();

say('\n' + paint('1;32', 'All of it worked.') + ` (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
if (process.env.DEMO_EXIT === '1') {
  stopping = true;
  const pid = server?.pid ?? Number(readFileSync(join(data, 'mandated.pid'), 'utf8'));
  process.kill(pid, 'SIGTERM');
  for (const until = Date.now() + 30_000; Date.now() < until; await new Promise((r) => setTimeout(r, 20)))
    try { process.kill(pid, 0); } catch { break; }
  process.exit(0);
}
say(`The server stays up. Login page: ${base}/login?client=todo   people: ${Object.values(people).map(([e, p]) => `${e} / ${p}`).join(', ')}
Go on with curl (the first line keeps Ana's backend token):

  TOKEN=${anaToken}
  curl --cacert var/tls/ca.pem -H "X-ZUMO-AUTH: $TOKEN" -H 'ZUMO-API-VERSION: 2.0.0' '${base}/tables/TodoItem?$top=3'
  curl --cacert var/tls/ca.pem -H "X-ZUMO-AUTH: $TOKEN" -H 'ZUMO-API-VERSION: 2.0.0' -H 'Content-Type: application/json' -d '{"text":"from curl"}' ${base}/tables/TodoItem
  build/release/cli/mandate delegation explain --client other --target todo-backend --user ana@example.org
  build/release/cli/mandate script logs

Stop it with: kill ${server?.pid ?? readFileSync(join(data, 'mandated.pid'), 'utf8')}`);
server?.unref();
process.exit(0);
