// requiring: what `require` gives scripts beside the files of their service: the built-ins, and the clients of HTTP.

function requiring({ host, load, failure, Call, timers_of }) {
  const { Array, Error, JSON, Map, Object, Reflect, Set, String, SyntaxError } = globalThis;
  const { defineProperty } = Object;
  const kCore = new Set(['util', 'url', 'path', 'querystring', 'crypto', 'buffer', 'zlib', 'string_decoder']);
  const kMade = new Set(['http', 'https', 'events', 'stream', 'timers', 'assert', 'mobileservice-config']);

  function unknown(name, from) {
    const error = new Error(/^\.\.?(\/|$)/.test(name) && from !== undefined ? `Cannot find module '${name}'${from === '' ? '' : ` in '/${from}'`}.` : `The module '${name}' is not available to scripts.`);
    error.code = 'MODULE_NOT_FOUND';
    return error;
  }
  function environment() {
    const text = host.environment();
    return text === '' ? { env: {}, config: {} } : JSON.parse(text);
  }

  /// Makes `into`, which was `before`, what `from` is, and leaves objects inside the ones they were: whoever holds one sees what it
  /// has become. What others have put into it stays, and so does what they have frozen.
  function become(into, from, before) {
    const group = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
    for (const name of Object.keys(before)) if (!Object.hasOwn(from, name)) Reflect.deleteProperty(into, name);
    for (const [name, value] of Object.entries(from)) {
      if (group(value) && Object.hasOwn(into, name) && group(into[name])) become(into[name], value, group(before[name]) ? before[name] : {});
      else Reflect.defineProperty(into, name, { value, writable: true, enumerable: true, configurable: true });
    }
    return into;
  }

  function assertions() {
    const fail = (message, standard) => {
      if (message instanceof Error) throw message;
      const error = new Error(message === undefined ? standard : String(message));
      error.name = 'AssertionError';
      error.code = 'ERR_ASSERTION';
      throw error;
    };
    const same = load('util').isDeepStrictEqual;
    const assert = (value, message) => { if (!value) fail(message, 'The value is not truthy.'); };
    assert.ok = assert;
    assert.equal = (a, b, message) => { if (a != b) fail(message, `${a} == ${b}`); };
    assert.notEqual = (a, b, message) => { if (a == b) fail(message, `${a} != ${b}`); };
    assert.strictEqual = (a, b, message) => { if (!Object.is(a, b)) fail(message, `${a} === ${b}`); };
    assert.notStrictEqual = (a, b, message) => { if (Object.is(a, b)) fail(message, `${a} !== ${b}`); };
    assert.deepEqual = assert.deepStrictEqual = (a, b, message) => { if (!same(a, b)) fail(message, 'The values are not alike.'); };
    assert.throws = (fn, message) => {
      try { fn(); } catch { return; }
      fail(typeof message === 'string' ? message : undefined, 'Nothing was thrown.');
    };
    assert.fail = (message) => fail(message, 'Failed');
    assert.ifError = (error) => { if (error !== null && error !== undefined) throw error; };
    assert.strict = assert;
    return assert;
  }
  // Names without Sync: the same, told in the next turn.
  function unpacking(call_now) {
    const base = load('zlib'), out = { ...base };
    for (const name of Object.keys(base)) {
      out[name.slice(0, -4)] = (data, options, done = options) => {
        const call = call_now();
        call?.start_timer(false, () => {
          let made;
          try { made = base[name](data); } catch (error) { return done(error); }
          return done(null, made);
        }, 0, []);
      };
    }
    return out;
  }
  function promising() {
    const base = load('util');
    const promisify = (fn) => function promised(...args) { return new Promise((good, bad) => { fn.call(this, ...args, (error, value) => (error ? bad(error) : good(value))); }); };
    const inherits = (made, from) => {
      made.super_ = from;
      Object.setPrototypeOf(made.prototype, from.prototype);
    };
    return { ...base, inherits, promisify, deprecate: (fn) => fn, types: { isDate: base.isDate, isRegExp: base.isRegExp }, inspect: Object.assign((...args) => base.inspect(...args), { custom: Symbol.for('nodejs.util.inspect.custom') }) };
  }

  /// builtin(name, spare): undefined where there is none. `spare`: also what stands in for packages that a service lacks.
  /// Everything is made once for the `call_now` that it is given.
  function builtins_of(call_now) {
    const made = new Map();
    const once = (name, make) => {
      if (!made.has(name)) made.set(name, make());
      return made.get(name);
    };
    let config, before = {}, told;
    // Settings change without a new version of the service's files.
    function settings() {
      const text = host.environment();
      if (told === text) return config;
      told = text;
      config ??= {};
      const last = before;
      before = environment().config;
      return become(config, environment().config, last);
    }
    const emitter = () => once('events', emitters);
    const net = () => once('egress', () => egress({ call_now, failure, load, EventEmitter: emitter() }));
    function builtin(given, spare) {
      if (spare) {
        if (given === 'request') return net().request;
        if (given === 'async') return once(given, async_standin);
        return given === 'underscore' ? once(given, () => underscore_standin(load('util').isDeepStrictEqual)) : undefined;
      }
      const name = given.startsWith('node:') ? given.slice(5) : given;
      if (kCore.has(name)) return name === 'zlib' ? once(name, () => unpacking(call_now)) : name === 'util' ? once(name, promising) : load(name);
      if (!kMade.has(name)) return undefined;
      if (name === 'events') return emitter();
      if (name === 'stream') return once(name, () => streams({ EventEmitter: emitter(), load }));
      if (name === 'assert') return once(name, assertions);
      if (name === 'mobileservice-config') return settings();
      if (name === 'timers') return once(name, () => timers_of(call_now));
      return net()[name];
    }
    return { builtin, fetch: (...args) => net().fetch(...args), net, renew() { if (config !== undefined) settings(); } };
  }

  /// One call's require(), for a script that is made anew each time. `run(factory, require, module)` evaluates a shared script.
  function require_of(call, run) {
    const shared = new Map();
    const { builtin, fetch } = builtins_of(() => call);
    function fresh(path) {
      const known = shared.get(path);
      if (known !== undefined) return known.exports;
      const module = { id: `/${path}`, filename: `/${path}`, exports: {}, loaded: false };
      shared.set(path, module);
      if (path.endsWith('.json')) module.exports = JSON.parse(host.text(call.id, path));
      else {
        const factory = host.fresh(call.id, path);
        if (typeof factory === 'string') {
          const error = new SyntaxError((/\nSyntaxError: ([^\n]*)/.exec(factory) ?? [, factory])[1]);
          defineProperty(error, 'stack', { value: factory, writable: true, configurable: true });
          throw error;
        }
        run(factory, from(path), module);
      }
      module.loaded = true;
      return module.exports;
    }
    function from(path) {
      return (name) => {
        if (typeof name !== 'string') throw unknown(name);
        const core = builtin(name);
        if (core !== undefined) return core;
        const found = host.resolve(call.id, path, name);
        if (found !== '' && /^shared\//i.test(found)) return fresh(found);
        const spare = /^\w+$/.test(name) ? () => builtin(name, true) : () => undefined;
        if (found === '') {
          const stands_in = spare();
          if (stands_in !== undefined) return stands_in;
          throw unknown(name, host.bundled(call.id) ? path : undefined);
        }
        try { return host.outside(call.id, found); } catch (error) {
          const stands_in = spare();
          if (stands_in !== undefined) return stands_in;
          throw error;
        }
      };
    }
    return { require: from(''), fetch };
  }
  return { builtins_of, require_of, environment, unknown, become };
}
