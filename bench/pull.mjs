// The bulk pull of an offline client: a whole table of 170,000 rows through the old protocol, 50 rows a page, one page after
// the other as the SDKs ask. Prints; a test never fails by a clock.
//   node bench/pull.mjs [rows = 170000]        MANDATE_STORE_UNDER_TEST=postgres: on PostgreSQL
import http from 'node:http';
import {performance} from 'node:perf_hooks';

process.env.MANDATE_BUILD ??= 'build/release';
const {Mandated, engine} = await import('../tests/live/harness.mjs');

const rows = Number(process.argv[2] ?? 170_000), owned = Math.min(rows, 50_000), owners = 10, master = 'bench-master-key';
const server = await new Mandated({tenant: JSON.stringify({tenant: 'bench', settings: {hosts: ['localhost']}, services: {default: {master_key: master,
  tables: {Items: {soft_delete: true, permissions: 'public', columns: {text: 'string', complete: 'boolean'}},
    Mine: {soft_delete: true, permissions: {'*': 'authenticated'}, user_id_column: 'userId', columns: {text: 'string', complete: 'boolean'}}}}}})}).start();
const agent = new http.Agent({keepAlive: true, maxSockets: 64});

function call(method, path, headers = {}, body) {
  return new Promise((done, fail) => {
    const request = http.request({host: 'localhost', port: server.port, method, path, agent, headers: {...headers, ...(body ? {'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body)} : {})}}, (answer) => {
      const parts = [];
      answer.on('data', (d) => parts.push(d)).on('error', fail).on('end', () => done({status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString()}));
    });
    request.on('error', fail);
    request.end(body);
  });
}

async function fill(table, rows, headers) {
  let next = 0;
  const writer = async () => {
    for (let i; (i = next++) < rows;) {
      const answer = await call('POST', `/tables/${table}`, headers(i), JSON.stringify({text: `item ${i} of the table`, complete: i % 2 === 0}));
      if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({length: 64}, writer));
  console.log(`filled ${table}: ${rows} rows in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** One page after the other from the largest stamp seen; by $skip while it stands still (V2 in JavaScript, V1 everywhere). */
async function pull(what, table, v1, headers) {
  const name = v1 ? '__updatedAt' : 'updatedAt', seen = new Set(), waits = [];
  let stamp = '1970-01-01T00:00:00.000Z', skip = 0, bytes = 0;
  const began = performance.now();
  for (;;) {
    const path = `${v1 ? '/v1' : ''}/tables/${table}?$filter=(${name}%20ge%20datetimeoffset'${stamp}')&$orderby=${name}&$skip=${skip}&$top=50&__includeDeleted=true${v1 ? '&__systemProperties=*' : ''}`;
    const asked = performance.now();
    const answer = await call('GET', path, headers);
    waits.push(performance.now() - asked);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    bytes += answer.text.length;
    const page = JSON.parse(answer.text);
    if (page.length === 0) break;
    for (const item of page) seen.add(item.id);
    const last = page.at(-1)[name];
    skip = last === stamp ? skip + page.length : 0;
    stamp = last;
  }
  const seconds = (performance.now() - began) / 1000;
  waits.sort((a, b) => a - b);
  const at = (part) => waits[Math.floor(waits.length * part)].toFixed(2);
  console.log(`${what}: ${seen.size} rows in ${waits.length} pages, ${seconds.toFixed(1)} s, ${Math.round(seen.size / seconds)} rows/s, ` +
    `page p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${(bytes / 1e6).toFixed(0)} MB`);
}

const v2 = {'ZUMO-API-VERSION': '2.0.0'};
console.log(`on ${engine}`);
await fill('Items', rows, () => v2);
await pull('V2, updatedAt ge', 'Items', false, v2);
await pull('V1, __updatedAt ge', 'Items', true, {});
const tokens = await Promise.all(Array.from({length: owners}, (_, i) => token(`Custom:${i}`)));
await fill('Mine', owned, (i) => ({...v2, 'X-ZUMO-AUTH': tokens[i % owners]}));
await pull(`V2, one of ${owners} owners of ${owned} rows`, 'Mine', false, {...v2, 'X-ZUMO-AUTH': tokens[3]});
agent.destroy();
await server.stop();

/** A token as the old service made it, by its master key. */
async function token(uid) {
  const crypto = await import('node:crypto');
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({alg: 'HS256', typ: 'JWT', kid: '0'})}.${part({exp: Math.floor(Date.now() / 1000) + 86_400, ver: 2, aud: 'Custom', uid})}`;
  return `${text}.${crypto.createHmac('sha256', crypto.createHash('sha256').update(`${master}JWTSig`).digest()).update(text).digest('base64url')}`;
}
