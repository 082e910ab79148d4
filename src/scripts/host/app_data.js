// app_data: context.tables(name) and context.data of an app of the second generation (5.10). Reads and writes go through the
// filters, transforms and hooks of the table they are on, whoever asks for them.

function app_data({ Query, plain, failure, mssql_of, load, format }) {
  const { Array, Date, Error, JSON, Number, Object, Promise, String } = globalThis;
  const Buffer = load('Buffer');
  const list_of = (value) => (Array.isArray(value) ? value : []);
  const kLengths = { milliseconds: 1, seconds: 1000, minutes: 60_000, hours: 3_600_000, days: 86_400_000, weeks: 604_800_000 };

  /// An error with the word that decides how it is answered.
  function error_of(word, message, more) { return Object.assign(new Error(message), { [word]: true }, more); }
  function told(wire) {
    const error = failure(wire), word = { 400: 'badRequest', 401: 'unauthorized', 404: 'notFound', 409: 'duplicate', 412: 'concurrency' }[error.statusCode];
    if (word !== undefined) error[word] = true;
    return error;
  }
  /// That a table is not there is the app's mistake, not the client's.
  const without_table = (wire, { table }) => wire.statusCode === 404 && table !== undefined && wire.message === `Table '${table}' does not exist.`;
  function ask(call, method, args) {
    return new Promise((good, bad) => {
      call.invoke(method, args, (error, value) => {
        if (error !== undefined) bad(without_table(error, args) ? new Error(`The table '${args.table}' does not exist.`) : told(error));
        else if (value.conflict !== undefined) bad(error_of('concurrency', 'No records were updated', { item: value.conflict }));
        else good(value);
      });
    });
  }
  function rows_of({ results, totalCount }) {
    if (totalCount !== undefined) Object.defineProperty(results, 'totalCount', { value: totalCount, enumerable: false, writable: true, configurable: true });
    return results;
  }

  // ── what stands around every operation ──
  function moment_before(now, given) {
    const out = new Date(now.getTime());
    if (given.years) out.setUTCFullYear(out.getUTCFullYear() - given.years);
    if (given.months) out.setUTCMonth(out.getUTCMonth() - given.months);
    let ms = 0;
    for (const unit of Object.keys(kLengths)) ms += (Number(given[unit] ?? given[unit.slice(0, -1)]) || 0) * kLengths[unit];
    return new Date(out.getTime() - ms);
  }
  function filtered(definition, query, context) {
    if (!Query.owns(query)) throw new Error(`The query of table '${definition.name}' is none: context.query can be narrowed, not replaced by something else.`);
    if (definition.recordsExpire) query.where('createdAt gt ?', moment_before(new Date(), definition.recordsExpire));
    return run_all(definition, 'filter', query, context, (given) => Query.owns(given), 'a query');
  }
  const transformed = (definition, item, context) => run_all(definition, 'transform', item, context, (given) => typeof given === 'object' && typeof given.then !== 'function' && !Array.isArray(given), 'an item');
  /// Each gets what the one before gave. One that gives nothing has changed it in place; what is no use is not taken for it.
  function run_all(definition, what, first, context, fits, wanted) {
    return list_of(definition[`${what}s`]).reduce((now, fn) => {
      const given = fn(now, context);
      if (!given) return now;
      if (!fits(given)) throw new Error(`A ${what} of table '${definition.name}' gave ${typeof given.then === 'function' ? 'a promise' : typeof given === 'object' ? 'an object' : `a ${typeof given}`}, where ${wanted} or nothing is expected.`);
      return given;
    }, first);
  }

  // Nobody waits for it; what becomes of it is a line of the log.
  function post_webhook(call, definition, results, context) {
    const url = definition.webhook?.url ?? context.configuration?.webhook?.url;
    if (!url) return call.console('error', `Table '${definition.name}' has a webhook without an address.`);
    const item = context.operation === 'read' ? undefined : results;
    const text = JSON.stringify({ operation: context.operation, item, table: definition.name, userId: context.user?.id, id: context.id });
    try {
      call.invoke('http.fetch', { method: 'POST', url: String(url), headers: [['Content-Type', 'application/json']], body: Buffer.from(text).toString('base64') }, (error, value) => {
        if (error !== undefined || value.status >= 400) call.console('warn', `The webhook of table '${definition.name}' failed: ${error === undefined ? value.status : error.message || error.code}`);
      });
    } catch (error) { call.console('warn', `The webhook of table '${definition.name}' failed: ${error.message}`); }
    return undefined;
  }
  function hooked(call, definition, results, context) {
    if (definition.webhook) post_webhook(call, definition, results, context);
    for (const hook of list_of(definition.hooks)) {
      const given = hook(results, context);
      if (typeof given?.then === 'function') given.then(undefined, (error) => call.console('error', `A hook of table '${definition.name}' failed: ${format([error])}`));
    }
    return results;
  }
  /// Runs one operation between what its table puts before and after it: go(query, item) asks for it.
  async function around(call, definition, context, own, go) {
    const now = Object.assign(Object.create(context), { table: definition, ...own });
    const query = own.query === undefined ? undefined : filtered(definition, own.query, now);
    const item = own.item === undefined ? undefined : transformed(definition, own.item, now);
    const results = await go(query, item);
    return hooked(call, definition, results, now);
  }

  // ── context.tables(name) ──
  function access(call, definition, context) {
    const { name } = definition;
    const as_query = (given) => (Query.owns(given) ? given : given === undefined || given === null ? new Query(name, null) : new Query(name, null).where(given));
    // The rows of somebody's own stay so.
    const with_filter = (args, query) => {
      const { filter } = Query.wire(query);
      return { table: name, asCaller: true, row: true, ...args, ...(filter === '' ? {} : { filter }) };
    };
    const ids_of = async (query, more) => {
      if (query.id !== undefined) return [query.id];
      const { filter } = Query.wire(query);
      const { results } = await ask(call, 'tables.read', { table: name, asCaller: true, ...more, query: { filter, orderBy: '', select: 'id' } });
      return results.map((row) => row.id);
    };
    const each_of = async (query, more, act) => {
      const done = [];
      for (const id of await ids_of(query, more)) done.push(await act(id));
      if (done.length === 0) throw error_of('notFound', 'No records were updated');
      return done.length === 1 ? done[0] : done;
    };
    const needed = (value, what) => { if (value === undefined || value === null) throw new Error(`${what} was not provided`); };
    const self = {
      read(given) {
        const query = as_query(given);
        return around(call, definition, context, { operation: 'read', query }, async (narrowed) => rows_of(await ask(call, 'tables.read', { table: name, asCaller: true, query: Query.wire(narrowed), ...(narrowed.includeDeleted ? { includeDeleted: true } : {}) })));
      },
      find: async (id) => (await self.read(new Query(name, null).where({ id })))[0],
      insert(item) {
        needed(item, 'An item to insert');
        return around(call, definition, context, { operation: 'create', item }, async (_, made) => (await ask(call, 'tables.insert', { table: name, asCaller: true, item: plain(made) })).item);
      },
      update(item, given) {
        needed(item, 'An item to update');
        return around(call, definition, context, { operation: 'update', item, query: as_query(given) }, async (query, made) => (await ask(call, 'tables.update', with_filter({ item: plain(made) }, query))).item);
      },
      delete(given, version) {
        needed(given, 'The delete query');
        const more = version === undefined ? {} : { version: String(version) };
        return around(call, definition, context, { operation: 'delete', query: as_query(given) }, (query) => each_of(query, {}, async (id) => (await ask(call, 'tables.del', with_filter({ id, ...more }, query))).item));
      },
      undelete(given, version) {
        needed(given, 'The undelete query');
        const more = version === undefined ? {} : { version: String(version) };
        return around(call, definition, context, { operation: 'undelete', query: as_query(given) }, (query) => each_of(query, { includeDeleted: true }, async (id) => (await ask(call, 'tables.undelete', with_filter({ id, ...more }, query))).item));
      },
      truncate: async () => { await ask(call, 'tables.truncate', { table: name, asCaller: true }); },
      initialize: () => Promise.resolve(),
      schema: async () => ({ name, properties: (await ask(call, 'tables.schema', { table: name })).columns }),
    };
    for (const word of ['where', 'select', 'orderBy', 'orderByDescending', 'skip', 'take', 'includeTotalCount']) self[word] = (...args) => new Query(name, null, (query) => self.read(query))[word](...args);
    return self;
  }

  // ── context.data ──
  /// "… = @name" with its parameters → "… = ?" with their values.
  function numbered(sql, parameters) {
    const given = Array.isArray(parameters) ? Object.fromEntries(parameters.map(({ name, value }) => [String(name).replace(/^@/, '').toLowerCase(), value])) : Object.fromEntries(Object.keys(parameters ?? {}).map((name) => [name.toLowerCase(), parameters[name]]));
    const values = [];
    const text = String(sql).replace(/N?'(?:[^']|'')*'|"[^"]*"|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|@@\w+|@(\w+)/g, (all, name) => {
      if (name === undefined) return all;
      if (!Object.hasOwn(given, name.toLowerCase())) throw error_of('badRequest', `The SQL names @${name}, which is not among the parameters.`);
      values.push(given[name.toLowerCase()]);
      return '?';
    });
    return { text, values };
  }
  async function execute(call, statement) {
    if (statement === undefined || statement === null) throw new Error('A SQL statement was not provided');
    const { text, values } = typeof statement === 'string' ? { text: statement, values: [] } : numbered(statement.sql, statement.parameters);
    return mssql_of(call).query(text, values);
  }
  const data_of = (call, context, find) => Object.assign((definition, other) => access(call, typeof definition === 'string' ? find(definition) : definition, other ?? context), { execute: (statement) => execute(call, statement) });

  return { ask, around, access, data_of, error_of, rows_of, numbered };
}
