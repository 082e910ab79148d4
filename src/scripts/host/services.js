// services: the code of a service as a Worker has it: one version of its files, and the context in which its modules live.

/// `make(service)` makes its context and what is inside it; `text_of_error` is what a file's author is told. `current()` is the call
/// that is in its code, `alive(call)` whether it still is under way.
function services({ Bundle, make, text_of_error, current, alive }) {
  const vm = require('node:vm');
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  const kStartup = 'extensions/startup.js', kStartupTime = 5000;
  const kParameters = ['exports', 'require', 'module', '__filename', '__dirname'];

  const kGivenUp = Symbol('the call on whose behalf it was evaluated has ended');

  // The engine does not say where a module is wrong; the same text as a function, without what only modules have, does.
  function es_module(text, options) {
    try { return new vm.SourceTextModule(text, options); } catch (error) {
      const plain = text.replace(/^([ \t]*)(export[ \t]+default\b|export\b(?![ \t]*[{*])|(?:import|export)\b[^;\n(]*(?:;|$))/gm, (all) => all.replace(/[^\n]/g, ' '));
      try { vm.compileFunction(`return async () => {${plain}\n}`, [], { filename: options.identifier, columnOffset: -20 }); } catch (placed) { if (placed.message === error.message) throw placed; }
      throw error;
    }
  }

  class Service {
    static es_module = es_module;
    #inside; #compiled = new Map(); #modules = new Map(); #linking = Promise.resolve();
    #imports = new WeakMap();  // module → those it imports
    #turns = new Map();      // module that was asked for → its evaluation
    #settled = new WeakSet();  // modules whose evaluation has come to its end
    constructor(bytes) {
      this.files = new Bundle(bytes);
      this.factories = new Map();  // of shared scripts, in the context of table scripts
      this.waiting = undefined;    // calls that wait for startup; undefined: none is needed any more
      this.opening = undefined;
      if (this.files.find(kStartup) !== undefined) this.waiting = [];
    }
    /// Its context, made when the first of its modules is asked for.
    get api() { return (this.#inside ??= make(this)).api; }
    get made() { return this.#inside !== undefined; }

    /// The function of a CommonJS module; what is wrong with it, as text; or 1 for an ES module.
    compile(path) {
      const known = this.#compiled.get(path);
      if (known !== undefined) return known;
      const text = this.files.text(path);
      if (text === undefined) return `The service has no file /${path}.`;
      if (this.files.is_module(path)) return 1;
      const source = text.replace(/^#!/, '//');
      let made;
      try {
        void this.api;
        made = vm.compileFunction(source, kParameters, { filename: `/${path}`, parsingContext: this.#inside.context, importModuleDynamically: (name) => this.#import(path, name) });
      } catch (error) {
        if (error?.name === 'SyntaxError' && path.endsWith('.js') && (/^\s*(import|export)\b/m.test(source) || /\bimport\.meta\b/.test(source))) made = 1;
        else return text_of_error(error);
      }
      this.#compiled.set(path, made);
      return made;
    }

    // ── ES modules ──
    #values(given, identifier) {
      const { context } = this.#inside;
      const names = given !== null && (typeof given === 'object' || typeof given === 'function') ? Object.keys(given).filter((name) => name !== 'default') : [];
      return new vm.SyntheticModule([...names, 'default'], function set() {
        for (const name of names) this.setExport(name, given[name]);
        this.setExport('default', given);
      }, { context, identifier });
    }
    #module(path) {
      const known = this.#modules.get(path);
      if (known !== undefined) return known;
      const made = path.endsWith('.json') || this.compile(path) !== 1
        ? this.#values(this.api.service.load(path), `/${path}`)
        : es_module(this.files.text(path), {
          context: this.#inside.context, identifier: `/${path}`, importModuleDynamically: (name) => this.#import(path, name),
          initializeImportMeta: (meta) => { meta.url = `file:///${path}`; meta.filename = `/${path}`; },
        });
      this.#modules.set(path, made);
      return made;
    }
    #target(from, name) {
      const core = this.api.service.builtin(name);
      if (core !== undefined) return this.#values(core, name);
      const path = this.files.resolve(from, name, true);
      if (path !== undefined) return this.#module(path);
      const spare = this.api.service.builtin(name, true);
      if (spare !== undefined) return this.#values(spare, name);
      throw new Error(`Cannot find module '${name}' in '/${from}'.`);
    }
    async #ready(module) {
      // Two graphs that share a module must not be linked at once.
      const linked = this.#linking.then(async () => { if (module.status === 'unlinked') await module.link((name, from) => this.#link(from, name)); });
      this.#linking = linked.catch(() => {});
      await linked;
      await this.#evaluated(module);
      return module;
    }
    #link(from, name) {
      const found = this.#target(from.identifier.slice(1), name);
      this.#imports.set(from, [...(this.#imports.get(from) ?? []), found]);
      return found;
    }
    #graph(module, all = new Set()) {
      if (!all.has(module)) for (const each of this.#imports.get(all.add(module) && module) ?? []) this.#graph(each, all);
      return all;
    }
    // A module may wait at its top level, by timers of the call that asked for it first. When that call ends, nobody wakes it.
    #evaluated(module) {
      const known = this.#turns.get(module);
      if (known !== undefined) return known.done;
      const turn = { call: current(), over: module.status === 'evaluating' };
      const given_up = new Promise((_, bad) => { turn.give_up = () => bad(kGivenUp); });
      const settle = () => {
        turn.over = true;
        for (const each of this.#graph(module)) this.#settled.add(each);
      };
      turn.done = turn.over ? Promise.resolve() : Promise.race([module.evaluate().then(settle), given_up]);
      turn.done.catch(() => { turn.over = true; });
      this.#turns.set(module, turn);
      return turn.done;
    }
    /// The call has ended: what was being evaluated on its behalf is begun anew by those who want it.
    gone(call) {
      const dropped = new Set(), turns = [...this.#turns].filter(([, turn]) => !turn.over);
      const drop = ([module, turn]) => {
        for (const each of this.#graph(module)) if (!this.#settled.has(each)) dropped.add(each);
        this.#turns.delete(module);
        turn.over = true;
        turn.give_up();
      };
      for (const each of turns) if (each[1].call === call) drop(each);
      // Others wait for the same modules.
      for (let found = dropped.size > 0; found;) {
        const next = turns.find(([module, turn]) => !turn.over && [...this.#graph(module)].some((each) => dropped.has(each)));
        found = next !== undefined;
        if (found) drop(next);
      }
      for (const [path, module] of this.#modules) if (dropped.has(module)) this.#modules.delete(path);
    }
    /// The module that find() gives, once it is evaluated.
    async #brought(find) {
      const call = current();
      for (;;) {
        let module;
        try { return await this.#ready(module = find()); } catch (error) {
          if (error === kGivenUp && alive(call)) continue;
          if (error === kGivenUp) throw new Error('The call has ended.');
          if (module !== undefined) this.#forget(module);
          throw error;
        }
      }
    }
    // What failed, by itself or because of what it imports, is loaded anew by the next.
    #forget(root) {
      const busy = new Set([...this.#turns].filter(([, turn]) => !turn.over).flatMap(([module]) => [...this.#graph(module)]));
      const failed = [...this.#graph(root)].filter((each) => !this.#settled.has(each) && !busy.has(each));
      for (const each of failed) this.#turns.delete(each);
      for (const [path, module] of this.#modules) if (failed.includes(module)) this.#modules.delete(path);
    }
    async #import(from, name) { return this.#brought(() => this.#target(from, String(name))); }
    /// Gives good(namespace) or bad(error), an error of the service's own or a text.
    bring(path, good, bad) {
      this.#brought(() => this.#module(path)).then((module) => good(module.namespace), (error) => bad(error instanceof Error ? text_of_error(error) : error));
    }

    // ── its opening ──
    /// Whether a call may run now. The first one opens the service on its way; those that come meanwhile wait.
    /// `through(run)` runs code of the call; `then` goes on with it.
    ready(call, through, then) {
      if (this.waiting === undefined) return true;
      this.waiting.push({ call, then });
      if (this.opening !== undefined) return false;
      this.opening = call;
      let stop, clock;
      const done = () => {
        clearTimeout(clock);
        if (this.waiting === undefined) return;
        const waiting = this.waiting;
        this.waiting = this.opening = undefined;
        for (const each of waiting ?? []) setImmediate(each.then);
      };
      clock = setTimeout(() => through(() => stop?.()), kStartupTime);
      stop = through(() => this.api.service.start_up(call, this.files.find(kStartup), done));
      if (stop === undefined) done();
      this.stop_opening = () => { stop?.(); };
      return false;
    }
    /// The call has been given up.
    leave(call) {
      if (this.waiting === undefined) return;
      this.waiting = this.waiting.filter((each) => each.call !== call);
      if (this.opening === call) this.stop_opening?.();
    }
  }
  return Service;
}
