// The child's side of the script host. Given to `node -` on standard input; every top-level function below is one part,
// and some of them travel as source text into the place where they run:
//
//   main thread    routes frames between the parent's socket and the Workers                     main()
//   Worker         one per realm: compiles scripts, owns their timers, batches frames             worker()
//   vm context     what a script sees; knows the outside only as a few functions of strings       lockdown() realm() query() table()
//
// A frame is 16 bytes and a JSON text, little-endian: length of the text u32, type u8, flags u8, sequence u16, realm u32, call u32.
'use strict';

// ── lockdown: no built-in can be changed, so that nothing can be left in one for the next call (SC-3) ────────────────

// Freezes every object reachable from the globals and makes their names constant. `light` only takes away what no script
// may have, for a context that serves one call. Properties of the prototypes that people override by plain assignment
// (`error.message = …`, `thing.toString = …`) become accessors first, because a frozen data property would refuse that.
function lockdown(global, light) {
  'use strict';
  const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty, freeze } = Object;
  const { ownKeys } = Reflect;
  for (const name of ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry', 'WeakRef', 'console', 'eval']) delete global[name];
  // A reader of call sites could reach functions of other realms.
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, enumerable: false, configurable: false });
  if (light) return;
  // RegExp.$1, RegExp.input and their cousins remember the last text matched: the previous caller's.
  for (const name of ownKeys(RegExp)) if (typeof name === 'string' && /^(\$.|input|lastMatch|lastParen|leftContext|rightContext)$/.test(name)) delete RegExp[name];
  '1'.match(/1/);

  const overridable = (prototype) => {
    for (const key of ownKeys(prototype)) {
      const own = getOwnPropertyDescriptor(prototype, key);
      if (!('value' in own) || !own.configurable) continue;
      const value = own.value;
      defineProperty(prototype, key, {
        get() { return value; },
        set(other) {
          if (this === prototype || this === null || (typeof this !== 'object' && typeof this !== 'function')) throw new TypeError(`Cannot assign to read only property '${String(key)}'`);
          defineProperty(this, key, { value: other, writable: true, enumerable: true, configurable: true });
        },
        enumerable: own.enumerable, configurable: false,
      });
    }
  };
  const prototypes = [Object.prototype, Function.prototype, Promise.prototype];
  for (const name of ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'AggregateError']) prototypes.push(global[name].prototype);
  prototypes.forEach(overridable);

  const hidden = [
    function* () {}, async function () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(), new Set().values(), ''[Symbol.iterator](),
    'a'.matchAll(/a/g), (function () { 'use strict'; return arguments; })(), getOwnPropertyDescriptor(Function.prototype, 'caller')?.get,
  ];
  const roots = [...hidden, ...ownKeys(global).filter((key) => key !== 'globalThis' && key !== 'global').map((key) => getOwnPropertyDescriptor(global, key)?.value)];
  const seen = new Set([global]);
  const queue = [];
  const reach = (value) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
    seen.add(value);
    queue.push(value);
  };
  roots.forEach(reach);
  while (queue.length) {
    const object = queue.pop();
    if (!ArrayBuffer.isView(object)) freeze(object);
    reach(getPrototypeOf(object));
    for (const key of ownKeys(object)) {
      const own = getOwnPropertyDescriptor(object, key);
      reach(own.value); reach(own.get); reach(own.set);
    }
  }
  for (const name of ownKeys(global)) {
    const own = getOwnPropertyDescriptor(global, name);
    if (own && 'value' in own && own.configurable) defineProperty(global, name, { value: own.value, writable: false, enumerable: own.enumerable, configurable: false });
  }
}

// ── query: the object of mobile-backend-wire 5.4, made inside the realm ────────────────────────────────────────────

function query() {
  'use strict';
  // A global of a context is found through a slow hook of the engine; a local constant is not.
  const { Array, Date, Error, Number, Object, String, isFinite, parseInt } = globalThis;
  const sourceOf = Function.prototype.toString;
  const kName = /^[A-Za-z_@][A-Za-z0-9_-]*$/;

  const literal = (value) => {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return `'${value.replace(/'/g, "''")}'`;
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number' && isFinite(value)) return String(value);
    if (value instanceof Date) return `datetime'${value.toISOString()}'`;
    throw new Error(`A value of type '${typeof value}' cannot be used in a query.`);
  };
  const column = (name) => {
    if (typeof name !== 'string' || !kName.test(name)) throw new Error(`'${name}' is not a valid column name.`);
    return name;
  };

  // Tokens of the small part of JavaScript that where(function) understands.
  function tokens(text) {
    const out = [];
    const pattern = /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|('(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*")|([A-Za-z_$][\w$]*)|(===|!==|==|!=|<=|>=|&&|\|\||[-+*\/%<>!()\[\].,;{}=?:&|^~])/y;
    while (pattern.lastIndex < text.length) {
      const at = pattern.lastIndex;
      const found = pattern.exec(text);
      if (!found) throw new Error(`The query function contains text that cannot be translated: '${text.slice(at, at + 20)}'.`);
      if (found[1] !== undefined) out.push({ kind: 'value', value: Number(found[1]) });
      else if (found[2] !== undefined) out.push({ kind: 'value', value: unquote(found[2]) });
      else if (found[3] !== undefined) out.push({ kind: 'name', text: found[3] });
      else if (found[4] !== undefined) out.push({ kind: 'mark', text: found[4] });
    }
    out.push({ kind: 'end', text: 'the end' });
    return out;
  }
  function unquote(text) {
    const simple = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v', 0: '\0' };
    return text.slice(1, -1).replace(/\\(u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|\r\n|[\s\S])/g, (all, one, wide, four, two) => {
      const hex = wide || four || two;
      if (hex) return String.fromCodePoint(parseInt(hex, 16));
      if (one === '\n' || one === '\r\n') return '';
      return one in simple ? simple[one] : one;
    });
  }

  const kBinary = {
    '||': [1, 'or'], '&&': [2, 'and'], '==': [3, 'eq'], '===': [3, 'eq'], '!=': [3, 'ne'], '!==': [3, 'ne'], '<': [4, 'lt'], '<=': [4, 'le'], '>': [4, 'gt'], '>=': [4, 'ge'],
    in: [4, 'in'], '+': [5, 'add'], '-': [5, 'sub'], '*': [6, 'mul'], '/': [6, 'div'], '%': [6, 'mod'],
  };
  const kMethods = {
    toUpperCase: (x) => `toupper(${x})`, toLowerCase: (x) => `tolower(${x})`, trim: (x) => `trim(${x})`, indexOf: (x, a) => `indexof(${x},${a})`, concat: (x, a) => `concat(${x},${a})`,
    substring: (x, ...a) => `substring(${[x, ...a].join(',')})`, substr: (x, ...a) => `substring(${[x, ...a].join(',')})`, replace: (x, a, b) => `replace(${x},${a},${b})`,
    getFullYear: (x) => `year(${x})`, getUTCFullYear: (x) => `year(${x})`, getYear: (x) => `(year(${x}) sub 1900)`, getMonth: (x) => `(month(${x}) sub 1)`, getDate: (x) => `day(${x})`,
  };
  const kArity = { indexOf: [1, 1], concat: [1, 1], substring: [1, 2], substr: [1, 2], replace: [2, 2] };
  const kMath = { floor: 'floor', ceil: 'ceiling', round: 'round' };

  // A function's source to OData. Nodes are {text} for what the database must work out and {value} for what is known.
  function translate(fn, args) {
    const list = tokens(sourceOf.call(fn));
    let at = 0;
    const peek = (text) => list[at].kind !== 'value' && list[at].text === text;
    const take = (text) => {
      if (!peek(text)) throw new Error(`The query function cannot be translated: expected '${text}' but found '${list[at].kind === 'value' ? list[at].value : list[at].text}'. It must be of the form function () { return …; }.`);
      ++at;
    };
    const name = () => {
      if (list[at].kind !== 'name') throw new Error('The query function cannot be translated: expected a name.');
      return list[at++].text;
    };
    const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);
    const text = (node) => ('text' in node ? node.text : literal(node.value));

    take('function');
    if (list[at].kind === 'name') ++at;
    take('(');
    const parameters = [];
    while (!peek(')')) {
      parameters.push(name());
      if (!peek(')')) take(',');
    }
    take(')'); take('{');
    if (list[at].kind === 'value' && list[at].value === 'use strict') { ++at; if (peek(';')) ++at; }
    take('return');
    const result = binary(0, 0);
    if (peek(';')) ++at;
    take('}');
    if (list[at].kind !== 'end') throw new Error('The query function must contain one return statement only.');
    return text(result);

    function deeper(depth) {
      if (depth > 200) throw new Error('The query function is nested too deeply.');
      return depth + 1;
    }
    function binary(least, depth) {
      depth = deeper(depth);
      let left = unary(depth);
      for (;;) {
        const token = list[at];
        const operator = token.kind !== 'value' && has(kBinary, token.text) ? kBinary[token.text] : undefined;
        if (!operator || operator[0] <= least) return left;
        ++at;
        const right = binary(operator[0], depth);
        left = operator[1] === 'in' ? within(left, right) : { text: `(${text(left)} ${operator[1]} ${text(right)})` };
      }
    }
    function within(left, right) {
      if (!Array.isArray(right.value)) throw new Error("The right side of 'in' must be an array.");
      if (right.value.length === 0) return { text: '(true eq false)' };
      return { text: right.value.map((each) => `(${text(left)} eq ${literal(each)})`).reduce((all, each) => `(${all} or ${each})`) };
    }
    function unary(depth) {
      depth = deeper(depth);
      if (peek('!')) { ++at; return { text: `not (${text(unary(depth))})` }; }
      if (peek('-')) {
        ++at;
        const of = unary(depth);
        return typeof of.value === 'number' ? { value: -of.value } : { text: `(0 sub ${text(of)})` };
      }
      if (peek('+') && list[at + 1].kind === 'value') { ++at; return unary(depth); }
      return postfix(primary(depth), depth);
    }
    function primary(depth) {
      const token = list[at++];
      if (token.kind === 'value') return { value: token.value };
      if (token.kind === 'mark' && token.text === '(') {
        const inner = binary(0, depth);
        take(')');
        return inner;
      }
      if (token.kind === 'mark' && token.text === '[') {
        const values = [];
        while (!peek(']')) {
          const each = binary(0, depth);
          if ('text' in each) throw new Error('An array in a query function may hold constants only.');
          values.push(each.value);
          if (!peek(']')) take(',');
        }
        take(']');
        return { value: values };
      }
      if (token.kind !== 'name') throw new Error(`The query function cannot be translated: unexpected '${token.text}'.`);
      switch (token.text) {
        case 'true': return { value: true };
        case 'false': return { value: false };
        case 'null': case 'undefined': return { value: null };
        case 'this': {
          take('.');
          return { text: column(name()) };
        }
        case 'Math': {
          take('.');
          const which = name();
          if (!has(kMath, which)) throw new Error(`Math.${which} cannot be used in a query.`);
          const given = list_of_arguments(depth);
          if (given.length !== 1) throw new Error(`Math.${which} takes one argument.`);
          return { text: `${kMath[which]}(${given[0]})` };
        }
      }
      const position = parameters.indexOf(token.text);
      if (position < 0) throw new Error(`'${token.text}' is not defined. A query function sees only 'this' and its parameters.`);
      if (position >= args.length) throw new Error(`No value was given for parameter '${token.text}' of the query function.`);
      return { value: args[position] };
    }
    function postfix(node, depth) {
      while (peek('.')) {
        ++at;
        const member = name();
        if (peek('(')) {
          if (!has(kMethods, member)) throw new Error(`Method '${member}' cannot be used in a query.`);
          const given = list_of_arguments(depth);
          const [least, most] = has(kArity, member) ? kArity[member] : [0, 0];
          if (given.length < least || given.length > most) throw new Error(`Method '${member}' was given ${given.length} arguments in a query.`);
          node = { text: kMethods[member](text(node), ...given) };
        } else if ('value' in node && node.value !== null && typeof node.value === 'object' && has(node.value, member)) {
          node = { value: node.value[member] };
        } else if (member === 'length') {
          node = { text: `length(${text(node)})` };
        } else {
          throw new Error(`Member '${member}' cannot be used in a query.`);
        }
      }
      return node;
    }
    function list_of_arguments(depth) {
      take('(');
      const out = [];
      while (!peek(')')) {
        out.push(text(binary(0, depth)));
        if (!peek(')')) take(',');
      }
      take(')');
      return out;
    }
  }

  // OData text with '?' outside of quotes replaced by literals, in order.
  function fill(text, args) {
    let next = 0;
    const out = text.replace(/'(?:[^']|'')*'|\?/g, (found) => {
      if (found !== '?') return found;
      if (next >= args.length) throw new Error('There are more question marks in the query than values.');
      return literal(args[next++]);
    });
    if (next < args.length) throw new Error('There are more values than question marks in the query.');
    return out;
  }

  const count = (value, what) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw new Error(`The argument of ${what} must be a whole number that is not negative.`);
    return value;
  };
  const names = (list) => list.flatMap((each) => {
    if (typeof each !== 'string') throw new Error('Column names must be text.');
    return each.split(',').map((one) => one.trim()).filter((one) => one !== '');
  });

  class Query {
    #state = { filters: null, selections: [], projection: null, ordering: [], skip: null, take: null, includeTotalCount: false, version: 0 };
    #table; #context; #read;

    constructor(table, context, read) {
      this.#table = table; this.#context = context; this.#read = read;
    }
    where(predicate, ...args) {
      let text;
      if (typeof predicate === 'function') text = translate(predicate, args);
      else if (typeof predicate === 'string') text = `(${fill(predicate, args)})`;
      else if (predicate !== null && typeof predicate === 'object' && !Array.isArray(predicate))
        text = Object.keys(predicate).map((key) => `(${column(key)} eq ${literal(predicate[key])})`).reduce((all, each) => (all ? `(${all} and ${each})` : each), '');
      else throw new Error('where takes an object, a function or OData text.');
      const state = this.#state;
      if (text) state.filters = state.filters ? `(${state.filters} and ${text})` : text;
      ++state.version;
      return this;
    }
    select(...list) {
      if (list.length === 1 && typeof list[0] === 'function') this.#state.projection = list[0];
      else this.#state.selections.push(...names(list).map((each) => (each === '*' ? each : column(each))));
      ++this.#state.version;
      return this;
    }
    #order(list, ascending) {
      for (const each of names(list)) {
        const [name, direction, ...rest] = each.split(/\s+/);
        if (rest.length || (direction !== undefined && direction !== 'asc' && direction !== 'desc')) throw new Error(`'${each}' is not a valid ordering.`);
        this.#state.ordering.push({ name: column(name), ascending: direction ? direction === 'asc' : ascending });
      }
      ++this.#state.version;
      return this;
    }
    orderBy(...list) { return this.#order(list, true); }
    orderByDescending(...list) { return this.#order(list, false); }
    skip(value) { this.#state.skip = count(value, 'skip'); ++this.#state.version; return this; }
    take(value) { this.#state.take = count(value, 'take'); ++this.#state.version; return this; }
    includeTotalCount() { this.#state.includeTotalCount = true; ++this.#state.version; return this; }
    getComponents() {
      const state = this.#state;
      const ordering = {};
      for (const each of state.ordering) ordering[each.name] = each.ascending;
      return {
        filters: state.filters, selections: [...state.selections], projection: state.projection, ordering, orderClauses: state.ordering.map((each) => ({ ...each })), skip: state.skip, take: state.take,
        table: this.#table, context: this.#context ?? null, includeTotalCount: state.includeTotalCount, version: state.version,
      };
    }
    setComponents(components) {
      if (components === null || typeof components !== 'object') throw new Error('setComponents takes an object.');
      const { filters = null, selections, projection = null, ordering, orderClauses, skip = null, take = null, includeTotalCount = false } = components;
      if (filters !== null && typeof filters !== 'string') throw new Error('The component filters must be OData text or null.');
      if (projection !== null && typeof projection !== 'function') throw new Error('The component projection must be a function or null.');
      const list = orderClauses ?? Object.keys(ordering ?? {}).map((name) => ({ name, ascending: ordering[name] }));
      this.#state = {
        filters, projection, selections: names([...(selections ?? [])]).map((each) => (each === '*' ? each : column(each))), ordering: list.map((each) => ({ name: column(each.name), ascending: each.ascending !== false })),
        skip: skip === null ? null : count(skip, 'skip'), take: take === null ? null : count(take, 'take'), includeTotalCount: includeTotalCount === true, version: this.#state.version + 1,
      };
      return this;
    }
    toOData() {
      const state = this.#state;
      const parts = [];
      if (state.filters) parts.push(`$filter=${state.filters.replace(/%/g, '%25').replace(/\+/g, '%2B').replace(/&/g, '%26').replace(/#/g, '%23').replace(/\?/g, '%3F')}`);
      if (state.ordering.length) parts.push(`$orderby=${Query.ordering(state)}`);
      if (state.skip) parts.push(`$skip=${state.skip}`);
      if (state.take !== null) parts.push(`$top=${state.take}`);
      if (state.selections.length) parts.push(`$select=${state.selections.join(',')}`);
      if (state.includeTotalCount) parts.push('$inlinecount=allpages');
      return `/${this.#table}${parts.length ? '?' : ''}${parts.join('&')}`;
    }
    read(options) {
      if (!this.#read) throw new Error('The query of a request is run by request.execute().');
      return this.#read(this, options);
    }

    static ordering(state) { return state.ordering.map((each) => (each.ascending ? each.name : `${each.name} desc`)).join(','); }
    static owns(object) { return typeof object === 'object' && object !== null && #state in object; }
    static tableOf(object) { return object.#table; }
    static projectionOf(object) { return object.#state.projection; }
    // What the parent understands: OData texts and numbers.
    static wire(object) {
      const state = object.#state;
      const out = { filter: state.filters ?? '', orderBy: Query.ordering(state), select: state.selections.join(',') };
      if (state.skip !== null) out.skip = state.skip;
      if (state.take !== null) out.top = state.take;
      if (state.includeTotalCount) out.inlineCount = true;
      if (object.id !== undefined) out.id = object.id;
      return out;
    }
    // The request's own query, as the parent describes it in the same words.
    static from(table, wire) {
      const made = new Query(table);
      const state = made.#state;
      state.filters = wire.filter ? `(${wire.filter})` : null;
      state.selections = wire.select ? names([wire.select]) : [];
      const orderings = !wire.orderBy ? [] : wire.orderBy.includes('(') ? [wire.orderBy] : names([wire.orderBy]);
      state.ordering = orderings.map((each) => (each.includes('(') ? { name: each, ascending: true } : { name: each.replace(/\s+(asc|desc)$/, ''), ascending: !/\sdesc$/.test(each) }));
      state.skip = wire.skip ?? null;
      state.take = wire.top ?? null;
      state.includeTotalCount = wire.inlineCount === true;
      if (wire.id !== undefined) made.id = wire.id;
      return made;
    }
  }
  return Query;
}

// ── realm: what a table script is given, and the state machine of its request (5.3) ──────────────────────────────

// `host` holds functions of the Worker that take and give only text and numbers; no script ever gets hold of one:
//   send(type, call, sequence, flags, json)   format(args) → text   stack(text) → text   timer(call, ms, repeat) → id   untimer(id)   soon(call)   closed(call)   module(name)
function realm(host, Query, tables, limits, visible) {
  'use strict';
  const { Array, ArrayBuffer, Error, JSON, Map, Math, Number, Object, Promise, String, Symbol, TypeError } = globalThis;
  const { send, format, timer, untimer, soon, closed, stack: own_lines, module: take } = host;
  const table = tables(Query);
  const kResult = 1, kInvoke = 2, kConsole = 3, kFailed = 4, kEnded = 5;
  const { defineProperty, freeze, keys } = Object;
  const { parse, stringify } = JSON;
  const kind_of = Object.prototype.toString;
  const calls = new Map();

  const statusCodes = freeze({
    OK: 200, CREATED: 201, ACCEPTED: 202, NO_CONTENT: 204, MOVED_PERMANANTLY: 301, FOUND: 302, NOT_MODIFIED: 304, BAD_REQUEST: 400, UNAUTHORIZED: 401, FORBIDDEN: 403, NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405, CONFLICT: 409, GONE: 410, PRECONDITION_FAILED: 412, REQUEST_ENTITY_TOO_LARGE: 413, INTERNAL_SERVER_ERROR: 500, BAD_GATEWAY: 502, SERVICE_UNAVAILABLE: 503,
  });

  // A built-in of Node, or an error of this realm.
  function load(name) {
    const found = typeof name === 'string' ? take(name) : undefined;
    if (found === undefined) throw new Error(`The module '${name}' is not available to scripts.`);
    return found;
  }

  // A promise that knows whether anybody looks at it: an error that nobody looks at fails the call.
  class Pending extends Promise {
    observed = false;
    then(good, bad) {
      this.observed = true;
      return Promise.prototype.then.call(this, good, bad);
    }
    static get [Symbol.species]() { return Promise; }
  }
  function pending() {
    let settle;
    const promise = new Pending((resolve, reject) => { settle = { resolve, reject }; });
    Promise.prototype.then.call(promise, undefined, () => {});
    return { promise, ...settle };
  }

  const view = (value) => ArrayBuffer.isView(value);
  // Binary members leave as base64, as buffers always did.
  function plain(item) {
    if (item === null || typeof item !== 'object') return item;
    if (Array.isArray(item)) return item.some((each) => each !== null && typeof each === 'object') ? item.map(plain) : item;
    let copy = item;
    for (const key of keys(item)) if (view(item[key])) {
      if (copy === item) copy = { ...item };
      copy[key] = load('base64')(item[key]);
    }
    return copy;
  }
  function merge(target, source) {
    for (const key of keys(source)) defineProperty(target, key, { value: source[key], writable: true, enumerable: true, configurable: true });
  }
  function failure(wire) {
    const error = new Error(wire.message || wire.code);
    error.code = wire.code;
    error.statusCode = wire.statusCode;
    if (wire.item !== undefined) error.item = wire.item;
    return error;
  }

  class Call {
    constructor(id, context) {
      this.id = id;
      this.context = context;
      this.sequence = 0;
      this.waiting = new Map();
      this.timers = new Map();
      this.lines = 0;
      this.ended = false;
      this.answered = false;   // the parent has the answer
      this.running = false;    // an async script has not come to its end
    }
    post(type, sequence, value, flags = 0) {
      const text = stringify(value);
      if (text.length > limits.answer) throw new Error(`The script's answer is larger than ${limits.answer} bytes.`);
      send(type, this.id, sequence, flags, text);
    }
    invoke(method, args, done) {
      if (this.ended) throw new Error(`${method} was called after the request had ended.`);
      if (this.waiting.size >= 1000) throw new Error('The script has too many calls under way.');
      const sequence = this.sequence = (this.sequence % 65535) + 1;
      this.post(kInvoke, sequence, { method, arguments: args });
      this.waiting.set(sequence, done);
    }
    answer(outcome) {
      this.answered = true;
      const over = this.idle();
      this.post(kResult, 0, outcome, over ? 1 : 0);
      if (over) this.close();
    }
    idle() { return this.waiting.size === 0 && this.timers.size === 0 && !this.running; }
    // After the answer a script may still have something under way; when that is done, the call has ended.
    settle() {
      if (this.ended || !this.answered || !this.idle()) return;
      this.close();
      send(kEnded, this.id, 0, 0, '{}');
    }
    fail(error, kind = 'threw') {
      if (this.ended) return;
      this.close();
      let message, stack, statusCode;
      try {
        message = error instanceof Error || (error !== null && typeof error === 'object' && 'message' in error) ? String(error.message) : format([error]);
        stack = typeof error?.stack === 'string' ? own_lines(error.stack) : '';
      } catch { message = 'The script threw something that cannot be shown.'; stack = ''; }
      send(kFailed, this.id, 0, 0, stringify({ kind, message: message.slice(0, 4000), stack: stack.slice(0, 20000) }));
    }
    close() {
      this.ended = true;
      for (const id of this.timers.keys()) untimer(id);
      this.timers.clear();
      this.waiting.clear();
      calls.delete(this.id);
      closed(this.id);
    }
    // Every entry into the script's own code.
    run(fn, ...args) {
      if (this.ended) return undefined;
      try { return fn(...args); } catch (error) { this.fail(error); return undefined; }
    }
  }

  // Options of execute and of the table objects: an unknown or wrongly typed member throws.
  function options(given, allowed) {
    if (given === undefined || given === null) return {};
    if (typeof given !== 'object') throw new Error('The options must be an object.');
    for (const key of keys(given)) {
      const value = given[key];
      const wanted = allowed[key];
      if (wanted === undefined) throw new Error(`The option '${key}' is not supported here.`);
      if (value === undefined || value === null) continue;
      const fits = wanted === 'list' ? typeof value === 'string' || (Array.isArray(value) && value.every((each) => typeof each === 'string')) : typeof value === wanted;
      if (!fits) throw new Error(`The option '${key}' must be ${wanted === 'list' ? 'an array of names' : `a ${wanted}`}.`);
    }
    return given;
  }
  function shape(given) {
    const out = {};
    if (given.systemProperties !== undefined && given.systemProperties !== null) out.systemProperties = typeof given.systemProperties === 'string' ? given.systemProperties.split(',') : given.systemProperties;
    if (typeof given.includeDeleted === 'boolean') out.includeDeleted = given.includeDeleted;
    return out;
  }

  const kExecuteOptions = {
    read: { success: 'function', error: 'function', systemProperties: 'list', includeDeleted: 'boolean' },
    insert: { success: 'function', error: 'function', systemProperties: 'list' },
    update: { success: 'function', error: 'function', conflict: 'function', systemProperties: 'list' },
    del: { success: 'function', error: 'function', conflict: 'function', systemProperties: 'list' },
  };

  function make_request(call, subject) {
    const { context } = call;
    const { operation } = context;
    let executed = false;      // execute was called and may not be called again
    let responded = false;     // the answer is chosen: by the script, or by default
    let spoke = false;         // the script chose it
    let chosen;                // respond(status, body) of the same tick as execute()
    let plan;                  // what the coming flush executes
    let fallback;              // the default answer that waits for respond()

    const request = {
      operation,
      parameters: context.parameters ?? {},
      systemProperties: context.systemProperties ?? [],
      includeDeleted: context.includeDeleted === true,
      undelete: context.undelete === true,
      execute(given) {
        if (call.ended || responded) throw new Error('Execute cannot be called after respond.');
        if (executed) throw new Error('Execute cannot be called more than once.');
        const chosen_options = options(given, kExecuteOptions[operation]);
        if (operation === 'update' && subject.id !== context.id) {
          const error = new Error(`The script changed the item's id from '${context.id}' to '${subject.id}'.`);
          call.fail(error);
          throw error;
        }
        executed = true;
        const promised = pending();
        plan = { given: chosen_options, promised };
        soon(call.id);
        return promised.promise;
      },
      respond(status, body) {
        if (spoke) throw new Error('Respond cannot be called more than once.');
        if (call.ended || responded) return late();
        if (arguments.length === 0) {
          if (fallback === undefined) throw new Error('Execute must be called before respond.');
          responded = spoke = true;
          return finish(fallback());
        }
        let outcome;
        if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599) outcome = { answer: { status, ...(body === undefined ? {} : { body: plain(body) }) } };
        else if (status instanceof Error || (status !== null && typeof status === 'object' && typeof status.message === 'string')) {
          const given = status.statusCode;
          outcome = { error: { statusCode: Number.isInteger(given) && given >= 400 && given <= 599 ? given : 500, message: String(status.message), stack: own_lines(String(status.stack ?? '')).slice(0, 20000) } };
        } else throw new Error('The first argument of respond must be a status code or an error.');
        responded = spoke = true;
        if (plan !== undefined) chosen = outcome;
        else finish(outcome);
        return undefined;
      },
    };
    function late() {
      call_console(call, 'warn', 'request.respond was called after the answer had been sent.');
    }
    function finish(outcome) {
      call.answer(outcome);
    }

    // What storage needs to know, as the script left it.
    function arguments_of(given) {
      const out = shape(given);
      if (operation === 'read') out.query = Query.wire(subject);
      else if (operation !== 'del') out.item = plain(subject);
      return out;
    }
    // Once per execute(), when the tick's promises have had their turn.
    function flush() {
      if (plan === undefined || call.ended) return;
      const { given, promised } = plan;
      plan = undefined;
      const looks = given.success || given.error || given.conflict || promised.promise.observed || call.running || (operation === 'read' && Query.projectionOf(subject));
      if (!looks) {
        responded = true;
        const outcome = { execute: arguments_of(given) };
        if (chosen !== undefined) Object.assign(outcome, chosen);
        finish(outcome);
        return;
      }
      call.invoke('request.execute', arguments_of(given), (error, value) => {
        if (error) return refused(given, promised, failure(error));
        if (value.conflict !== undefined) return conflicting(given, promised, value.conflict);
        return done(given, promised, value);
      });
      if (chosen !== undefined) {
        finish(chosen);
        chosen = undefined;
      }
    }
    function done(given, promised, value) {
      let result;
      if (operation === 'read') {
        result = value.results;
        const projection = Query.projectionOf(subject);
        if (projection && Array.isArray(result)) result = result.map((row) => projection.call(row));
        if (value.totalCount !== undefined) defineProperty(result, 'totalCount', { value: value.totalCount, enumerable: false, writable: true, configurable: true });
        fallback = () => ({ default: { results: plain(result), ...(value.totalCount === undefined ? {} : { totalCount: value.totalCount }) } });
      } else {
        if (value.item !== undefined && operation !== 'del') {
          merge(subject, value.item);
          fallback = () => ({ default: { item: plain(subject) } });
        } else fallback = () => ({ default: {} });
      }
      promised.resolve(operation === 'read' ? result : operation === 'del' ? undefined : subject);
      if (given.success) call.run(given.success, ...(operation === 'read' ? [result] : []));
      else if (!promised.promise.observed && !responded && !call.ended) { responded = true; finish(fallback()); }
    }
    function refused(given, promised, error) {
      fallback = () => ({ defaultError: true });
      request_error = error;
      promised.reject(error);
      if (given.error) call.run(given.error, error);
      else if (!promised.promise.observed && !responded && !call.ended) { responded = true; finish(fallback()); }
    }
    function conflicting(given, promised, item) {
      const error = failure({ code: 'precondition_failed', statusCode: 412, message: 'The item was changed by somebody else.', item });
      if (!given.conflict) return refused(given, promised, error);
      fallback = () => ({ defaultError: true });
      if (operation === 'update' && item !== null && typeof item === 'object' && item.__version !== undefined) subject.__version = item.__version;
      executed = false;
      promised.reject(error);
      return call.run(given.conflict, item);
    }
    let request_error;
    // An async script came to its end: what it left open is answered by default.
    function over(error) {
      if (call.ended) return;
      if (error !== undefined) {
        if (error !== request_error || responded) return call.fail(error);
        responded = true;
        return finish({ defaultError: true });
      }
      if (!responded && fallback !== undefined && plan === undefined && call.waiting.size === 0) { responded = true; finish(fallback()); }
      else call.settle();
    }
    return { request, flush, over };
  }

  function call_console(call, level, text) {
    if (++call.lines > 1000) return;
    send(kConsole, call.id, 0, 0, stringify({ level, text: (call.lines === 1000 ? 'Further lines of this call are left out.' : text).slice(0, 10000) }));
  }
  const make_console = (call) => {
    const out = {};
    for (const level of ['log', 'info', 'warn', 'error']) out[level] = (...args) => call_console(call, level, format(args));
    out.debug = out.log;
    return out;
  };

  function make_timers(call) {
    let last = 0;
    const start = (repeat, fn, ms, args) => {
      if (typeof fn !== 'function') throw new TypeError('The first argument of a timer must be a function.');
      if (call.ended) return 0;
      if (call.timers.size >= 1000) throw new Error('The script has too many timers.');
      const id = timer(call.id, Number(ms) > 0 ? Math.min(Number(ms), 2147483647) : 0, repeat);
      call.timers.set(id, { fn, args, repeat });
      return last = id;
    };
    const stop = (id) => {
      if (typeof id !== 'number' || !call.timers.delete(id)) return;
      untimer(id);
      call.settle();
    };
    return {
      setTimeout: (fn, ms, ...args) => start(false, fn, ms, args), setInterval: (fn, ms, ...args) => start(true, fn, ms, args), setImmediate: (fn, ...args) => start(false, fn, 0, args),
      clearTimeout: stop, clearInterval: stop, clearImmediate: stop,
    };
  }

  function make_user(given, later) {
    const { level, userId, identities = null } = given ?? {};
    const user = {
      level, userId,
      getIdentities(callback) {
        if (callback === undefined) return identities;
        const success = typeof callback === 'function' ? (value) => callback(null, value) : callback?.success;
        if (typeof success !== 'function') throw new Error('getIdentities takes a function or an object with success and error.');
        later(() => success(identities));
        return undefined;
      },
    };
    defineProperty(user, 'accessTokens', {
      enumerable: false,
      get() {
        const out = {};
        for (const key of keys(identities ?? {})) if (identities[key]?.accessToken !== undefined) out[key] = identities[key].accessToken;
        return out;
      },
    });
    return user;
  }

  // Starts a call. `factory` evaluates the script in its own scope and gives back its function for this operation.
  function start(id, factory, text) {
    const context = parse(text);
    const call = new Call(id, context);
    calls.set(id, call);
    call.run(() => {
      const { operation } = context;
      const timers = make_timers(call);
      const subject = operation === 'read' ? Query.from(context.table, context.query ?? {}) : operation === 'del' ? context.id : context.item;
      if (operation === 'update' && subject.id === undefined) subject.id = context.id;
      const { request, flush, over } = make_request(call, subject);
      call.flush = flush;
      const user = make_user(context.user, timers.setImmediate);
      const require = (name) => load(name);
      const process = { env: {}, nextTick: (fn, ...args) => { timers.setImmediate(fn, ...args); } };
      const fn = factory(visible, visible, make_console(call), table(call, context, options, shape, failure, merge, plain, pending), statusCodes, require, process, load('Buffer'), timers.setTimeout, timers.setInterval,
        timers.setImmediate, timers.clearTimeout, timers.clearInterval, timers.clearImmediate)[operation];
      if (typeof fn !== 'function') throw new Error(`The script does not define the function ${operation}.`);
      if (kind_of.call(fn) === '[object AsyncFunction]') call.running = true;
      const result = fn(subject, user, request);
      if (call.running) Promise.prototype.then.call(result, () => { call.running = false; soon_over(); }, (error) => { call.running = false; over(error ?? new Error('The script was rejected without a reason.')); });
      else call.settle();
      function soon_over() {
        call.flush();
        over();
      }
    });
  }

  const api = {
    start,
    answer(id, sequence, good, text) {
      const call = calls.get(id);
      const done = call?.waiting.get(sequence);
      if (!done) return;
      call.waiting.delete(sequence);
      const value = parse(text);
      if (good) call.run(done, undefined, value); else call.run(done, value);
      call.settle();
    },
    timer(id, timer_id) {
      const call = calls.get(id);
      const entry = call?.timers.get(timer_id);
      if (!entry) return;
      if (!entry.repeat) call.timers.delete(timer_id);
      call.run(entry.fn, ...entry.args);
      call.settle();
    },
    flush(id) {
      const call = calls.get(id);
      if (call) call.run(call.flush);
    },
    cancel(id) { calls.get(id)?.close(); },
    fail(id, text, kind) { calls.get(id)?.fail(new Error(text), kind); },
    // A rejection nobody handled; it may be an object of the script.
    stray(id, error) { calls.get(id)?.fail(error); },
  };
  for (const each of [Pending, Call, Query]) { freeze(each); freeze(each.prototype); }
  return freeze(api);
}

// ── table: tables.getTable and tables.current (5.4) ──────────────────────────────────────────────────────────────

function table() {
  'use strict';
  const { Array, Error, Object } = globalThis;
  const kRead = { success: 'function', error: 'function', systemProperties: 'list', includeDeleted: 'boolean' };
  const kWrite = { success: 'function', error: 'function', systemProperties: 'list' };
  const kChange = { ...kWrite, conflict: 'function' };

  return function tables(Query) {
    return (call, context, options, shape, failure, merge, plain, pending) => {
      function ask(method, args, given, turn) {
        const promised = pending();
        call.invoke(method, { ...args, ...shape(given) }, (error, value) => {
          if (error === undefined && value.conflict !== undefined) {
            if (given.conflict) { promised.resolve(value.conflict); return given.conflict(value.conflict); }
            error = { code: 'precondition_failed', statusCode: 412, message: 'The item was changed by somebody else.', item: value.conflict };
          }
          if (error !== undefined) {
            const made = failure(error);
            promised.reject(made);
            if (given.error) return given.error(made);
            if (promised.promise.observed) return undefined;
            throw made;
          }
          const result = turn(value);
          promised.resolve(result);
          return given.success?.(result);
        });
        return promised.promise;
      }
      function make(name) {
        if (typeof name !== 'string' || name === '') throw new Error('A table name must be text.');
        const fresh = () => new Query(name, null, (query, given) => self.read(query, given));
        const self = {
          getTableName: () => name,
          read(query, given) {
            if (!Query.owns(query)) { given ??= query; query = fresh(); }
            const of = Query.tableOf(query);
            if (of.toLowerCase() !== name.toLowerCase()) throw new Error(`A query of table '${of}' cannot be used to read table '${name}'.`);
            const projection = Query.projectionOf(query);
            return ask('tables.read', { table: name, query: Query.wire(query) }, options(given, kRead), (value) => {
              const rows = projection ? value.results.map((row) => projection.call(row)) : value.results;
              if (value.totalCount !== undefined) Object.defineProperty(rows, 'totalCount', { value: value.totalCount, enumerable: false, writable: true, configurable: true });
              return rows;
            });
          },
          lookup: (id, given) => ask('tables.lookup', { table: name, id }, options(given, kRead), (value) => value.item),
          insert(item, given) {
            object(item);
            return ask('tables.insert', { table: name, item: plain(item) }, options(given, kWrite), (value) => { merge(item, value.item); return item; });
          },
          update(item, given) {
            object(item);
            if (item.id === undefined || item.id === null) throw new Error('The item to update must have an id.');
            return ask('tables.update', { table: name, item: plain(item) }, options(given, kChange), (value) => { merge(item, value.item); return item; });
          },
          del(what, given) {
            const item = typeof what === 'object' && what !== null ? what : { id: what };
            if (item.id === undefined || item.id === null) throw new Error('del takes an id or an item with an id.');
            const version = item.__version ?? item.version;
            return ask('tables.del', { table: name, id: item.id, ...(typeof version === 'string' ? { version } : {}) }, options(given, kChange), () => undefined);
          },
        };
        for (const method of ['where', 'select', 'orderBy', 'orderByDescending', 'skip', 'take', 'includeTotalCount']) self[method] = (...args) => fresh()[method](...args);
        return self;
      }
      function object(item) {
        if (item === null || typeof item !== 'object' || Array.isArray(item)) throw new Error('The item must be an object.');
      }
      let current;
      return { getTable: make, get current() { return current ??= make(context.table); } };
    };
  };
}

// ── worker: one realm of scripts ─────────────────────────────────────────────────────────────────────────────────

// A script is evaluated anew for each call. As a rule that happens in the realm's one context, whose built-ins and names
// are frozen, so nothing can outlive the call; a script that wants to change built-ins gets a context of its own.
function worker() {
  'use strict';
  const { parentPort, workerData } = require('node:worker_threads');
  const vm = require('node:vm');
  const util = require('node:util');
  const url = require('node:url');
  const path = require('node:path').posix;
  const querystring = require('node:querystring');
  const crypto = require('node:crypto');
  const { Buffer } = require('node:buffer');
  const { performance } = require('node:perf_hooks');
  const { setTimeout, setInterval, clearTimeout, setImmediate, queueMicrotask, process } = globalThis;
  const { parts, limits, running } = workerData;
  const kHead = 16;
  const kResult = 1, kFailed = 4, kPong = 7, kChecked = 8, kScript = 20, kCall = 21, kAnswer = 22, kCancel = 23, kPing = 25, kCheck = 26;
  const kNames = ['globalThis', 'global', 'console', 'tables', 'statusCodes', 'require', 'process', 'Buffer', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
  const kEnd = '\n;return {insert: typeof insert === "function" ? insert : undefined, read: typeof read === "function" ? read : undefined, update: typeof update === "function" ? update : undefined, del: typeof del === "function" ? del : undefined};})';
  const kStart = '"use strict";';
  const kOpen = `(function (${kNames.join(', ')}) {${kStart}`;
  const kBuiltIn = 'Array|String|Object|Function|Date|Number|Boolean|RegExp|Error|TypeError|RangeError|Promise|Math|JSON|Map|Set|WeakMap|WeakSet|Symbol|Reflect|Proxy|Intl|BigInt';
  const kOwnContext = new RegExp(`\\bglobal(This)?\\b|\\b(${kBuiltIn})\\s*\\.\\s*(prototype\\b[^;\\n]*=|\\w+\\s*=[^=])|\\b(defineProperty|defineProperties|assign|setPrototypeOf)\\s*\\(\\s*(${kBuiltIn})\\b`);

  // ── out: frames of one tick leave together ──
  let out = [], out_bytes = 0;
  function frame(type, call, sequence, flags, text) {
    const bytes = Buffer.byteLength(text);
    if (out.length === 0) setImmediate(flush);
    out.push(type, call, sequence, flags, text, bytes);
    out_bytes += kHead + bytes;
    if (out_bytes > 1 << 20) flush();
  }
  function flush() {
    if (out.length === 0) return;
    const all = Buffer.from(new ArrayBuffer(out_bytes));
    for (let i = 0, at = 0; i < out.length; i += 6) {
      all.writeUInt32LE(out[i + 5], at);
      all[at + 4] = out[i];
      all[at + 5] = out[i + 3];
      all.writeUInt16LE(out[i + 2], at + 6);
      all.writeUInt32LE(workerData.realm, at + 8);
      all.writeUInt32LE(out[i + 1], at + 12);
      all.write(out[i + 4], at + kHead, 'utf8');
      at += kHead + out[i + 5];
    }
    out = [];
    out_bytes = 0;
    parentPort.postMessage(all, [all.buffer]);
  }

  // ── what require gives ──
  // Errors of Node's inner classes stay inside: a class object that is not frozen could carry something to the next call.
  const wrapped = (fn) => (...args) => {
    try { return fn(...args); } catch (error) {
      const made = new Error(`${error?.message}`);
      if (typeof error?.code === 'string') made.code = error.code;
      throw made;
    }
  };
  const bytes_of = (value, encoding) => (typeof value === 'string' ? Buffer.from(value, encoding) : value);
  const hashing = (made) => {
    const self = { update: wrapped((data, encoding) => { made.update(bytes_of(data, encoding)); return self; }), digest: wrapped((encoding) => (encoding === undefined ? Buffer.from(made.digest()) : made.digest(encoding))) };
    return Object.freeze(self);
  };
  const ciphering = (made) => {
    const self = {
      update: wrapped((data, from, to) => made.update(data, from, to)), final: wrapped((to) => made.final(to)), setAutoPadding: wrapped((on) => { made.setAutoPadding(on); return self; }),
      setAAD: wrapped((data) => { made.setAAD(data); return self; }), setAuthTag: wrapped((tag) => { made.setAuthTag(tag); return self; }), getAuthTag: wrapped(() => made.getAuthTag()),
    };
    return Object.freeze(self);
  };
  const stretch = (password, salt, rounds, length, digest) => {
    if (rounds > 1e6 || length > 1024) throw new Error('pbkdf2 is limited to 1,000,000 rounds and 1024 bytes.');
    return crypto.pbkdf2Sync(password, salt, rounds, length, digest);
  };
  const chance = (count) => {
    if (!(count >= 0 && count <= 65536)) throw new Error('randomBytes gives at most 65536 bytes.');
    return crypto.randomBytes(count);
  };
  const pick = (from, list) => Object.fromEntries(list.map((name) => [name, wrapped((...args) => from[name](...args))]));
  const modules = {
    Buffer, buffer: { Buffer },
    util: { format: wrapped((...args) => tidy(util.format(...args))), inspect: wrapped((...args) => tidy(util.inspect(...args))), ...pick(util, ['inherits', 'isDeepStrictEqual', 'isArray', 'isBoolean', 'isNull', 'isNullOrUndefined', 'isNumber', 'isString', 'isUndefined', 'isRegExp', 'isObject', 'isDate', 'isError', 'isFunction', 'isPrimitive'].filter((name) => typeof util[name] === 'function')) },
    url: { ...pick(url, ['parse', 'format', 'resolve']), Url: url.Url, URL: url.URL, URLSearchParams: url.URLSearchParams },
    querystring: pick(querystring, ['parse', 'stringify', 'escape', 'unescape', 'decode', 'encode']),
    path: { ...pick(path, ['join', 'basename', 'dirname', 'extname', 'normalize', 'isAbsolute', 'relative', 'parse', 'format']), sep: '/', delimiter: ':' },
    crypto: {
      createHash: wrapped((name) => hashing(crypto.createHash(name))), createHmac: wrapped((name, key) => hashing(crypto.createHmac(name, key))), getHashes: () => crypto.getHashes(),
      createCipheriv: wrapped((name, key, iv) => ciphering(crypto.createCipheriv(name, key, iv))), createDecipheriv: wrapped((name, key, iv) => ciphering(crypto.createDecipheriv(name, key, iv))),
      randomBytes: wrapped(chance), randomUUID: () => crypto.randomUUID(), timingSafeEqual: wrapped((a, b) => crypto.timingSafeEqual(a, b)), pbkdf2Sync: wrapped(stretch),
    },
    base64: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  };
  // Buffer and URL are classes and cannot be wrapped; the classes of what they throw are found by making them throw.
  const thrown = [];
  for (const fails of [
    () => Buffer.alloc(-1), () => Buffer.alloc('x'), () => Buffer.from(5), () => Buffer.from('a', 'nosuch'), () => Buffer.alloc(1, 'z', 'hex'), () => Buffer.alloc(2).writeUInt8(300), () => Buffer.alloc(2).readUInt8(9), () => Buffer.alloc(2).readUInt8('x'),
    () => Buffer.alloc(1).readDoubleLE(0), () => Buffer.alloc(3).swap16(), () => Buffer.concat(5), () => Buffer.compare(1, 2), () => Buffer.alloc(1).toString('nosuch'), () => Buffer.from({}), () => Buffer.alloc(1).write(5), () => Buffer.from(new ArrayBuffer(1), 9),
    () => Buffer.from(new ArrayBuffer(1), 0, 9), () => Buffer.alloc(2).fill('', 'hex', 5), () => Buffer.alloc(1).copy(5), () => Buffer.byteLength(5), () => new url.URL('x'), () => new url.URL(), () => new url.URLSearchParams(5), () => new url.URLSearchParams([1]),
    () => new url.URLSearchParams().get(), () => url.URLSearchParams.prototype.get.call({}), () => url.URL.prototype.toString.call({}), () => new url.URLSearchParams({ a: Symbol() }), () => new url.URLSearchParams([[1]]), () => new url.URLSearchParams().forEach(5), () => new url.URL('http://a').searchParams.entries().next.call({}),
  ]) try { fails(); } catch (error) { thrown.push(error); }
  thrown.push(new url.URLSearchParams('a=b').entries(), new url.URL('http://a').searchParams, Buffer.alloc(1), Buffer.from('ab').entries());
  Buffer.poolSize = 0;  // slices of a shared pool would show the neighbour's bytes

  // ── contexts ──
  const timers = new Map();
  const spent = new Map();   // call → milliseconds its code has held this thread
  const names = new Map();   // call → script name, and the api that runs it
  let timer_id = 0;
  // A stack without the lines that are ours: what remains has the line numbers of the one who wrote the script.
  const own_lines = (text) => text.replace(/\n    at (?![^\n]*\/(table|api|shared|scheduler|extensions)\/)[^\n]*(?=\n|$)/g, '');
  // Node shows an object of another context as one of a foreign class.
  const tidy = (text) => (typeof text === 'string' ? text.replaceAll('Object <[Object: null prototype] {}> ', '') : text);
  const guarded = (fn) => (...args) => { try { return fn(...args); } catch { return undefined; } };
  const host = {
    send: (type, call, sequence, flags, text) => frame(type | 0, call >>> 0, sequence | 0, flags | 0, `${text}`),
    format: (args) => { try { return tidy(own_lines(util.formatWithOptions({ customInspect: false }, ...args))); } catch { return '[a value that cannot be shown]'; } },
    stack: own_lines,
    timer(call, ms, repeat) {
      const id = ++timer_id;
      timers.set(id, (repeat ? setInterval : setTimeout)(() => enter(call, (api) => api.timer(call, id)), ms));
      return id;
    },
    untimer(id) { clearTimeout(timers.get(id)); timers.delete(id); },
    // After the promises that are due now, so that it is known whether anybody awaits what execute() gave.
    soon(call) { queueMicrotask(() => queueMicrotask(() => enter(call, (api) => api.flush(call)))); },
    closed(call) { names.delete(call); spent.delete(call); },
    module: (name) => (Object.hasOwn(modules, name) ? modules[name] : undefined),
  };
  for (const name of Object.keys(host)) if (name !== 'format') host[name] = guarded(host[name]);

  function make_context(light) {
    const context = vm.createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
    const inside = vm.runInContext(parts, context, { filename: 'host.js' });
    return { context, api: inside(host, limits, light) };
  }
  let shared;

  const scripts = new Map();
  function compile(script, context) {
    // By itself first: a text that closes our function and goes on outside of it is no script.
    new vm.Script(kStart + script.source, { filename: script.name, columnOffset: -kStart.length });
    return new vm.Script(kOpen + script.source + kEnd, { filename: script.name, columnOffset: -kOpen.length }).runInContext(context);
  }
  function describe(error) {
    try {
      const stack = typeof error?.stack === 'string' ? error.stack : '';
      return JSON.stringify({ kind: 'syntax', message: `${error?.message}`.slice(0, 4000), stack: own_lines(stack).replace(kStart, '').slice(0, 4000) });
    } catch { return '{"kind":"syntax","message":"The script cannot be compiled.","stack":""}'; }
  }

  // Every way into a script's code: the parent's watchdog asks `running` whose code holds the thread.
  function enter(call, fn) {
    const entry = names.get(call);
    if (entry === undefined) return;
    running[0] = running[1] = call;
    const began = performance.now();
    try { fn(entry.api); } catch (error) {
      frame(kFailed, call, 0, 0, describe(error));
      host.closed(call);
    }
    const total = (spent.get(call) ?? 0) + performance.now() - began;
    running[0] = 0;
    if (!names.has(call)) return;
    spent.set(call, total);
    if (total > limits.cpu) entry.api.fail(call, `The script used more than ${limits.cpu} ms of processor time.`, 'cpu');
  }
  function start(call, slot, text) {
    const script = scripts.get(slot);
    if (script === undefined) return frame(kFailed, call, 0, 0, '{"kind":"unknown","message":"","stack":""}');
    let api, factory;
    try {
      if (script.alone === undefined) script.alone = kOwnContext.test(script.source);
      if (script.alone) {
        const own = make_context(true);
        api = own.api;
        factory = compile(script, own.context);
      } else {
        shared ??= make_context(false);
        api = shared.api;
        factory = script.factory ??= compile(script, shared.context);
      }
    } catch (error) { return frame(kFailed, call, 0, 0, describe(error)); }
    names.set(call, { name: script.name, api });
    return enter(call, () => api.start(call, factory, text));
  }

  function receive(all, at) {
    const length = all.readUInt32LE(at), type = all[at + 4], flags = all[at + 5], sequence = all.readUInt16LE(at + 6), call = all.readUInt32LE(at + 12);
    const text = all.toString('utf8', at + kHead, at + kHead + length);
    switch (type) {
      case kCall: start(call, sequence, text); break;
      case kAnswer: enter(call, (api) => api.answer(call, sequence, flags === 1, text)); break;
      case kScript: scripts.set(sequence, JSON.parse(text)); break;
      case kCancel: { const entry = names.get(call); if (entry) entry.api.cancel(call); break; }
      case kPing: frame(kPong, 0, 0, 0, '{}'); break;
      case kCheck: {
        try { shared ??= make_context(false); compile(JSON.parse(text), shared.context); frame(kChecked, call, 0, 1, '{}'); } catch (error) { frame(kChecked, call, 0, 0, describe(error)); }
      }
    }
  }
  // One frame, one immediate: a call's promises have their turn before the next call starts, so that one whose promises
  // never end is known by its number.
  parentPort.on('message', (batch) => {
    const all = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
    const first = kHead + all.readUInt32LE(0);
    if (first === all.length) return receive(all, 0);
    for (let at = 0; at < all.length; at += kHead + all.readUInt32LE(at)) setImmediate(receive, all, at);
    return undefined;
  });

  // A rejection without a handler belongs to the call whose script is in its stack; when that is not clear, to the last one.
  process.on('unhandledRejection', guarded((reason) => {
    let stack = '';
    try { stack = `${reason?.stack}`; } catch { /* not a thing to look at */ }
    let found;
    for (const [call, entry] of names) if (stack.includes(entry.name)) found = call;
    found ??= running[1];
    const entry = names.get(found);
    if (entry) entry.api.stray(found, reason);
  }));
  process.on('uncaughtException', () => {});

  // Nothing of Node stays within reach, and no built-in of this realm can be changed from the other.
  const kept = new Set(Object.getOwnPropertyNames(vm.runInContext('globalThis', vm.createContext(Object.create(null)))));
  for (const name of Reflect.ownKeys(globalThis)) if (!kept.has(name)) try { delete globalThis[name]; } catch { /* not configurable: a constant of the language */ }
  const lockdown = vm.runInThisContext(workerData.lockdown);
  globalThis.handed_out = [modules, thrown];
  lockdown(globalThis, false);
  frame(kPong, 0, 0, 0, '{}');
}

// ── main: the router ─────────────────────────────────────────────────────────────────────────────────────────────

function main() {
  const { Worker } = require('node:worker_threads');
  const { Socket } = require('node:net');
  const settings = JSON.parse(process.argv[2]);
  const kHead = 16, kGone = 6, kHello = 9, kTerminate = 24;
  // Evaluated inside each context: gives a function that makes the runtime there.
  const parts = `(() => { ${lockdown}\n${query}\n${table}\n${realm}\n
    return (host, limits, light) => {
      const global = globalThis;
      lockdown(global, true);
      const made = realm(host, query(), table(), limits, light ? global : Object.freeze(Object.create(null, Object.fromEntries(Reflect.ownKeys(global).filter((name) => typeof name === 'string' && name !== 'globalThis').map((name) => [name, { value: global[name], enumerable: true }])))));
      if (!light) lockdown(global, false);
      return made;
    };
  })()`;
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  const realms = new Map();   // number → {worker, running}
  const ended = new Set();

  function send(type, realm, value) {
    const text = Buffer.from(JSON.stringify(value));
    const head = Buffer.alloc(kHead);
    head.writeUInt32LE(text.length, 0);
    head[4] = type;
    head.writeUInt32LE(realm, 8);
    socket.write(Buffer.concat([head, text]));
  }
  function open(number) {
    const running = new Int32Array(new SharedArrayBuffer(8));
    const made = new Worker(`(${worker})()`, {
      eval: true, env: {}, argv: [], stdin: false, stdout: true, stderr: true,
      workerData: { parts, lockdown: `(${lockdown})`, limits: settings, running, realm: number },
      resourceLimits: { maxOldGenerationSizeMb: settings.heap, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
    });
    const entry = { worker: made, running, reason: 'ended' };
    made.on('message', (bytes) => socket.write(bytes));
    made.on('error', (error) => { entry.reason = error?.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'heap' : `${error?.message}`; });
    made.on('exit', () => {
      realms.delete(number);
      ended.add(number);
      send(kGone, number, { reason: entry.reason, running: entry.running[0] || entry.running[1] });
    });
    realms.set(number, entry);
    return entry;
  }

  // Frames of one read travel to their Worker together.
  let chunks = [], held = 0, wanted = kHead;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < wanted) return;
    const all = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    const batches = new Map();
    let at = 0;
    while (all.length - at >= kHead) {
      const size = kHead + all.readUInt32LE(at);
      if (all.length - at < size) break;
      const type = all[at + 4], number = all.readUInt32LE(at + 8);
      if (type === kTerminate) {
        const entry = realms.get(number);
        batches.delete(number);
        if (entry) { entry.reason = 'terminated'; entry.worker.terminate(); } else if (!ended.has(number)) { ended.add(number); send(kGone, number, { reason: 'terminated', running: 0 }); }
      } else if (!ended.has(number)) {
        const batch = batches.get(number);
        if (batch) batch.push(all.subarray(at, at + size)); else batches.set(number, [all.subarray(at, at + size)]);
      }
      at += size;
    }
    held = all.length - at;
    chunks = held ? [Buffer.from(all.subarray(at))] : [];
    wanted = held < kHead ? kHead : kHead + chunks[0].readUInt32LE(0);
    for (const [number, list] of batches) {
      const entry = realms.get(number) ?? open(number);
      let bytes = 0;
      for (const each of list) bytes += each.length;
      const copy = new Uint8Array(bytes);
      let to = 0;
      for (const each of list) { copy.set(each, to); to += each.length; }
      entry.worker.postMessage(copy, [copy.buffer]);
    }
  });
  socket.on('close', () => process.exit(0));
  socket.on('error', () => process.exit(0));
  process.on('uncaughtException', (error) => { process.stderr.write(`${error?.stack}\n`); process.exit(70); });
  send(kHello, 0, { node: process.versions.node });
}

main();
