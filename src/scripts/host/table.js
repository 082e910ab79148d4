// table: tables.getTable and tables.current (5.4).

function table({ Query, Pending, resolve, reject, looked_at, plain, merge, failure, options, shape }) {
  const { Array, Error, Object } = globalThis;
  const kRead = { success: 'function', error: 'function', systemProperties: 'list', includeDeleted: 'boolean' };
  const kWrite = { success: 'function', error: 'function', systemProperties: 'list' };
  const kChange = { ...kWrite, conflict: 'function' };

  // Gives what makes one call's `tables`.
  return (call) => {
    function ask(method, args, given, turn) {
      const promised = new Pending();
      call.invoke(method, { ...args, ...shape(given) }, (error, value) => {
        if (error === undefined && value.conflict !== undefined) {
          if (given.conflict) { resolve(promised, value.conflict); return given.conflict(value.conflict); }
          error = { code: 'precondition_failed', statusCode: 412, message: 'The item was changed by somebody else.', item: value.conflict };
        }
        if (error !== undefined) {
          const made = failure(error);
          reject(promised, made);
          if (given.error) return given.error(made);
          if (looked_at(promised)) return undefined;
          throw made;
        }
        const result = turn(value);
        resolve(promised, result);
        return given.success?.(result);
      });
      return promised;
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
    return { getTable: make, get current() { return current ??= make(call.context.table); } };
  };
}
