// loader: modules of a service, in the service's own context: they are made once and keep their state (5.1).
//
// Of the Worker: resolve(from, name) → path or ''   text(path)   compile(path) → a function, what is wrong as text, or 1
// for an ES module   bring(path, good, bad): its namespace, later.

function loading(host, { builtin, unknown }) {
  const { Error, JSON, Map, Object, Promise, String, SyntaxError } = globalThis;
  const cache = new Map(), namespaces = new Map();
  const kShared = /^shared\//i;

  function broken(text) {
    const error = new SyntaxError((/\nSyntaxError: ([^\n]*)/.exec(text) ?? [, text])[1]);
    Object.defineProperty(error, 'stack', { value: text, writable: true, configurable: true });
    return error;
  }
  function json_of(path) {
    try { return JSON.parse(host.text(path)); } catch (error) { throw broken(`/${path}: ${error.message}`); }
  }

  class Module {
    constructor(path) {
      this.id = this.filename = `/${path}`;
      this.exports = {};
      this.loaded = false;
      this.children = [];
      this.paths = [];
    }
  }
  function make(path, known) {
    const module = new Module(path);
    known.set(path, module);
    try {
      if (path.endsWith('.json')) module.exports = json_of(path);
      else {
        const fn = host.compile(path);
        if (fn === 1) throw new Error(`'/${path}' is an ES module, which require() cannot load; import() can.`);
        if (typeof fn === 'string') throw broken(fn);
        module.require = require_of(path, known);
        fn.call(module.exports, module.exports, module.require, module, module.filename, module.filename.slice(0, Math.max(module.filename.lastIndexOf('/'), 1)));
      }
    } catch (error) {
      known.delete(path);
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }
  // A shared script is made anew for each file that requires it, and with it the shared scripts that it requires.
  function load(path, known = cache) {
    const found = known.get(path);
    return found === undefined ? make(path, known) : found.exports;
  }
  function require_of(from, known = cache) {
    const own = kShared.test(from) ? known : new Map();
    function require(name) {
      if (typeof name !== 'string' || name === '') throw new Error('require takes the name of a module.');
      const core = builtin(name);
      if (core !== undefined) return core;
      const path = host.resolve(from, name);
      if (path === '') {
        const spare = builtin(name, true);
        if (spare !== undefined) return spare;
        throw unknown(name, from);
      }
      if (kShared.test(path)) return load(path, own);
      try { return load(path); } catch (error) {
        // What people had from npm may need sockets; ours goes through the parent.
        const spare = /^\w+$/.test(name) ? builtin(name, true) : undefined;
        if (spare !== undefined) return spare;
        throw error;
      }
    }
    require.resolve = (name) => {
      if (builtin(name) !== undefined) return name;
      const path = host.resolve(from, String(name));
      if (path === '') throw unknown(name, from);
      return `/${path}`;
    };
    require.cache = {};
    return require;
  }

  /// What a file of the service gives: its exports, or a promise of them.
  function entry(path) {
    if (namespaces.has(path)) return namespaces.get(path);
    if (cache.has(path)) return cache.get(path).exports;
    if (path.endsWith('.json') || host.compile(path) !== 1) return load(path);
    return new Promise((good, bad) => {
      host.bring(path, (namespace) => {
        namespaces.set(path, namespace);
        good(namespace);
      }, (error) => bad(typeof error === 'string' ? broken(error) : error));
    });
  }
  return { load, entry, require_of };
}
