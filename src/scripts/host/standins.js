// standins: `async` and `underscore` as the services of old had them installed, for scripts whose folder has no package of
// that name: their usual functions, written anew.

function async_standin() {
  const { Array, Error, Object } = globalThis;
  const nothing = () => {};
  const once = (fn) => { let told = false; return (...args) => { if (!told) { told = true; fn(...args); } }; };
  const pairs = (tasks) => (Array.isArray(tasks) ? tasks.map((each, i) => [i, each]) : Object.keys(tasks).map((key) => [key, tasks[key]]));

  // visit(value, key, done) for each, at most `limit` at a time; then finish(error).
  function eachly(list, limit, visit, finish) {
    const todo = pairs(list), end = once(finish ?? nothing);
    let next = 0, running = 0, failed = false, pumping = false;
    const pump = () => {
      if (pumping) return;
      pumping = true;
      while (!failed && running < limit && next < todo.length) {
        const [key, value] = todo[next++];
        ++running;
        visit(value, key, once((error) => {
          --running;
          if (error) { failed = true; return end(error); }
          return pump();
        }));
      }
      pumping = false;
      if (!failed && running === 0 && next === todo.length) end();
    };
    pump();
  }
  // The same, gathering what each gives.
  function gather(list, limit, visit, finish) {
    const out = Array.isArray(list) ? new Array(list.length) : {};
    eachly(list, limit, (value, key, done) => visit(value, (error, ...given) => { out[key] = given.length > 1 ? given : given[0]; done(error); }), (error) => (finish ?? nothing)(error, out));
  }
  const self = {};
  // name, nameSeries and nameLimit of one idea.
  const three = (name, make) => {
    self[name] = (list, ...rest) => make(list, Infinity, ...rest);
    self[`${name}Series`] = (list, ...rest) => make(list, 1, ...rest);
    self[`${name}Limit`] = (list, limit, ...rest) => make(list, limit, ...rest);
  };
  three('each', (list, limit, visit, finish) => eachly(list, limit, (value, key, done) => visit(value, done), finish));
  three('eachOf', (list, limit, visit, finish) => eachly(list, limit, visit, finish));
  three('map', (list, limit, visit, finish) => gather(list, limit, visit, finish));
  // The tests of old gave their truth alone; later ones an error before it.
  const truth = (args) => (args.length > 1 ? [args[0], args[1]] : typeof args[0] === 'boolean' ? [null, args[0]] : [args[0], false]);
  const chosen = (list, limit, test, keep, finish) => gather(list, limit, (value, done) => test(value, (...args) => { const [error, good] = truth(args); done(error, { value, good }); }), (error, all) => { const out = (all ?? []).filter((each) => each && !!each.good === keep).map((each) => each.value); return finish.length < 2 && !error ? finish(out) : finish(error, out); });
  three('filter', (list, limit, test, finish) => chosen(list, limit, test, true, finish));
  three('reject', (list, limit, test, finish) => chosen(list, limit, test, false, finish));
  const found = (of) => (list, limit, test, finish) => chosen(list, limit, test, true, (error, all) => finish(error, of(all, list)));
  three('detect', found((all) => all[0]));
  three('some', found((all) => all.length > 0));
  three('every', found((all, list) => all.length === list.length));
  three('concat', (list, limit, visit, finish) => gather(list, limit, visit, (error, all) => finish(error, [].concat(...(all ?? [])))));
  three('parallel', (tasks, limit, finish) => gather(tasks, limit, (task, done) => task(done), finish));
  self.series = (tasks, finish) => gather(tasks, 1, (task, done) => task(done), finish);
  self.waterfall = (tasks, finish) => {
    const end = once(finish ?? nothing);
    const step = (at, args) => (at === tasks.length ? end(null, ...args) : tasks[at](...args, once((error, ...given) => (error ? end(error) : step(at + 1, given)))));
    step(0, []);
  };
  self.reduce = (list, start, visit, finish) => {
    let memo = start;
    eachly(list, 1, (value, key, done) => visit(memo, value, (error, given) => { memo = given; done(error); }), (error) => finish(error, memo));
  };
  self.sortBy = (list, visit, finish) => gather(list, Infinity, (value, done) => visit(value, (error, by) => done(error, { value, by })), (error, all) => finish(error, error ? undefined : all.sort((a, b) => (a.by < b.by ? -1 : a.by > b.by ? 1 : 0)).map((each) => each.value)));
  const looping = (go_on, test_first) => (test, visit, finish) => {
    const round = () => visit((error, ...given) => (error ? finish(error) : go_on(test) ? round() : finish(null, ...given)));
    if (!test_first || go_on(test)) round(); else finish(null);
  };
  self.whilst = looping((test) => test(), true);
  self.until = looping((test) => !test(), true);
  self.doWhilst = (visit, test, finish) => looping((each) => each(), false)(test, visit, finish);
  self.forever = (visit, finish) => { const round = () => visit((error) => (error ? (finish ?? nothing)(error) : round())); round(); };
  self.times = (count, visit, finish) => gather(Array.from({ length: count }, (_, i) => i), Infinity, visit, finish);
  self.timesSeries = (count, visit, finish) => gather(Array.from({ length: count }, (_, i) => i), 1, visit, finish);
  self.retry = (times, task, finish) => { const round = (left) => task((error, ...given) => (error && left > 1 ? round(left - 1) : (finish ?? nothing)(error, ...given))); round(typeof times === 'number' ? times : times?.times ?? 5); };
  self.queue = (work, limit = 1) => {
    const todo = [];
    let running = 0;
    const queue = {
      drain: null, concurrency: limit, length: () => todo.length, running: () => running, idle: () => todo.length + running === 0,
      push(given, done) { for (const each of Array.isArray(given) ? given : [given]) todo.push([each, done]); pump(); },
      unshift(given, done) { todo.unshift([given, done]); pump(); },
    };
    function pump() {
      while (running < queue.concurrency && todo.length > 0) {
        const [task, done] = todo.shift();
        ++running;
        work(task, once((...args) => { --running; done?.(...args); if (queue.idle()) queue.drain?.(); pump(); }));
      }
    }
    return queue;
  };
  self.auto = (tasks, finish) => {
    const results = {}, waiting = new Set(Object.keys(tasks)), end = once(finish ?? nothing);
    let left = waiting.size, stopped = false;
    const pump = () => {
      for (const name of [...waiting]) {
        const task = tasks[name], needs = Array.isArray(task) ? task.slice(0, -1) : [], run = Array.isArray(task) ? task[task.length - 1] : task;
        if (stopped || !needs.every((each) => Object.hasOwn(results, each)) || !waiting.delete(name)) continue;
        run(once((error, ...given) => {
          if (error) { stopped = true; return end(error, results); }
          results[name] = given.length > 1 ? given : given[0];
          return --left === 0 ? end(null, results) : pump();
        }), results);
      }
    };
    if (left === 0) end(null, results); else pump();
  };
  self.apply = (fn, ...args) => (...more) => fn(...args, ...more);
  self.nextTick = self.setImmediate = (fn, ...args) => { void Promise.resolve().then(() => fn(...args)); };
  for (const [old, now] of [['forEach', 'each'], ['forEachSeries', 'eachSeries'], ['forEachLimit', 'eachLimit'], ['select', 'filter'], ['any', 'some'], ['all', 'every'], ['find', 'detect'], ['inject', 'reduce'], ['foldl', 'reduce'], ['forEachOf', 'eachOf']]) self[old] = self[now];
  return self;
}

function underscore_standin(isEqual) {
  const { Array, Boolean, Date, Math, Object, Set, String } = globalThis;
  const has = (object, key) => object !== null && object !== undefined && Object.hasOwn(Object(object), key);
  const listed = (list) => (list === null || list === undefined ? [] : Array.isArray(list) || typeof list === 'string' ? [...list] : typeof list.length === 'number' ? Array.from(list) : Object.values(list));
  const matcher = (wanted) => (object) => object !== null && object !== undefined && Object.keys(wanted).every((key) => object[key] === wanted[key]);
  const way = (given) => (given === undefined || given === null ? (value) => value : typeof given === 'function' ? given : typeof given === 'object' ? matcher(given) : (object) => object?.[given]);
  const keyed = (list) => (Array.isArray(list) || typeof list !== 'object' || list === null ? listed(list).map((value, i) => [value, i]) : Object.keys(list).map((key) => [list[key], key]));
  const grouping = (into) => (list, by) => { const out = {}, f = way(by); for (const [value, key] of keyed(list)) into(out, f(value, key, list), value); return out; };
  const best = (sign) => (list, by) => { const f = way(by); let out, most; for (const value of listed(list)) { const now = f(value); if (most === undefined || (sign > 0 ? now > most : now < most)) [out, most] = [value, now]; } return most === undefined ? -sign * Infinity : out; };
  const flatten = (list, shallow) => listed(list).flat(shallow ? 1 : Infinity);
  let ids = 0;
  const self = {
    each: (list, fn, self_) => { for (const [value, key] of keyed(list)) fn.call(self_, value, key, list); return list; },
    map: (list, fn, self_) => { const f = way(fn); return keyed(list).map(([value, key]) => f.call(self_, value, key, list)); },
    reduce: (list, fn, ...start) => { const all = keyed(list); let memo = start.length ? start[0] : all.shift()?.[0]; for (const [value, key] of all) memo = fn(memo, value, key, list); return memo; },
    reduceRight: (list, fn, ...start) => { const all = keyed(list).reverse(); let memo = start.length ? start[0] : all.shift()?.[0]; for (const [value, key] of all) memo = fn(memo, value, key, list); return memo; },
    find: (list, test) => { const f = way(test); return keyed(list).find(([value, key]) => f(value, key, list))?.[0]; },
    filter: (list, test) => { const f = way(test); return keyed(list).filter(([value, key]) => f(value, key, list)).map((each) => each[0]); },
    reject: (list, test) => { const f = way(test); return self.filter(list, (...args) => !f(...args)); },
    where: (list, wanted) => self.filter(list, matcher(wanted)), findWhere: (list, wanted) => self.find(list, matcher(wanted)),
    every: (list, test) => { const f = way(test); return keyed(list).every(([value, key]) => f(value, key, list)); }, some: (list, test) => { const f = way(test); return keyed(list).some(([value, key]) => f(value, key, list)); },
    contains: (list, value) => listed(list).includes(value), invoke: (list, name, ...args) => listed(list).map((each) => (typeof name === 'function' ? name : each[name]).apply(each, args)), pluck: (list, name) => listed(list).map((each) => each?.[name]),
    max: best(1), min: best(-1),
    sortBy: (list, by) => { const f = way(by); return keyed(list).map(([value, key], i) => ({ value, i, by: f(value, key, list) })).sort((a, b) => (a.by < b.by ? -1 : a.by > b.by ? 1 : a.i - b.i)).map((each) => each.value); },
    groupBy: grouping((out, key, value) => { if (has(out, key)) out[key].push(value); else out[key] = [value]; }), indexBy: grouping((out, key, value) => { out[key] = value; }), countBy: grouping((out, key) => { out[key] = has(out, key) ? out[key] + 1 : 1; }),
    toArray: listed, size: (list) => listed(list).length, shuffle: (list) => { const out = listed(list); for (let i = out.length - 1; i > 0; --i) { const j = Math.floor(Math.random() * (i + 1)); [out[i], out[j]] = [out[j], out[i]]; } return out; },
    first: (list, count) => (count === undefined ? list?.[0] : listed(list).slice(0, count)), initial: (list, count = 1) => listed(list).slice(0, Math.max(0, listed(list).length - count)), last: (list, count) => (count === undefined ? list?.[list.length - 1] : listed(list).slice(Math.max(0, listed(list).length - count))), rest: (list, from = 1) => listed(list).slice(from),
    compact: (list) => listed(list).filter(Boolean), flatten, without: (list, ...values) => listed(list).filter((each) => !values.includes(each)), difference: (list, ...others) => listed(list).filter((each) => !others.flat().includes(each)),
    uniq: (list, sorted, by) => { const f = way(typeof sorted === 'boolean' ? by : sorted), seen = new Set(); return listed(list).filter((each) => { const key = f(each); return seen.has(key) ? false : seen.add(key); }); },
    union: (...lists) => [...new Set(lists.flat())], intersection: (first, ...others) => [...new Set(first)].filter((each) => others.every((list) => list.includes(each))), zip: (...lists) => Array.from({ length: Math.max(0, ...lists.map((list) => list.length)) }, (_, i) => lists.map((list) => list[i])),
    object: (keys, values) => Object.fromEntries(keys.map((key, i) => (values ? [key, values[i]] : key))), indexOf: (list, value) => listed(list).indexOf(value), lastIndexOf: (list, value) => listed(list).lastIndexOf(value), range: (from, to, step = 1) => { if (to === undefined) [from, to] = [0, from]; const out = []; for (let i = from; step > 0 ? i < to : i > to; i += step || 1) out.push(i); return out; },
    bind: (fn, self_, ...args) => fn.bind(self_, ...args), partial: (fn, ...args) => function partly(...more) { return fn.call(this, ...args, ...more); }, memoize: (fn, by) => { const known = new Map(); return (...args) => { const key = by ? by(...args) : args[0]; if (!known.has(key)) known.set(key, fn(...args)); return known.get(key); }; },
    once: (fn) => { let told = false, out; return (...args) => { if (!told) { told = true; out = fn(...args); } return out; }; }, after: (count, fn) => (...args) => (--count < 1 ? fn(...args) : undefined), compose: (...fns) => (...args) => fns.reduceRight((given, fn) => [fn(...given)], args)[0], wrap: (fn, outer) => (...args) => outer(fn, ...args), negate: (fn) => (...args) => !fn(...args),
    keys: (object) => Object.keys(object ?? {}), values: (object) => Object.values(object ?? {}), pairs: (object) => Object.entries(object ?? {}), invert: (object) => Object.fromEntries(Object.entries(object).map(([key, value]) => [value, key])), functions: (object) => Object.keys(object).filter((key) => typeof object[key] === 'function').sort(),
    extend: (object, ...others) => Object.assign(object, ...others), defaults: (object, ...others) => { for (const other of others) for (const key of Object.keys(other ?? {})) if (object[key] === undefined) object[key] = other[key]; return object; },
    pick: (object, ...keys) => { const wanted = keys.flat(), out = {}; for (const key of Object.keys(object ?? {})) if (typeof wanted[0] === 'function' ? wanted[0](object[key], key) : wanted.includes(key)) out[key] = object[key]; return out; }, omit: (object, ...keys) => { const wanted = keys.flat(), out = {}; for (const key of Object.keys(object ?? {})) if (!(typeof wanted[0] === 'function' ? wanted[0](object[key], key) : wanted.includes(key))) out[key] = object[key]; return out; },
    clone: (value) => (Array.isArray(value) ? [...value] : value !== null && typeof value === 'object' ? { ...value } : value), tap: (value, fn) => { fn(value); return value; }, has, property: (name) => (object) => object?.[name], matches: matcher, isMatch: (object, wanted) => matcher(wanted)(object), isEqual,
    isEmpty: (value) => listed(value).length === 0, isArray: (value) => Array.isArray(value), isObject: (value) => value !== null && (typeof value === 'object' || typeof value === 'function'), isFunction: (value) => typeof value === 'function', isString: (value) => typeof value === 'string' || value instanceof String, isNumber: (value) => typeof value === 'number', isBoolean: (value) => typeof value === 'boolean', isNaN: (value) => value !== value, isFinite: (value) => Number.isFinite(Number(value)) && value !== null && value !== '', isNull: (value) => value === null, isUndefined: (value) => value === undefined, isDate: (value) => Object.prototype.toString.call(value) === '[object Date]', isRegExp: (value) => Object.prototype.toString.call(value) === '[object RegExp]',
    identity: (value) => value, constant: (value) => () => value, noop: () => {}, times: (count, fn) => Array.from({ length: count }, (_, i) => fn(i)), random: (from, to) => (to === undefined ? Math.floor(Math.random() * (from + 1)) : from + Math.floor(Math.random() * (to - from + 1))), uniqueId: (prefix = '') => `${prefix}${++ids}`, now: () => Date.now(), result: (object, name) => (typeof object?.[name] === 'function' ? object[name]() : object?.[name]),
    escape: (text) => String(text ?? '').replace(/[&<>"'`]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;', '`': '&#x60;' })[c]), unescape: (text) => String(text ?? '').replace(/&(amp|lt|gt|quot|#x27|#x60);/g, (all) => ({ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'", '&#x60;': '`' })[all]),
    template: () => { throw new Error('Templates that compile are not available to scripts.'); },
  };
  for (const [old, now] of [['forEach', 'each'], ['collect', 'map'], ['inject', 'reduce'], ['foldl', 'reduce'], ['foldr', 'reduceRight'], ['detect', 'find'], ['select', 'filter'], ['all', 'every'], ['any', 'some'], ['include', 'contains'], ['includes', 'contains'], ['head', 'first'], ['take', 'first'], ['tail', 'rest'], ['drop', 'rest'], ['unique', 'uniq'], ['methods', 'functions'], ['assign', 'extend']]) self[old] = self[now];
  const chained = (value, go_on) => {
    const out = { value: () => value, chain: () => chained(value, true) };
    for (const name of Object.keys(self)) out[name] = (...args) => { const made = self[name](value, ...args); return go_on ? chained(made, true) : made; };
    return out;
  };
  const underscore = (value) => chained(value, false);
  Object.assign(underscore, self);
  underscore.chain = (value) => chained(value, true);
  underscore._ = underscore;
  return underscore;
}
