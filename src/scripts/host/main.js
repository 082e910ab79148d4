// main: the process's own thread. Starts and ends Workers on the parent's word, and tells what became of them.

function main() {
  'use strict';
  const { Worker } = require('node:worker_threads');
  const { Socket } = require('node:net');
  const { Buffer } = require('node:buffer');
  const settings = JSON.parse(process.argv[2]);
  const kHead = 16, kGone = 6, kHello = 9, kHolding = 10, kTerminate = 24, kOpen = 27, kWho = 28;
  // Evaluated inside each context, and inside each Worker.
  const kInside = [lockdown, translating, query, pendings, items, calls_of, requests, table, pushes, databases, surroundings, emitters, streams, egress, async_standin, underscore_standin, requiring, realm];
  const kOfServices = [loading, routing, express, hooks, apps, app_data, hub, mobile, servings];
  const inside = (parts) => `(() => { 'use strict'; ${parts.join('\n')}\nreturn (${entrance})(); })()`;
  const parts = inside([...kInside, 'const servings = undefined;']), service_parts = inside([...kInside, ...kOfServices]);
  const source = `'use strict'; ${cutter}\n${wire}\n${modules}\n${bundles}\n${services}\n(${worker})()`;
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  const realms = new Map();   // number → its Worker, whose code holds it, and why it ends

  function send(type, number, value, call = 0) {
    const text = Buffer.from(JSON.stringify(value));
    const head = Buffer.alloc(kHead);
    head.writeUInt32LE(text.length, 0);
    head[4] = type;
    head.writeUInt32LE(number, 8);
    head.writeUInt32LE(call, 12);
    socket.write(Buffer.concat([head, text]));
  }
  function open(number, fd) {
    // The call whose code holds the thread now, and the one that held it last.
    const running = new Int32Array(new SharedArrayBuffer(8));
    const made = new Worker(source, {
      eval: true, env: {}, argv: [], execArgv: ['--experimental-vm-modules', '--no-warnings'], stdin: false, stdout: true, stderr: true,
      workerData: { parts, service_parts, lockdown: `(${lockdown})`, limits: settings, running, realm: number, fd },
      resourceLimits: { maxOldGenerationSizeMb: settings.heap, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    const entry = { worker: made, holding: () => running[0] || running[1], reason: 'ended' };
    made.on('error', (error) => { entry.reason = error?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'heap' : `${error?.message}`; });
    made.on('exit', () => {
      realms.delete(number);
      send(kGone, number, { reason: entry.reason, running: entry.holding() });
    });
    realms.set(number, entry);
  }
  function terminate(number) {
    const entry = realms.get(number);
    if (entry === undefined) return;
    entry.reason = 'terminated';
    entry.worker.terminate();
  }

  socket.on('data', cutter((type, flags, sequence, number, call, text) => {
    if (type === kOpen) open(number, sequence);
    else if (type === kTerminate) terminate(number);
    else if (type === kWho && realms.has(number)) send(kHolding, number, {}, realms.get(number).holding());
  }));
  socket.on('close', () => process.exit(0));
  socket.on('error', () => process.exit(0));
  process.on('uncaughtException', (error) => { process.stderr.write(`${error?.stack}\n`); process.exit(70); });
  send(kHello, 0, { node: process.versions.node });
}

main();
