// worker: one realm of scripts.

// A script is evaluated anew for each call. As a rule that happens in the realm's one context, whose built-ins and names
// are frozen, so nothing can outlive the call; a script that wants to change built-ins gets a context of its own.
function worker() {
  'use strict';
  const { workerData } = require('node:worker_threads');
  const vm = require('node:vm');
  const util = require('node:util');
  const { performance } = require('node:perf_hooks');
  const { AsyncLocalStorage } = require('node:async_hooks');
  const { setTimeout, setInterval, setImmediate, clearTimeout, process } = globalThis;
  const { parts, service_parts, limits, running } = workerData;
  const kFailed = 4, kPong = 7, kChecked = 8, kScript = 20, kCall = 21, kAnswer = 22, kCancel = 23, kPing = 25, kCheck = 26, kBundle = 29, kEnvironment = 30;
  const kNames = ['globalThis', 'global', 'console', 'tables', 'push', 'statusCodes', 'require', 'process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'fetch', 'mssql'];
  const kOfModule = ['module', 'exports', '__filename', '__dirname'];
  const kActs = ['insert', 'read', 'update', 'del'], kDecides = ['conflict'];
  const kOfServices = ['api', 'push', 'hooks', 'describe'];  // kinds of calls that run among the service's modules
  const kOfTables = /^\/?(table\/[^/]*\.(insert|read|update|delete|conflict)|scheduler\/[^/]*)\.js$/i;
  const kLongJob = 30;  // times the processor time of other calls
  const end_of = (names) => `\n;return {${names.map((each) => `${each}: typeof ${each} === "function" ? ${each} : undefined`).join(', ')}};};})()`;
  const kStart = '"use strict";';
  // A name that is found in no function is looked for through a slow hook of the engine: those that scripts use, and those
  // we ask for, are constants around them. A context that its script may change has none but ours.
  const own_of = (names) => `(() => {const ${names.map((each) => `${each} = undefined`).join(', ')};`;
  const kUsual = 'Array, Boolean, Date, Error, JSON, Map, Math, Number, Object, Promise, RangeError, RegExp, Set, String, Symbol, TypeError, decodeURIComponent, encodeURIComponent, isFinite, isNaN, parseFloat, parseInt';
  const kHead = `return function (${kNames.join(', ')}) {${kStart}`;
  const kFresh = `return function (${[...kNames, ...kOfModule].join(', ')}) {${kStart}`;
  const fresh_of = (alone) => `(() => {${alone ? '' : `const {${kUsual}} = globalThis;`}${kFresh}`;
  const open_of = (names, alone) => (alone ? `${own_of(names)}${kHead}` : `${own_of(names)}const {${kUsual}} = globalThis;${kHead}`);
  const kBuiltIn = 'Array|String|Object|Function|Date|Number|Boolean|RegExp|Error|TypeError|RangeError|Promise|Math|JSON|Map|Set|WeakMap|WeakSet|Symbol|Reflect|Proxy|Intl|BigInt';
  const kOwnContext = new RegExp(`\\bglobal(This)?\\b|\\b(${kBuiltIn})\\s*\\.\\s*(prototype\\b[^;\\n]*=|\\w+\\s*=[^=])|\\b(defineProperty|defineProperties|assign|setPrototypeOf)\\s*\\(\\s*(${kBuiltIn})\\b`);
  // What a text does not mention need not be made for it (the bits of realm.js). A name can be spelt with escapes too.
  const kMentions = [/\bconsole\b/, /\btables\b/, /\brequire\b/, /\bprocess\b/, /\bBuffer\b/, /\b(set|clear)(Timeout|Interval|Immediate)\b/, /\bpush\b/, /\bfetch\b/, /\bmssql\b/];
  const needs_of = (source) => (source.includes('\\u') ? -1 : kMentions.reduce((bits, pattern, i) => bits | (pattern.test(source) ? 1 << i : 0), 0));

  // ── texts ──
  // A stack without the lines that are ours: what remains has the line numbers of the one who wrote the script. People's
  // files begin with a slash.
  const without_ours = (text) => text.replace(/\n    at (?!(?:async )?(?:[^\n]*\()?\/)[^\n]*(?=\n|$)/g, '');
  const own_lines = (text) => (served === undefined ? without_ours(text) : served.files.mapped(without_ours(text)));
  // Node shows an object of another context as one of a foreign class.
  const tidy = (text) => (typeof text === 'string' ? text.replaceAll('Object <[Object: null prototype] {}> ', '') : text);
  function describe(error) {
    try {
      const stack = typeof error?.stack === 'string' ? error.stack : '';
      return JSON.stringify({ kind: 'syntax', message: `${error?.message}`.slice(0, 4000), stack: own_lines(stack).replace(kStart, '').slice(0, 4000) });
    } catch { return '{"kind":"syntax","message":"The script cannot be compiled.","stack":""}'; }
  }

  // ── what contexts may call ──
  let environment = '';
  let served;  // the service's code, in the version that calls had last
  let own_call;  // whose code runs, also where its promises come to rest; from the first context of a service on
  const { modules: given, thrown } = modules(tidy);
  const under_way = new Map();  // call → {name of the script, its api, milliseconds its code has held this thread}
  const timers = new Map();
  let timer_id = 0;
  const guarded = (fn) => (...args) => { try { return fn(...args); } catch { return undefined; } };
  const host = {
    send(type, call, sequence, flags, text) { try { frame(type | 0, call >>> 0, sequence | 0, flags | 0, `${text}`); } catch { /* too deep in the stack, or no text */ } },
    closed(call) { try { const service = under_way.get(call)?.service; under_way.delete(call); contexts.delete(call); service?.gone(call); } catch { /* too deep in the stack */ } },
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
    environment: () => environment,
    // The files of the call's service.
    bundled: (call) => under_way.get(call)?.service !== undefined,
    resolve: guarded((call, from, name) => { const entry = under_way.get(call); return entry?.service?.files.resolve(from === '' ? entry.name.slice(1) : from, name) ?? ''; }),
    text: guarded((call, path) => under_way.get(call)?.service?.files.text(path)),
    fresh: (call, path) => factory_of(under_way.get(call).service, path),
    outside: (call, path) => under_way.get(call).service.api.service.load(path),
  };
  // A script that may change built-ins may get at its realm's own functions: here it can speak for its own call only.
  const host_for = (own) => ({
    ...host,
    send: (type, call, sequence, flags, text) => { if (call === own) host.send(type, call, sequence, flags, text); },
    closed: (call) => { if (call === own) host.closed(call); },
    later: (call) => { if (call === own) host.later(call); },
    timer: (call, ms, repeat) => (call === own ? host.timer(call, ms, repeat) : undefined),
    untimer: (id) => { if (timers.get(id)?.call === own) host.untimer(id); },
    ...Object.fromEntries(['bundled', 'resolve', 'text', 'outside'].map((name) => [name, (call, ...args) => (call === own ? host[name](call, ...args) : undefined)])),
    fresh: (call, path) => compile_fresh(under_way.get(own).service, path, contexts.get(own), true),
  });
  const host_for_service = (service) => ({
    ...host, bundled: undefined, fresh: undefined, outside: undefined,
    current: () => { const call = own_call.getStore() ?? running[1]; return under_way.get(call)?.api.find(call); },
    resolve: (from, name) => service.files.resolve(from, name) ?? '',
    text: (path) => service.files.text(path),
    under: (folder) => JSON.stringify(service.files.under(folder)),
    compile: (path) => service.compile(path),
    bring: (path, good, bad) => service.bring(path, good, bad),
  });

  // ── contexts and scripts ──
  const kCode = { codeGeneration: { strings: false, wasm: false } };
  function make_context(own) {
    const context = vm.createContext(Object.create(null), kCode);
    const inside = vm.runInContext(parts, context, { filename: 'host.js' });
    if (own !== undefined) contexts.set(own, context);
    return { context, api: inside(own === undefined ? host : host_for(own), limits, own !== undefined) };
  }
  function make_service_context(service) {
    if (own_call === undefined) {
      own_call = new AsyncLocalStorage();
      own_call.enterWith(running[0]);  // the call that asked for the context is in its code already
    }
    const context = vm.createContext(Object.create(null), kCode);
    const inside = vm.runInContext(service_parts, context, { filename: 'host.js' });
    return { context, api: inside(host_for_service(service), limits, true) };
  }
  const Bundle = bundles((name) => [...scripts.values()].find((script) => script.name === name)?.source);
  const Service = services({ Bundle, make: make_service_context, text_of_error: (error) => JSON.parse(describe(error)).stack || 'The file cannot be compiled.', current: () => own_call?.getStore() ?? running[1], alive: (call) => under_way.has(call) });
  const contexts = new Map();  // of calls that have one of their own
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
    if (script.kind !== 'job') return /\.conflict\.js$/i.test(script.name) ? kDecides : kActs;
    const { function: name } = JSON.parse(text);
    if (typeof name !== 'string' || !/^[A-Za-z_$][\w$]*$/.test(name)) throw new Error(`'${name}' is not a name that a function can have.`);
    return [name];
  }
  /// A shared script, as the function that evaluates it, or what is wrong with it.
  function compile_fresh(service, path, context, alone) {
    const source = (service.files.text(path) ?? '').replace(/^#!/, '//'), open = fresh_of(alone), filename = `/${path}`;
    if (service.files.is_module(path)) return `Error: '${filename}' is an ES module, which require() cannot load.`;
    try {
      new vm.Script(`(function () {${kStart}${source}\n})`, { filename, columnOffset: -(kStart.length + 13) });
      return new vm.Script(`${open}${source}\n};})()`, { filename, columnOffset: -open.length }).runInContext(context);
    } catch (error) { return JSON.parse(describe(error)).stack || 'The file cannot be compiled.'; }
  }
  function factory_of(service, path) {
    let made = service.factories.get(path);
    if (made === undefined) service.factories.set(path, made = compile_fresh(service, path, shared.context, false));
    return made;
  }
  /// Whether a script, or a shared one that it may require, changes built-ins.
  function wants_own_context(script, service) {
    if (kOwnContext.test(script.source)) return true;
    if (service === undefined || !/\brequire\b/.test(script.source)) return false;
    return service.shared_changes ??= service.files.under('shared/').some((path) => path.endsWith('js') && kOwnContext.test(service.files.text(path)));
  }
  /// A script ready to run, in the realm's context or in one for this call alone.
  function prepare(script, call, text, service) {
    const names = script.names ??= functions_of(script, text);
    if (script.needs === undefined || script.service !== service) {
      script.service = service;
      script.alone = wants_own_context(script, service);
      script.needs = needs_of(script.source);
    }
    if (script.alone) {
      const own = make_context(call);
      return { api: own.api, factory: compile(script, own.context, names, true), needs: -1 };
    }
    shared ??= make_context();
    return script.ready ??= { api: shared.api, factory: compile(script, shared.context, names, false), needs: script.needs };
  }

  // Every way into a script's code: the parent's watchdog asks `running` whose code holds the thread.
  function enter(call, fn) {
    const entry = under_way.get(call);
    if (entry === undefined) return undefined;
    let result;
    running[0] = running[1] = call;
    const began = performance.now();
    try { result = own_call === undefined ? fn(entry.api) : own_call.run(call, fn, entry.api); } catch (error) {
      frame(kFailed, call, 0, 0, describe(error));
      under_way.delete(call);
    }
    running[0] = 0;
    entry.spent += performance.now() - began;
    if (entry.spent > entry.most && under_way.has(call)) entry.api.fail(call, `The script used more than ${entry.most} ms of processor time.`, 'cpu');
    return result;
  }
  function start(call, slot, with_files, text) {
    const script = scripts.get(slot), service = with_files ? served : undefined;
    if (script === undefined || (with_files && service === undefined)) return frame(kFailed, call, 0, 0, '{"kind":"unknown","message":"","stack":""}');
    if (service?.waiting === undefined) return begin(call, script, service, text);
    if (service.opening === undefined) under_way.set(call, { name: '/extensions/startup.js', api: service.api, service, spent: 0, most: limits.cpu });
    return void service.ready(call, (run) => enter(call, run), () => begin(call, script, service, text));
  }
  function begin(call, script, service, text) {
    const entry = { name: script.name, api: undefined, service, spent: 0, most: script.kind === 'job' ? limits.cpu * kLongJob : limits.cpu };
    if (kOfServices.includes(script.kind)) {
      if (service === undefined) return frame(kFailed, call, 0, 0, '{"kind":"threw","message":"The service has no files.","stack":""}');
      entry.api = service.api;
      under_way.set(call, entry);
      return enter(call, (api) => (script.kind === 'hooks' ? api.start(call, undefined, 0, text) : api.service.open(call, script.kind, text)));
    }
    let ready;
    try { ready = prepare(script, call, text, service); } catch (error) { return frame(kFailed, call, 0, 0, describe(error)); }
    entry.api = ready.api;
    under_way.set(call, entry);
    return enter(call, (api) => api.start(call, ready.factory, ready.needs, text));
  }
  function check(call, text) {
    try {
      shared ??= make_context();
      const script = JSON.parse(text);
      if (kOfTables.test(script.name)) compile(script, shared.context, kActs, false);
      else check_module(script);
      frame(kChecked, call, 0, 1, '{}');
    } catch (error) { frame(kChecked, call, 0, 0, describe(error)); }
  }
  // As it would be loaded: a module of one kind or the other.
  function check_module({ name: filename, source }) {
    const text = source.replace(/^#!/, '//');
    if (filename.endsWith('.json')) return void JSON.parse(text);
    try { vm.compileFunction(text, [...kOfModule, 'require'], { filename }); } catch (error) {
      if (!/^\s*(import|export)\b/m.test(text) && !filename.endsWith('.mjs')) throw error;
      Service.es_module(text, { identifier: filename, context: shared.context });
    }
    return undefined;
  }
  const frame = wire(workerData.fd, workerData.realm, (type, flags, sequence, call, text) => {
    switch (type) {
      case kCall: start(call, sequence, (flags & 1) === 1, text); break;
      case kAnswer: enter(call, (api) => api.answer(call, sequence, flags === 1, text)); break;
      case kScript: scripts.set(sequence, JSON.parse(text)); break;
      case kCancel: served?.leave(call); under_way.get(call)?.api.cancel(call); break;
      case kPing: frame(kPong, 0, 0, 0, '{}'); break;
      case kCheck: check(call, text); break;
      case kBundle: served = new Service(text); break;
      case kEnvironment: environment = text; if (served?.made) served.api.service.renew(); break;
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
