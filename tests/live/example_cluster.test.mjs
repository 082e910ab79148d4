// examples/cluster: three nodes on one PostgreSQL behind haproxy, as docs/guide/scale-out.md has it.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import https from 'node:https';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'node:test';
import {root} from './harness.mjs';

test('the cluster of the guide comes up, outlives a node that is killed, takes it back, and goes away', {timeout: 120_000}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mandate-cluster-'));
  execFileSync('chmod', ['755', dir]);  // PostgreSQL runs as another user
  const base = 20_000 + Math.floor(Math.random() * 10_000);
  const env = {...process.env, DIR: dir, PORT: String(base), BASE_PORT: String(base), MANDATE_BUILD: process.env.MANDATE_BUILD ?? 'build/dev'};
  delete env.MANDATE_STORE;
  const cluster = (...args) => execFileSync(join(root, 'examples/cluster/cluster'), args, {env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']});
  try {
    assert.match(cluster('up'), /three nodes now/);
    assert.match(cluster('status'), /node1 ready\nnode2 ready\nnode3 ready/);
    const ca = readFileSync(join(dir, 'tls/server.pem'));
    const status = (path) => new Promise((done, fail) => https.get(`https://localhost:${base}${path}`, {ca, agent: false}, (answer) => {
      answer.resume().on('end', () => done(answer.statusCode));
    }).on('error', fail));
    const all = async (count) => {
      const seen = [];
      for (let i = 0; i < count; ++i) seen.push(await status('/.well-known/openid-configuration'));
      return [...new Set(seen)];
    };
    // The tenant is known on every node within two seconds.
    for (const end = Date.now() + 2000; (await all(3)).join() !== '200';) assert.ok(Date.now() < end, 'a node does not know the tenant');
    process.kill(Number(readFileSync(join(dir, 'node2.pid'), 'utf8')), 'SIGKILL');
    assert.deepEqual(await all(30), [200]);
    cluster('node', '2');
    assert.match(cluster('status'), /node2 ready/);
    assert.deepEqual(await all(9), [200]);
  } finally {
    cluster('down');
    rmSync(dir, {recursive: true, force: true});
  }
});
