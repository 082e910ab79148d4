// Debian's Chromium under playwright-core, and a page server on loopback for the apps under test.
import {createServer} from 'node:http';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {chromium} from 'playwright-core';

export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** A browser context that accepts the development CA's certificates. */
export const context = (browser, options = {}) => browser.newContext({ignoreHTTPSErrors: true, ...options});

const builtins = fileURLToPath(new URL('node_builtins.cjs', import.meta.url));

/** An npm package as a page loads it: one script that defines `globalName`. The package itself is not touched. */
export function bundle(entry, globalName) {
  const result = buildSync({entryPoints: [entry], bundle: true, write: false, format: 'iife', globalName, platform: 'browser',
    define: {global: 'window', 'process.env': '{}', Buffer: 'Uint8Array'}, logLevel: 'error',
    alias: {util: builtins, assert: builtins, stream: builtins, crypto: builtins}});
  return result.outputFiles[0].text;
}

/** Serves {path: [type, text]} on a free port of localhost. */
export async function pages(files) {
  const server = createServer((request, answer) => {
    const file = files[new URL(request.url, 'http://x').pathname];
    answer.writeHead(file ? 200 : 404, {'Content-Type': file?.[0] ?? 'text/plain'});
    answer.end(file?.[1] ?? 'not here');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {origin: `http://localhost:${server.address().port}`, close: () => new Promise((done) => server.close(done))};
}
