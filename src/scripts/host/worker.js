// worker: one realm of scripts.

// A script is evaluated anew for each call. As a rule that happens in the realm's one context, whose built-ins and names
// are frozen, so nothing can outlive the call; a script that wants to change built-ins gets a context of its own.
function worker() {
  'use strict';
  const { workerData } = require('node:worker_threads');
  const vm = require('node:vm');
  const util = require('node:util');
  const { performance } = require('node:perf_hooks');
  const { setTimeout, setInterval, setImmediate, clearTimeout, process } = globalThis;
  const { parts, limits, running } = workerData;
  const kFailed = 4, kPong = 7, kChecked = 8, kScript = 20, kCall = 21, kAnswer = 22, kCancel = 23, kPing = 25, kCheck = 26;
  const kNames = ['globalThis', 'global', 'console', 'tables', 'push', 'statusCodes', 'require', 'process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
  const kActs = ['insert', 'read', 'update', 'del'];
  const kLongJob = 30;  // times the processor time of other calls
  const end_of = (names) => `\n;return {${names.map((each) => `${each}: typeof ${each} === "function" ? ${each} : undefined`).join(', ')}};};})()`;
  const kStart = '"use strict";';
  // A name that is found in no function is looked for through a slow hook of the engine: those that scripts use, and those
  // we ask for, are constants around them. A context that its script may change has none but ours.
  const own_of = (names) => `(() => {const ${names.map((each) => `${each} = undefined`).join(', ')};`;
  const kUsual = 'Array, Boolean, Date, Error, JSON, Map, Math, Number, Object, Promise, RangeError, RegExp, Set, String, Symbol, TypeError, decodeURIComponent, encodeURIComponent, isFinite, isNaN, parseFloat, parseInt';
  const kHead = `return function (${kNames.join(', ')}) {${kStart}`;
  const open_of = (names, alone) => (alone ? `${own_of(names)}${kHead}` : `${own_of(names)}const {${kUsual}} = globalThis;${kHead}`);
  const kBuiltIn = 'Array|String|Object|Function|Date|Number|Boolean|RegExp|Error|TypeError|RangeError|Promise|Math|JSON|Map|Set|WeakMap|WeakSet|Symbol|Reflect|Proxy|Intl|BigInt';
  const kOwnContext = new RegExp(`\\bglobal(This)?\\b|\\b(${kBuiltIn})\\s*\\.\\s*(prototype\\b[^;\\n]*=|\\w+\\s*=[^=])|\\b(defineProperty|defineProperties|assign|setPrototypeOf)\\s*\\(\\s*(${kBuiltIn})\\b`);
  // What a text does not mention need not be made for it (the bits of realm.js). A name can be spelt with escapes too.
  const kMentions = [/\bconsole\b/, /\btables\b/, /\brequire\b/, /\bprocess\b/, /\bBuffer\b/, /\b(set|clear)(Timeout|Interval|Immediate)\b/, /\bpush\b/];
  const needs_of = (source) => (source.includes('\\u') ? 127 : kMentions.reduce((bits, pattern, i) => bits | (pattern.test(source) ? 1 << i : 0), 0));

  // ── texts ──
  // A stack without the lines that are ours: what remains has the line numbers of the one who wrote the script.
  const own_lines = (text) => text.replace(/\n    at (?![^\n]*\/(table|api|shared|scheduler|extensions)\/)[^\n]*(?=\n|$)/g, '');
  // Node shows an object of another context as one of a foreign class.
  const tidy = (text) => (typeof text === 'string' ? text.replaceAll('Object <[Object: null prototype] {}> ', '') : text);
  function describe(error) {
    try {
      const stack = typeof error?.stack === 'string' ? error.stack : '';
      return JSON.stringify({ kind: 'syntax', message: `${error?.message}`.slice(0, 4000), stack: own_lines(stack).replace(kStart, '').slice(0, 4000) });
    } catch { return '{"kind":"syntax","message":"The script cannot be compiled.","stack":""}'; }
  }

  // ── what contexts may call ──
  const { modules: given, thrown } = modules(tidy);
  const under_way = new Map();  // call → {name of the script, its api, milliseconds its code has held this thread}
  const timers = new Map();
  let timer_id = 0;
  const guarded = (fn) => (...args) => { try { return fn(...args); } catch { return undefined; } };
  const host = {
    send(type, call, sequence, flags, text) { try { frame(type | 0, call >>> 0, sequence | 0, flags | 0, `${text}`); } catch { /* too deep in the stack, or no text */ } },
    closed(call) { try { under_way.delete(call); } catch { /* too deep in the stack */ } },
    format: (args) => { try { return tidy(own_lines(util.formatWithOptions({ customInspect: false }, ...args))); } catch { return '[a value that cannot be shown]'; } },
    stack: guarded(own_lines),
    timer: guarded((call, ms, repeat) => {
      const id = ++timer_id;
      const ring = () => {
        if (!repeat) timers.delete(id);
        enter(call, (api) => api.timer(call, id));
      };
      timers.set(id, { call, handle: (repeat ? setInterval : setTimeout)(ring, ms) });
      return id;
    }),
    untimer: guarded((id) => { clearTimeout(timers.get(id)?.handle); timers.delete(id); }),
    later: guarded((call) => { setImmediate(() => enter(call, (api) => api.later(call))); }),
    module: guarded((name) => (Object.hasOwn(given, name) ? given[name] : undefined)),
  };
  // A script that may change built-ins may get at its realm's own functions: here it can speak for its own call only.
  const host_for = (own) => ({
    ...host,
    send: (type, call, sequence, flags, text) => { if (call === own) host.send(type, call, sequence, flags, text); },
    closed: (call) => { if (call === own) host.closed(call); },
    later: (call) => { if (call === own) host.later(call); },
    timer: (call, ms, repeat) => (call === own ? host.timer(call, ms, repeat) : undefined),
    untimer: (id) => { if (timers.get(id)?.call === own) host.untimer(id); },
  });

  // ── contexts and scripts ──
  function make_context(own) {
    const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    const inside = vm.runInContext(parts, context, { filename: 'host.js' });
    return { context, api: inside(own === undefined ? host : host_for(own), limits, own !== undefined) };
  }
  let shared;
  const scripts = new Map();
  /// What gives the functions `names` of a script.
  function compile(script, context, names, alone) {
    const open = open_of(names, alone);
    // By itself first: a text that closes our function and goes on outside of it is no script.
    new vm.Script(kStart + script.source, { filename: script.name, columnOffset: -kStart.length });
    return new vm.Script(open + script.source + end_of(names), { filename: script.name, columnOffset: -open.length }).runInContext(context);
  }
  /// The functions that the parent may call in a script: those of a table, or the one that a job is named for.
  function functions_of(script, text) {
    if (script.kind !== 'job') return kActs;
    const { function: name } = JSON.parse(text);
    if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]*$/.test(name)) throw new Error(`'${name}' is not a name that a function can have.`);
    return [name];
  }
  /// A script ready to run, in the realm's context or in one for this call alone.
  function prepare(script, call, text) {
    const names = script.names ??= functions_of(script, text);
    if (script.needs === undefined) {
      script.alone = kOwnContext.test(script.source);
      script.needs = needs_of(script.source);
    }
    if (script.alone) {
      const own = make_context(call);
      return { api: own.api, factory: compile(script, own.context, names, true), needs: 127 };
    }
    shared ??= make_context();
    return script.ready ??= { api: shared.api, factory: compile(script, shared.context, names, false), needs: script.needs };
  }

  // Every way into a script's code: the parent's watchdog asks `running` whose code holds the thread.
  function enter(call, fn) {
    const entry = under_way.get(call);
    if (entry === undefined) return;
    running[0] = running[1] = call;
    const began = performance.now();
    try { fn(entry.api); } catch (error) {
      frame(kFailed, call, 0, 0, describe(error));
      under_way.delete(call);
    }
    running[0] = 0;
    entry.spent += performance.now() - began;
    if (entry.spent > entry.most && under_way.has(call)) entry.api.fail(call, `The script used more than ${entry.most} ms of processor time.`, 'cpu');
  }
  function start(call, slot, text) {
    const script = scripts.get(slot);
    if (script === undefined) return frame(kFailed, call, 0, 0, '{"kind":"unknown","message":"","stack":""}');
    let ready;
    try { ready = prepare(script, call, text); } catch (error) { return frame(kFailed, call, 0, 0, describe(error)); }
    under_way.set(call, { name: script.name, api: ready.api, spent: 0, most: script.kind === 'job' ? limits.cpu * kLongJob : limits.cpu });
    return enter(call, (api) => api.start(call, ready.factory, ready.needs, text));
  }
  function check(call, text) {
    try {
      shared ??= make_context();
      compile(JSON.parse(text), shared.context, kActs, false);
      frame(kChecked, call, 0, 1, '{}');
    } catch (error) { frame(kChecked, call, 0, 0, describe(error)); }
  }
  const frame = wire(workerData.fd, workerData.realm, (type, flags, sequence, call, text) => {
    switch (type) {
      case kCall: start(call, sequence, text); break;
      case kAnswer: enter(call, (api) => api.answer(call, sequence, flags === 1, text)); break;
      case kScript: scripts.set(sequence, JSON.parse(text)); break;
      case kCancel: under_way.get(call)?.api.cancel(call); break;
      case kPing: frame(kPong, 0, 0, 0, '{}'); break;
      case kCheck: check(call, text); break;
    }
  });

  // A rejection without a handler belongs to the call whose script is in its stack; when that is not clear, to the last one.
  process.on('unhandledRejection', guarded((reason) => {
    let stack = '';
    try { stack = `${reason?.stack}`; } catch { /* not a thing to look at */ }
    let found;
    for (const [call, entry] of under_way) if (stack.includes(entry.name)) found = call;
    found ??= running[1];
    under_way.get(found)?.api.stray(found, reason);
  }));
  process.on('uncaughtException', () => {});

  // Nothing of Node stays within reach, and no built-in of this realm can be changed from the other.
  const kept = new Set(Object.getOwnPropertyNames(vm.runInContext('globalThis', vm.createContext(Object.create(null)))));
  for (const name of Reflect.ownKeys(globalThis)) if (!kept.has(name)) try { delete globalThis[name]; } catch { /* not configurable: a constant of the language */ }
  const lock = vm.runInThisContext(workerData.lockdown);
  globalThis.handed_out = [given, thrown];
  lock(globalThis, false);
  frame(kPong, 0, 0, 0, '{}');
}
