// Debian's Chromium under playwright-core, and a page server on loopback for the apps under test.
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createRequire, isBuiltin} from 'node:module';
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

/**
 * The same for packages that look at the names of their own functions, which a bundler that flattens modules may change
 * (azure-query-js does): each module stays as it is in a function of its own, as browserify had them.
 */
export function wrapped(entry, globalName) {
  const modules = [], places = new Map();
  const add = (file) => {
    if (places.has(file)) return places.get(file);
    const at = modules.length, text = readFileSync(file, 'utf8').replace(/^\uFEFF/, ''), from = createRequire(file), wants = {};
    places.set(file, at);
    modules.push('');
    if (!file.endsWith('.json'))
      for (const [, name] of text.matchAll(/\brequire\(\s*['"]([^'"]+)['"]\s*\)/g)) wants[name] = add(isBuiltin(name) ? builtins : from.resolve(name));
    modules[at] = `[function (require, module, exports) {${file.endsWith('.json') ? `module.exports = ${text};` : text}\n}, ${JSON.stringify(wants)}]`;
    return at;
  };
  const first = add(entry);
  return `var ${globalName} = (function () {
var global = window, process = {env: {}}, Buffer = Uint8Array, loaded = [], modules = [${modules.join(',\n')}];
function load(at) {
  if (loaded[at]) return loaded[at].exports;
  var module = loaded[at] = {exports: {}};
  modules[at][0].call(module.exports, function (name) { return load(modules[at][1][name]); }, module, module.exports);
  return module.exports;
}
return load(${first});
})();`;
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
