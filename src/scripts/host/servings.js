// servings: the context in which the modules of a service live, with its custom APIs, hooks and what runs at its opening.
// Unlike that of table scripts it is kept from call to call, and may change its built-ins as it likes.

function servings({ host, words, Call, Act, load, builtins_of, environment, unknown, become, console_of, tables_of, push_of, statusCodes, user_of, request_of }) {
  const { Error, JSON, Map, Math, Number, Object, Promise, Symbol } = globalThis;
  const { defineProperty } = Object;
  const global = globalThis;
  const kStartupSequence = 40000;
  // On whose behalf code runs: the call that the Worker is in, also when it belongs to a table's script.
  const now = () => host.current();
  // Of one call: methods of its class are constants.
  const replace = (call, name, value) => defineProperty(call, name, { value });

  // ── what modules find around them ──
  class Timer {
    #call; #id;
    constructor(call, id) { this.#call = call; this.#id = id; }
    ref() { this.#call?.weaken_timer(this.#id, false); return this; }
    unref() { this.#call?.weaken_timer(this.#id, true); return this; }
    hasRef() { return true; }
    close() { this.#call?.stop_timer(this.#id); return this; }
    refresh() { return this; }
    [Symbol.toPrimitive]() { return this.#id; }
  }
  const start = (repeat, fn, ms, args) => {
    const call = now();
    return new Timer(call, call === undefined ? 0 : call.start_timer(repeat, fn, ms, args));
  };
  const stop = (timer) => { if (timer instanceof Timer) timer.close(); else if (timer !== undefined) now()?.stop_timer(Number(timer)); };
  const timers = {
    setTimeout: (fn, ms, ...args) => start(false, fn, ms, args), setInterval: (fn, ms, ...args) => start(true, fn, ms, args), setImmediate: (fn, ...args) => start(false, fn, 0, args),
    clearTimeout: stop, clearInterval: stop, clearImmediate: stop,
  };
  const console = {};
  for (const level of ['log', 'info', 'warn', 'error']) console[level] = (...args) => { now()?.console(level, host.format(args)); };
  Object.assign(console, { debug: console.log, trace: console.log, dir: (value) => console.log(value), assert: (good, ...args) => { if (!good) console.error('Assertion failed', ...args); }, time() {}, timeEnd() {} });
  const nextTick = (fn, ...args) => { void Promise.resolve().then(() => fn(...args)); };
  let env_before = environment().env;
  const process = {
    env: environment().env, nextTick, platform: 'linux', arch: 'x64', version: 'v18.0.0', versions: { node: '18.0.0' }, argv: ['node'], execArgv: [], pid: 1, title: 'mandate', browser: false,
    cwd: () => '/', umask: () => 0o22, uptime: () => 0, hrtime: (from) => { const ms = Date.now(), out = [Math.floor(ms / 1000), (ms % 1000) * 1e6]; return from ? [out[0] - from[0], out[1] - from[1]] : out; },
    memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0 }), emitWarning: (text) => console.warn(`${text}`), on() { return process; }, once() { return process; }, off() { return process; }, removeListener() { return process; }, emit: () => false, listeners: () => [],
  };
  const { builtin: plain, fetch, renew } = builtins_of(now);
  let reaches_devices = environment().push === true;
  let coded = environment().coded ?? [];  // tables of the app that had code when it was deployed
  // What packages look at, and which reaches nothing.
  const inert = { timers, process, tty: { isatty: () => false }, os: { EOL: '\n', platform: () => 'linux', type: () => 'Linux', release: () => '', arch: () => 'x64', hostname: () => 'localhost', tmpdir: () => '/tmp', homedir: () => '/', cpus: () => [], totalmem: () => 0, freemem: () => 0, networkInterfaces: () => ({}) } };
  let of_mobile;  // apps of the second generation, once there is one
  const builtin = (name, spare) => {
    const bare = name.startsWith('node:') ? name.slice(5) : name, of_apps = spare ? undefined : of_mobile?.builtin(name);
    if (of_apps !== undefined) return of_apps;
    return !spare && Object.hasOwn(inert, bare) ? inert[bare] : plain(name, spare);
  };
  const text = load('text'), url = load('url');
  const given = {
    global, console, process, ...timers, queueMicrotask: nextTick, Buffer: load('Buffer'), fetch, URL: url.URL, URLSearchParams: url.URLSearchParams, statusCodes,
    TextEncoder: text.TextEncoder, TextDecoder: text.TextDecoder, atob: text.atob, btoa: text.btoa,
  };
  // Packages name it, and do without when it refuses.
  given.eval = () => { throw new EvalError('Code generation from strings disallowed for this context'); };
  for (const name of Object.keys(given)) defineProperty(global, name, { value: given[name], writable: true, enumerable: false, configurable: true });
  // Of the call that asks.
  for (const [name, make] of [['tables', tables_of], ['push', push_of], ['mssql', words.mssql_of]]) defineProperty(global, name, { get: () => { const call = now(); return call === undefined ? undefined : make(call); }, set(value) { defineProperty(global, name, { value, writable: true, configurable: true }); }, configurable: true });

  const { load: load_module, entry, require_of } = loading(host, { builtin, unknown });

  // ── calls that belong here ──
  /// tables, push, mssql and config, as request.service and the contexts of extensions have them.
  function service_of(call) {
    const out = { tables: tables_of(call), push: push_of(call), config: environment().config };
    if (typeof words.mssql_of === 'function') out.mssql = words.mssql_of(call);
    return out;
  }
  const parts = { entry, service_of, user_of, request_of, tables_of, push_of, words, load, builtin, Act };
  const { serve_api, Response, request_of: express_request_of } = express(parts);
  const { startup, register, act } = hooks(parts);
  const mobiles = () => (of_mobile ??= mobile({ host, words, entry, load_file: load_module, load, console, replace, push_of, reaches_devices: () => reaches_devices, is_coded: (name) => coded.includes(String(name).toLowerCase()), plain_builtin: plain, Response, request_of: express_request_of }));
  // What an app does for a call; it may go on by promises.
  const through = (call, run) => call.until_settled(call.run(run), () => {});

  // Files are loaded anew by whoever asks until they load; `run` gets what the file gives.
  function with_file(call, path, run) {
    const wait = async (exports) => run(await exports);
    call.running = true;
    const given = entry(path);
    call.running = false;
    if (given instanceof Promise) return call.until_settled(wait(given), () => {});
    return call.until_settled(call.run(run, given), () => {});
  }
  function open(id, kind, text) {
    const context = JSON.parse(text);
    const call = new Call(id, context);
    call.patient = true;
    try {
      if (kind === 'api') {
        replace(call, 'unanswered', () => {});
        // What the file itself throws will be thrown by the next who loads it, too.
        if (context.probe === true) replace(call, 'fail', (error, why = 'threw') => Call.prototype.fail.call(call, error, why === 'threw' ? 'broken' : why));
        if (context.app !== undefined) through(call, () => mobiles().serve_api(call));
        else with_file(call, context.file, (exports) => serve_api(call, exports));
      } else if (kind === 'describe') through(call, () => mobiles().describe(call));
      else if (kind === 'push') with_file(call, context.file, (exports) => register(call, exports));
      else call.fail(new Error(`There is no call of the kind '${kind}'.`));
    } catch (error) { call.fail(error); }
  }
  /// Runs extensions/startup.js under the number of the call that opens the realm; then done().
  function start_up(id, path, done) {
    const call = new Call(id, {});
    let over = false;
    const end = (error) => {
      if (over) return;
      over = true;
      if (error !== undefined && error !== null) call.console('error', `extensions/startup.js: ${host.format([error])}`);
      call.close();
      done();
    };
    call.sequence = kStartupSequence;
    call.patient = call.running = true;
    replace(call, 'fail', end);
    try {
      const begin = async () => startup(call, await entry(path), end);
      begin().catch(end);
    } catch (error) { end(error); }
    return () => end(new Error('It did not end in time.'));
  }

  return {
    open, start_up, builtin, load: (path) => load_module(path), act: (call, made) => (call.context.app === true ? through(call, () => mobiles().act(call, made)) : with_file(call, call.context.script, (exports) => act(call, made, exports))),
    renew() {
      const { env, push, coded: names } = environment(), last = env_before;
      env_before = environment().env;
      reaches_devices = push === true;
      coded = names ?? [];
      // Both are objects that code may have made others of.
      for (const step of [() => become(process.env, env, last), renew]) try { step(); } catch { /* what it made of it stays */ }
    },
  };
}
