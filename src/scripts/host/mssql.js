// mssql: what scripts know as `mssql` (5.5). The parent runs the SQL; a cell that is an array is a date.

function databases({ Pending, resolve, reject, looked_at, failure, plain }) {
  const { Array, Date, Error, Object, Number } = globalThis;
  const { isArray } = Array;
  const { defineProperty, keys } = Object;
  const kind_of = Object.prototype.toString;
  const is_date = (value) => kind_of.call(value) === '[object Date]';

  // A value for a question mark, as the parent takes it.
  function value_of(value) {
    if (value === undefined || value === null) return null;
    if (typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') {
      if (Number.isFinite(value)) return value;
      throw new Error('A value of an SQL text cannot be NaN or infinite.');
    }
    if (typeof value === 'object') {
      if (is_date(value)) {
        const ms = Date.prototype.getTime.call(value);
        if (Number.isFinite(ms)) return [ms];
        throw new Error('A value of an SQL text is a date that there is not.');
      }
      const made = plain({ value }).value;
      if (typeof made === 'string') return made;
    }
    throw new Error('A value of an SQL text must be text, a number, true, false, a date, a buffer or null.');
  }
  function values_of(given) {
    if (given === undefined || given === null) return [];
    return isArray(given) ? given.map(value_of) : [value_of(given)];
  }
  const is_options = (given) => typeof given === 'function' || (given !== null && typeof given === 'object' && !isArray(given) && !is_date(given) && (typeof given.success === 'function' || typeof given.error === 'function'));

  // ── results ──
  const cell = (value) => (isArray(value) ? new Date(value[0]) : value);
  function raw({ meta, rows }) { return { meta, rows: rows.map((row) => row.map(cell)) }; }
  function objects({ meta, rows }) {
    const names = meta.map(({ name }, i) => (name === '' ? `Column${i}` : name));
    return rows.map((row) => {
      const made = {};
      for (let i = 0; i < names.length; i++) defineProperty(made, names[i], { value: cell(row[i]), writable: true, enumerable: true, configurable: true });
      return made;
    });
  }

  // Gives what makes one call's `mssql`.
  return (call) => {
    // One after another: what a script says later happens later.
    function lane() {
      const waiting = [];
      let busy = false;
      const next = () => {
        const start = waiting.shift();
        busy = start !== undefined;
        if (busy) try { start(); } catch (error) { busy = false; throw error; }
      };
      return { enter(start) { waiting.push(start); if (!busy) next(); }, next };
    }

    // `given`: {success, error}, or a function of the driver's kind, (error, result, more). `turn` makes of the answer what each
    // call of it is given.
    function ask(turns, method, args, given, turn) {
      if (given !== undefined && given !== null && typeof given !== 'function' && typeof given !== 'object') throw new Error('The options must be an object or a function.');
      const promised = new Pending(), driver = typeof given === 'function' ? given : undefined, options = driver === undefined ? given ?? {} : {};
      turns.enter(() => call.invoke(method, args, (error, answer) => {
        turns.next();
        if (error !== undefined) {
          const made = failure(error);
          reject(promised, made);
          if (driver !== undefined) return driver(made);
          if (typeof options.error === 'function') return options.error(made);
          if (looked_at(promised)) return undefined;
          throw made;
        }
        const results = turn(answer);
        resolve(promised, results.length === 1 ? results[0] : results);
        results.forEach((result, i) => {
          if (driver !== undefined) driver(null, result, i + 1 < results.length);
          else options.success?.(result);
        });
        return undefined;
      }));
      return promised;
    }
    function query_by(turns, connection, shape, none) {
      return (sql, params, given) => {
        if (typeof sql !== 'string') throw new Error('The SQL must be text.');
        if (given === undefined && is_options(params)) { given = params; params = undefined; }
        const args = { sql, values: values_of(params) };
        if (connection !== undefined) args.connection = connection();
        return ask(turns, 'mssql.query', args, given, (answer) => (answer.sets.length === 0 ? [none()] : answer.sets.map(shape)));
      };
    }
    const queries_of = (turns, connection) => ({
      query: query_by(turns, connection, objects, () => []),
      queryRaw: query_by(turns, connection, raw, () => ({ meta: [], rows: [] })),
    });

    function connection_of(number) {
      const turns = lane();
      let closed = false;
      const open = () => { if (closed) throw new Error('The connection is closed.'); return number; };
      const say = (method) => (given) => ask(turns, method, { connection: open() }, given, () => [undefined]);
      return {
        ...queries_of(turns, open),
        beginTransaction: say('mssql.begin'), commit: say('mssql.commit'), rollback: say('mssql.rollback'),
        close(given) {
          const args = { connection: open() };
          closed = true;
          return ask(turns, 'mssql.close', args, given, () => [undefined]);
        },
      };
    }

    const turns = lane();
    return {
      ...queries_of(turns, undefined),
      // As the driver's, a first argument that is text names a database: there is but one.
      open: (...args) => ask(turns, 'mssql.open', {}, args.find((each) => typeof each !== 'string'), (answer) => [connection_of(answer.connection)]),
    };
  };
}
