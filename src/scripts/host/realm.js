// realm: starts calls inside a context and lets the answers back in.
//
// `host` holds functions of the Worker that take and give only text and numbers; no script ever gets hold of one:
//   send(type, call, sequence, flags, json)   format(args) → text   stack(text) → text   timer(call, ms, repeat) → id
//   untimer(id)   later(call)   closed(call)   module(name)   environment() → text
// and of the files of a call's service:
//   bundled(call)   resolve(call, from, name) → path or ''   text(call, path)   fresh(call, path) → a factory, or what is wrong
//   outside(call, path) → what that module of the service's own context gives

/// `visible` is what a script finds under the name globalThis; `needs` below has a bit for each thing its text mentions.
function realm(host, limits, visible) {
  'use strict';
  const { Error, JSON, Math, Object } = globalThis;
  const { freeze } = Object;
  const { parse } = JSON;
  const kind_of = Object.prototype.toString;
  const kConsole = 1, kTables = 2, kRequire = 4, kProcess = 8, kBuffer = 16, kTimers = 32, kPush = 64, kFetch = 128, kMssql = 256;

  // A built-in of Node, or an error of this realm.
  function load(name) {
    const found = typeof name === 'string' ? host.module(name) : undefined;
    if (found === undefined) throw new Error(`The module '${name}' is not available to scripts.`);
    return found;
  }

  const Query = query(translating());
  const { Call, calls } = calls_of(host, limits);
  const words = { Query, ...pendings(), ...items(load), own_lines: host.stack };
  const { Act, request_of } = requests(words);
  const tables_of = table(words), push_of = pushes(words), mssql_of = words.mssql_of = databases(words);
  const { statusCodes, console_of, timers_of, user_of } = surroundings(host.format);
  const kNoTimers = freeze({}), kNone = kNoTimers;
  const { builtins_of, require_of, environment, unknown, become } = requiring({ host, load, failure: words.failure, Call, timers_of: (call_now) => timers_of(call_now()) });
  for (const each of [Call, Act, Query]) { freeze(each); freeze(each.prototype); }

  function subject_of({ operation, table: name, query: wire, id, item }) {
    if (operation === 'read') return Query.from(name, wire ?? {});
    if (operation === 'del') return id;
    if (operation === 'update' && item.id === undefined) item.id = id;
    return item;
  }
  function process_of(call) {
    return { env: environment().env, nextTick: (fn, ...args) => { call.start_timer(false, fn, 0, args); } };
  }

  async function follow(call, act, result) {
    try { await result; } catch (error) {
      call.running = false;
      return act.over(error ?? new Error('The script was rejected without a reason.'));
    }
    call.running = false;
    act.flush();
    return act.over();
  }

  // `factory` evaluates the script in its own scope and gives back its functions.
  function evaluate(call, factory, needs) {
    const timers = needs & kTimers ? timers_of(call) : kNoTimers;
    const reaching = needs & (kRequire | kFetch) ? require_of(call, (made, require, module) => made(...things_of(call, require), module, module.exports, module.filename, module.filename.slice(0, Math.max(module.filename.lastIndexOf('/'), 1)))) : kNone;
    return factory(
      visible, visible, needs & kConsole ? console_of(call) : undefined, needs & kTables ? tables_of(call) : undefined, needs & kPush ? push_of(call) : undefined, statusCodes, reaching.require,
      needs & kProcess ? process_of(call) : undefined, needs & kBuffer ? load('Buffer') : undefined, timers.setTimeout, timers.setInterval, timers.setImmediate, timers.clearTimeout, timers.clearInterval, timers.clearImmediate,
      reaching.fetch, needs & kMssql ? mssql_of(call) : undefined,
    );
  }
  // The same for a shared script, which is evaluated inside a call that has begun.
  function things_of(call, require) {
    const timers = timers_of(call);
    return [
      visible, visible, console_of(call), tables_of(call), push_of(call), statusCodes, require, process_of(call), load('Buffer'),
      timers.setTimeout, timers.setInterval, timers.setImmediate, timers.clearTimeout, timers.clearInterval, timers.clearImmediate, fetch_of(call), mssql_of(call),
    ];
  }
  function fetch_of(call) { return (...args) => builtins_of(() => call).fetch(...args); }
  function begin(call, factory, needs) {
    const { context } = call, { operation } = context;
    words.date_context(context);
    const act = call.act = new Act(call, subject_of(context));
    if (context.script !== undefined) return serving.act(call, act);
    const { conflict } = context, name = conflict === undefined ? operation : 'conflict';
    const fn = evaluate(call, factory, needs)[name];
    if (typeof fn !== 'function') throw new Error(`The script does not define the function ${name}.`);
    // What it starts after respond() still belongs to it.
    call.running = true;
    const result = conflict === undefined ? fn(act.subject, user_of(call), request_of(act))
      : fn(operation === 'del' ? undefined : act.subject, conflict, user_of(call), request_of(act));
    if (kind_of.call(fn) === '[object AsyncFunction]') return void follow(call, act, result).catch((error) => call.fail(error));
    call.running = false;
    return call.settle();
  }
  // A job is done when nothing of it is left running.
  function begin_job(call, factory, needs) {
    call.patient = true;
    const fn = evaluate(call, factory, needs)[call.context.function];
    if (typeof fn !== 'function') throw new Error(`The script does not define the function ${call.context.function}.`);
    call.until_settled(fn(), () => {});
  }

  const serving = servings?.({ host, words, Call, Act, load, builtins_of, environment, unknown, become, console_of, tables_of, push_of, statusCodes, user_of, request_of, freeze, format: host.format });

  return freeze({
    start(id, factory, needs, text) {
      const call = new Call(id, parse(text));
      try {
        if (call.context.function !== undefined) begin_job(call, factory, needs);
        else begin(call, factory, needs);
      } catch (error) { call.fail(error); }
    },
    find: (id) => calls.get(id),
    service: serving,
    later(id) { calls.get(id)?.come_to_rest(); },
    answer(id, sequence, good, text) {
      const call = calls.get(id);
      const done = call?.waiting?.get(sequence);
      if (!done) return;
      call.waiting.delete(sequence);
      const value = parse(text);
      if (good) call.run(done, undefined, words.dated(value)); else call.run(done, value);
      call.settle();
    },
    timer(id, timer_id) { calls.get(id)?.ring(timer_id); },
    cancel(id) { calls.get(id)?.close(); },
    fail(id, text, kind) { calls.get(id)?.fail(new Error(text), kind); },
    // A rejection nobody handled; it may be an object of the script.
    stray(id, error) { calls.get(id)?.fail(error, 'stray'); },
  });
}

// Runs first inside a new context: gives the function that makes its realm. `light` is a context that serves one call
// and may be changed by it.
function entrance() {
  'use strict';
  return (host, limits, light) => {
    const global = globalThis;
    lockdown(global, true);
    const names = Reflect.ownKeys(global).filter((name) => typeof name === 'string' && name !== 'globalThis');
    const visible = light ? global : Object.freeze(Object.create(null, Object.fromEntries(names.map((name) => [name, { value: global[name], enumerable: true }]))));
    const made = realm(host, limits, visible);
    if (!light) lockdown(global, false);
    return made;
  };
}
