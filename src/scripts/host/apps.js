// apps: what require('azure-mobile-apps') gives the app.js of a service (5.10): the tables and APIs it has, and their settings.
//
// Nothing listens here: app.js says what there is, once, and requests find it by name (mobile.js). `express` is what such a
// file asks for beside it. Where an app's own functions stand around an operation is said by describe().

function apps({ host, load, console, Query, turn_of, plain_builtin }) {
  const { Array, Error, JSON, Map, Number, Object, Promise, RegExp, Set, String, WeakMap, WeakSet } = globalThis;
  const kOperations = ['read', 'insert', 'update', 'delete', 'undelete'], kVerbs = ['get', 'post', 'put', 'patch', 'delete', 'head'];
  const kSettings = { platform: 'express', tableRootPath: '/tables', apiRootPath: '/api', pageSize: 50, maxTop: 1000, userIdColumn: 'userId', debug: false, homePage: false };
  const is_function = (value) => typeof value === 'function';
  const is_group = (value) => value !== null && (typeof value === 'object' || typeof value === 'function');
  const idle = new WeakSet();    // middleware that has nothing to do here
  const served = new WeakSet();  // apps of azure-mobile-apps
  const stacks = new WeakMap();  // what takes middleware → [{path, length_of, fn}], in its order
  let home = '';                 // the folder of the app's main file
  let active = false;            // there is an app
  let tables, routes, roots, settings, own_app;

  /// Before the main file is loaded, also again.
  function begin(main) {
    active = main !== '';
    home = main.slice(0, Math.max(main.lastIndexOf('/'), 0));
    tables = new Map();    // lower-case name → definition
    routes = new Map();    // … of an API
    roots = [];            // express() and its routers
    settings = undefined;  // the configuration of the app
    own_app = undefined;
  }
  begin('');

  // ── a table's definition ──
  function table(definition) {
    const made = definition ?? {};
    made.middleware = {};
    made.operations = {};
    made.execute = (req, res, next) => turn_of(req).operations(next);
    made.operation = (req, res, next) => turn_of(req).operate(next);
    const using = (name) => (...fns) => {
      (made.middleware[name] ??= []).push(...fns.flat(Infinity));
      return made;
    };
    made.use = using('execute');
    for (const name of kOperations) {
      const attach = (handler) => {
        made.operations[name] = handler;
        return made;
      };
      if (is_function(made[name]) && made[name].use === undefined) made.operations[name] = made[name];
      if (is_group(made[name])) for (const key of Object.keys(made[name])) if (key !== 'use') attach[key] = made[name][key];
      attach.use = using(name);
      made[name] = attach;
    }
    return made;
  }
  /// "public", "authenticated" or "disabled": the operation's own word, or else the definition's.
  function level_of(definition, name) {
    const own = is_group(definition[name]) ? definition[name] : {};
    const said = (from, word) => (from.access ? from.access === word : undefined);
    const of = (member, word) => said(own, word) ?? (Object.hasOwn(own, member) ? own[member] : said(definition, word) ?? definition[member]);
    return of('disable', 'disabled') ? 'disabled' : of('authorize', 'authenticated') ? 'authenticated' : 'public';
  }
  const says_who = (each) => is_group(each) && (each.access !== undefined || each.authorize !== undefined || each.disable !== undefined);

  function add_table(name, given) {
    if (!name) throw new Error('A table name was not specified');
    const made = is_group(given) && is_function(given.execute) ? given : table(given);
    made.name = made.name || String(name);
    made.containerName = made.containerName || made.databaseTableName || made.name;
    made.userIdColumn = made.userIdColumn || settings?.userIdColumn || kSettings.userIdColumn;
    for (const [member, value] of [['dynamicSchema', settings?.data?.dynamicSchema], ['pageSize', settings?.own.pageSize], ['maxTop', settings?.own.maxTop]])
      if (value !== undefined && !Object.hasOwn(made, member)) made[member] = value;
    if (settings !== undefined) settings.tables[made.name] = made;
    tables.set(made.name.toLowerCase(), made);
  }
  function add_api(name, definition) {
    if (!name) throw new Error('An api name was not specified');
    if (!is_group(definition)) throw new Error(`The api '${name}' has no definition.`);
    if (handlers_of(definition, 'options') !== undefined) console.warn(`The api '${name}' has a function for OPTIONS, which is left out: the service answers that by itself (CORS).`);
    routes.set(String(name).toLowerCase(), { name: String(name), definition });
  }

  // ── files ──
  function merge(target, source) {
    if (!is_group(target) || !is_group(source)) return source;
    for (const key of Object.keys(source)) target[key] = is_group(source[key]) && !Array.isArray(source[key]) && is_group(target[key]) ? merge(target[key], source[key]) : source[key];
    return target;
  }
  function place_of(path, base) {
    const out = [];
    for (const each of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) if (each === '..') out.pop(); else if (each !== '' && each !== '.') out.push(each);
    return out.join('/');
  }
  /// name → what the file of that name gives, with the JSON beside it. A folder's are taken with those below it.
  function definitions_of(path) {
    const place = place_of(String(path), String(settings?.basePath ?? `/${home}`)), stem = place.replace(/\.(js|json)$/, '');
    let files = JSON.parse(host.under(`${place}/`)).filter((each) => /\.(js|json)$/.test(each));
    if (files.length === 0) files = [`${stem}.js`, `${stem}.json`].filter((each) => host.text(each) !== undefined);
    if (files.length === 0) console.warn(`There is nothing to import at '${path}'.`);
    const found = new Map();
    for (const file of files.sort()) {
      const name = file.slice(file.lastIndexOf('/') + 1).replace(/\.(js|json)$/, ''), given = load(file);
      found.set(name, found.has(name) ? merge(found.get(name), given) : given);
    }
    return found;
  }
  const importing = (add) => (path) => {
    if (!path) throw new Error('A path to a configuration file(s) was not specified');
    for (const [name, given] of definitions_of(path)) {
      const definition = given?.default ?? given;
      add(is_group(definition) && typeof definition.name === 'string' && definition.name !== '' && !is_function(definition) ? definition.name : name, definition);
    }
  };

  // ── the app ──
  function create(given) {
    const own = given ?? {};
    settings = { ...kSettings, ...own, own, tables: {} };
    Object.defineProperty(settings, 'own', { enumerable: false });
    for (const member of ['tableRootPath', 'apiRootPath']) if (own[member] !== undefined && own[member] !== kSettings[member]) console.warn(`${member} '${own[member]}' is left out: it is ${kSettings[member]} here.`);
    const app = (req, res, next) => next?.();
    served.add(app);
    stacks.set(app, []);
    own_app = app;
    app.configuration = settings;
    app.tables = { add: add_table, import: importing(add_table), configuration: settings.tables, initialize: () => Promise.resolve() };
    app.api = { add: add_api, import: importing(add_api) };
    app.table = table;
    app.use = (...args) => { use(app, args); return app; };
    return app;
  }
  const logger = {};
  for (const [name, level] of [['error', 'error'], ['warn', 'warn'], ['info', 'info'], ['log', 'log'], ['verbose', 'log'], ['debug', 'log']]) logger[name] = (...args) => console[level](...args);
  logger.silly = logger.configure = logger.initialise = () => {};
  const promises = {
    getConstructor: () => Promise, create: (fn) => new Promise(fn), resolved: (value) => Promise.resolve(value), rejected: (error) => Promise.reject(error), all: (list) => Promise.all(list),
    isPromise: (value) => is_group(value) && is_function(value.then), sleep: (ms) => new Promise((good) => { setTimeout(good, ms); }),
    series: async (list, fn) => { const out = []; for (const each of list) out.push(await fn(each)); return out; },
  };
  const queries = {
    Query, create: (name) => new Query(String(name), null), toOData: (query) => query.toOData(),
    fromRequest: (req) => Query.from(String(req.baseUrl ?? '').split('/').pop(), { filter: req.query.$filter, orderBy: req.query.$orderby, select: req.query.$select, inlineCount: req.query.$inlinecount === 'allpages',
      ...(req.query.$skip === undefined ? {} : { skip: Number(req.query.$skip) }), ...(req.query.$top === undefined ? {} : { top: Number(req.query.$top) }) }),
  };
  const azure_mobile_apps = Object.assign((given) => create(given), { create, table, logger, query: queries, promises, api: (definition) => definition });

  // ── middleware ──
  /// How much of a path a mount point takes: a number of characters, or -1.
  function mount_of(given) {
    if (given instanceof RegExp) {
      const pattern = new RegExp(given.source, given.flags.replace(/[gy]/g, ''));
      return (path) => { const found = pattern.exec(path); return found !== null && found.index === 0 ? found[0].replace(/\/$/, '').length : -1; };
    }
    const text = given.replace(/\/+$/, '');
    if (text === '') return () => 0;
    const pattern = new RegExp(`^${text.replace(/[\\^$.+?|()[\]{}]/g, '\\$&').replace(/:\w+/g, '[^/]+').replace(/\*/g, '.*')}(?=/|$)`, 'i');
    return (path) => pattern.exec(path)?.[0].length ?? -1;
  }
  const is_path = (value) => typeof value === 'string' || value instanceof RegExp;
  function use(owner, args) {
    const given = is_path(args[0]) ? [args.shift()] : Array.isArray(args[0]) && args[0].length > 0 && args[0].every(is_path) ? args.shift() : [''];
    const lengths = given.map(mount_of), length_of = (path) => lengths.map((each) => each(path)).find((length) => length >= 0) ?? -1;
    // An expression or a parameter may mean addresses that nobody thinks of when the app is described.
    const vague = given.some((each) => each instanceof RegExp || /[:*?+(]/.test(each));
    for (const fn of args.flat(Infinity)) if (is_function(fn) && !idle.has(fn)) stacks.get(owner).push({ path: typeof given[0] === 'string' ? given[0].replace(/\/+$/, '') : '', length_of, fn, vague });
  }
  /// A route of Express: nothing is served by it, but what it would have kept from the tables and APIs must not be lost.
  function add_route(owner, verb, path) {
    const given = [path].flat(Infinity).filter(is_path);
    const tests = given.map((each) => {
      if (each instanceof RegExp) return (target) => /tables|api/i.test(each.source) || new RegExp(each.source, each.flags.replace(/[gy]/g, '')).test(target);
      const text = each.replace(/\/+$/, '');
      const pattern = text === '' ? /^\/?$/ : new RegExp(`^${text.replace(/[\\^$.|[\]{}]/g, '\\$&').replace(/:\w+(\([^)]*\))?\??/g, '[^/]*').replace(/[*]|\([^)]*\)/g, '.*').replace(/[?+]/g, '.*')}/?$`, 'i');
      return (target) => pattern.test(target);
    });
    stacks.get(owner).push({ route: `${verb}('${String(given[0])}')`, path: '', length_of: () => -1, means: (target) => tests.some((each) => each(target)) });
  }
  /// The path at which `owner` has the app; undefined: it has none.
  function place_in(owner) {
    for (const { path, fn } of stacks.get(owner)) {
      if (fn === undefined) continue;
      const inner = served.has(fn) ? '' : stacks.has(fn) ? place_in(fn) : undefined;
      if (inner !== undefined) return path + inner;
    }
    return undefined;
  }
  /// What a path of the app meets before it: [{fn, at: how much of the path is behind it}]. What was added behind the app is
  /// reached by nothing that it serves. `place`: where the app stands.
  function steps_at(target) {
    const steps = [];
    let path = target;
    const walk = (owner, at) => {
      for (const { fn, length_of } of stacks.get(owner)) {
        const length = length_of(path.slice(at) || '/');
        if (length < 0) continue;
        if (!stacks.has(fn)) steps.push({ fn, at: at + length });
        else if (walk(fn, at + length) || served.has(fn)) return true;
      }
      return false;
    };
    const { root, place } = around_app();
    path = place + target;
    if (root !== undefined) walk(root, 0);
    return { steps, place };
  }
  /// The outermost of what has the app in it, and where in that it stands. The app itself where nothing has it.
  function around_app() {
    const inside = new Set(roots.flatMap((root) => stacks.get(root).map(({ fn }) => fn)));
    for (const root of roots) {
      const place = inside.has(root) ? undefined : place_in(root);
      if (place !== undefined) return { root, place };
    }
    return { root: own_app, place: '' };
  }
  /// Whether something may stand before one of these paths of the app. `routes`: those of Express that would stand there, too.
  function may_meet(targets, routes) {
    const { root, place } = around_app();
    let met = false;
    const walk = (owner, rest) => {
      for (const { fn, length_of, vague, route, means } of stacks.get(owner)) {
        if (route !== undefined) {
          if (rest.some(means)) routes.add(route);
          continue;
        }
        const inner = rest.map((each) => ({ each, length: length_of(each) })).filter(({ length }) => length >= 0).map(({ each, length }) => each.slice(length) || '/');
        if (vague ? stacks.has(fn) && !served.has(fn) && stacks.get(fn).length === 0 : inner.length === 0) continue;
        if (!stacks.has(fn) || (vague && inner.length === 0)) met = true;
        else if (walk(fn, inner) || served.has(fn)) return true;
      }
      return false;
    };
    if (root !== undefined) walk(root, targets.map((each) => place + each));
    return met;
  }

  // ── what stands around it in app.js ──
  const pass = () => { const fn = (req, res, next) => next(); idle.add(fn); return fn; };
  function router() {
    const out = (req, res, next) => next?.();
    stacks.set(out, []);
    roots.push(out);
    const unserved = (verb) => (...args) => {
      if (verb === 'get' && args.length === 1) return out.settings[args[0]];
      console.warn(`${verb}('${args[0]}') of Express is not served: an app has tables and APIs.`);
      add_route(out, verb, args[0]);
      return out;
    };
    const kRoutes = [...kVerbs, 'all', 'options'];
    for (const verb of kRoutes) out[verb] = unserved(verb);
    out.route = (path) => {
      const route = {};
      for (const verb of kRoutes) route[verb] = (...fns) => { unserved(verb)(path, ...fns); return route; };
      return route;
    };
    return Object.assign(out, {
      settings: {}, locals: {}, use: (...args) => { use(out, args); return out; }, set: (name, value) => { out.settings[name] = value; return out; }, enable: (name) => out.set(name, true), disable: (name) => out.set(name, false),
      engine: () => out, param: () => out, on: () => out, once: () => out,
      listen: (...args) => server_of().listen(...args),
    });
  }
  // Nothing listens.
  function server_of() {
    const server = { on: () => server, once: () => server, close: () => server, setTimeout: () => server, address: () => ({ address: '::', port: 0 }) };
    server.listen = (...args) => {
      const done = args.find(is_function);
      if (done !== undefined) void Promise.resolve().then(() => done.call(server));
      return server;
    };
    return server;
  }
  const listening = (name) => ({ ...plain_builtin(name), createServer: server_of });
  const parsers = { json: pass, urlencoded: pass, text: pass, raw: pass };
  const express = Object.assign(() => router(), { Router: () => router(), static: pass, ...parsers });
  const given = { 'azure-mobile-apps': azure_mobile_apps, express, 'body-parser': Object.assign(pass, parsers), 'azure-mobile-apps/src/logger': logger, 'azure-mobile-apps/src/query': queries, 'azure-mobile-apps/src/utilities/promises': promises };

  // ── what the parent is told ──
  const list_of = (value) => (Array.isArray(value) ? value : []);
  /// Addresses of a table or an API, one of each kind.
  const places_of = (kind, name) => [`/${kind}/${name}`, `/${kind}/${name}/x`, `/${kind}/${name}/1`];
  function code_of(definition) {
    const always = may_meet(places_of('tables', definition.name), new Set()) || list_of(definition.middleware.execute).length > 0 || list_of(definition.hooks).length > 0 || Boolean(definition.webhook);
    const filtered = list_of(definition.filters).length > 0 || Boolean(definition.recordsExpire), transformed = list_of(definition.transforms).length > 0;
    return kOperations.filter((name) => always || is_function(definition.operations[name]) || list_of(definition.middleware[name]).length > 0 || (name === 'insert' ? transformed : filtered || (name === 'update' && transformed)));
  }
  function describe_table(definition) {
    const out = { name: definition.name, code: code_of(definition) };
    const said = kOperations.filter((name) => says_who(definition) || says_who(definition[name]));
    if (said.length > 0) out.levels = Object.fromEntries(said.map((name) => [name, level_of(definition, name)]));
    for (const member of ['dynamicSchema', 'autoIncrement', 'softDelete', 'perUser']) if (definition[member] !== undefined) out[member] = Boolean(definition[member]);
    for (const member of ['pageSize', 'maxTop']) if (Number.isInteger(definition[member])) out[member] = definition[member];
    if (definition.perUser) out.userIdColumn = definition.userIdColumn;
    if (is_group(definition.columns)) out.columns = Object.fromEntries(Object.keys(definition.columns).map((name) => [name, String(definition.columns[name])]));
    if (Array.isArray(definition.indexes)) out.indexes = definition.indexes.map((each) => (Array.isArray(each) ? each : String(each).split(',')).map((name) => String(name).trim()));
    if (Array.isArray(definition.seed)) out.seed = definition.seed;
    if (definition.containerName !== definition.name) out.databaseTableName = String(definition.containerName);
    return out;
  }
  /// The functions of a verb, in their order: one, a list of them, or what looks like a list.
  function handlers_of(definition, verb) {
    const given = Object.hasOwn(definition, verb) ? definition[verb] : undefined;
    if (is_function(given)) return [given];
    if (!is_group(given)) return undefined;
    const list = (Array.isArray(given) ? given : Object.keys(given).filter((key) => /^\d+$/.test(key)).map((key) => given[key])).flat(Infinity);
    return list.length > 0 && list.every(is_function) ? list : undefined;
  }
  /// Under which name the definition has what serves a verb: its own, "get" for "head", "all" for every other one.
  const meant_by = (definition, verb) => [verb, ...(verb === 'head' ? ['get'] : []), 'all'].find((name) => handlers_of(definition, name) !== undefined);
  const describe_api = ({ name, definition }) => ({ name, levels: Object.fromEntries(kVerbs.filter((verb) => handlers_of(definition, verb) !== undefined || handlers_of(definition, 'all') !== undefined).map((verb) => [verb, level_of(definition, meant_by(definition, verb))])) });
  /// What of app.js would stand before its tables and APIs and cannot here: to go without it might open them.
  function refusals() {
    const met = new Set(), out = [];
    for (const name of tables.keys()) may_meet(places_of('tables', name), met);
    for (const name of routes.keys()) may_meet(places_of('api', name), met);
    for (const route of met) out.push(`${route} of Express stands before the tables or APIs of the app and is not served here: use app.use(path, function) in its place, or put it behind app.use(mobile).`);
    const { root } = around_app(), inside = new Set([...roots, own_app].flatMap((each) => (each === undefined ? [] : stacks.get(each).map(({ fn }) => fn))));
    if (root === own_app && own_app !== undefined && roots.some((each) => !inside.has(each) && stacks.get(each).length > 0))
      out.push('what express() was given does not have the app in it: app.use(mobile) is missing, or it came too late.');
    return out;
  }
  function describe() {
    const out = { tables: [...tables.values()].map(describe_table), apis: [...routes.values()].map(describe_api), made: settings !== undefined }, refused = refusals();
    return refused.length > 0 ? { ...out, refused } : out;
  }

  return {
    begin, describe, code_of, meant_by, level_of, handlers_of, steps_at, logger, settings: () => settings ?? { ...kSettings, tables: {} },
    builtin: (name) => (!active ? undefined : Object.hasOwn(given, name) ? given[name] : /^(node:)?https?$/.test(name) ? listening(name) : undefined),
    table: (name) => tables.get(String(name).toLowerCase()), api: (name) => routes.get(String(name).toLowerCase()),
  };
}
