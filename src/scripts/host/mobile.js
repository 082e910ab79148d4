// mobile: requests on the tables and APIs of an app of the second generation (5.10): its context, its middleware, its answer.
//
// Context and outcome: service_protocol.h.

function mobile({ host, words, entry, load_file, load, console, replace, push_of, reaches_devices, is_coded, plain_builtin, Response, request_of }) {
  const { Array, Error, JSON, Object, Promise, String, WeakMap } = globalThis;
  const { Query, plain } = words;
  const Buffer = load('Buffer');
  const kWords = { read: 'read', insert: 'insert', update: 'update', del: 'delete' };
  const asked_of = ({ asked, table }) => asked ?? { method: 'get', url: '/', base: `/tables/${table}`, path: '/', headers: {} };
  const turns = new WeakMap();   // request → what answers it
  const turn_of = (req) => turns.get(req) ?? { operations: (next) => next(), operate: (next) => next() };
  const app = apps({ host, load: load_file, console, Query, turn_of, plain_builtin });
  const data = app_data({ Query, plain, failure: words.failure, mssql_of: words.mssql_of, load, format: host.format });
  function find(name) {
    const out = app.table(name);
    if (out === undefined && is_coded(name)) throw missing(name);
    return out ?? { name: String(name), middleware: {}, operations: {} };
  }
  const missing = (name) => new Error(`The app did not add the table '${name}' when it was loaded, as it did when it was deployed.`);

  // ── the app's main file, loaded once ──
  let loaded, loading, rested;
  function ready(main) {
    if (loaded === main) return undefined;
    if (loading !== undefined) return loading;
    app.begin(main);
    rested = undefined;
    const given = entry(main), over = () => { loading = undefined; };
    const load_all = async () => {
      await given;
      // What it does when its tables are "initialized" is part of it.
      for (let turn = 0; turn < 20; ++turn) await undefined;
      loaded = main;
    };
    loading = load_all();
    loading.then(over, over);
    return loading;
  }

  // ── the context ──
  function claims_of(token) {
    try { return JSON.parse(Buffer.from(String(token).split('.')[1], 'base64').toString()); } catch { return {}; }
  }
  /// As /.auth/me has it: {provider: {user_id, access_token, claims …}}. Scripts of the first generation said "microsoft".
  function identities_of(given) {
    const out = {};
    for (const key of Object.keys(given ?? {})) {
      const { userId, accessToken, accessTokenSecret, ...claims } = given[key] ?? {}, provider = key === 'microsoft' ? 'microsoftaccount' : key;
      out[provider] = { provider_name: provider, user_id: userId, access_token: accessToken, access_token_secret: accessTokenSecret, claims, user_claims: Object.keys(claims).map((typ) => ({ typ, val: claims[typ] })) };
    }
    return out;
  }
  function user_for(call, headers) {
    const { userId, identities } = call.context.user ?? {};
    if (userId === undefined) return undefined;
    const token = headers['x-zumo-auth'] ?? String(headers.authorization ?? '').replace(/^bearer /i, '');
    return {
      id: userId, token, claims: { sub: userId, ...claims_of(token) },
      getIdentity: async (provider) => {
        const all = identities_of(identities);
        return provider === undefined ? all : Object.hasOwn(all, provider) ? { [provider]: all[provider] } : {};
      },
    };
  }
  function context_of(call, req, res) {
    const context = { req, res, configuration: app.settings(), logger: app.logger, user: user_for(call, req.headers) };
    // As there it was: none where no hub is. Made for those who ask.
    let push;
    Object.defineProperty(context, 'push', { get: () => (reaches_devices() ? push ??= hub(push_of(call, true)) : undefined), enumerable: true, configurable: true });
    context.data = data.data_of(call, context, find);
    context.tables = (name) => data.access(call, find(name), context);
    req.azureMobile = context;
    return context;
  }

  // ── middleware ──
  /// What app.js puts before `own` on the way to `kind` ("tables", "api"), each told the address as it is where it was added.
  function on_the_way(req, kind, context, own) {
    const { base, path, url } = context, cut = Math.max(base.lastIndexOf(`/${kind}/`), 0), { steps, place } = app.steps_at(base.slice(cut));
    if (steps.length === 0) return own;
    const whole = place + base.slice(cut) + (path === '/' ? '' : path), query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
    const stand = (at) => {
      req.baseUrl = base.slice(0, cut) + whole.slice(place.length, at);
      req.path = whole.slice(at) || '/';
      req.url = req.path + query;
    };
    const told = steps.map(({ fn, at }) => (fn.length === 4 ? (error, _, res, next) => { stand(at); return fn(error, req, res, next); } : (_, res, next) => { stand(at); return fn(req, res, next); }));
    return [...told, (_, __, next) => { stand(whole.length - (path === '/' ? 0 : path.length)); next(); }, ...own];
  }
  /// Calls each in its turn; done(error) after the last. `idle()`: one went on neither now nor by a promise.
  function chain(fns, req, res, done, idle) {
    let at = 0;
    const step = (error) => {
      const failed = error !== undefined && error !== null && error !== 'route';
      while (at < fns.length && (fns[at].length === 4) !== failed) ++at;
      if (at >= fns.length) return done(failed ? error : undefined);
      const fn = fns[at++];
      let gone = false;
      const next = (given) => {
        if (gone) return undefined;
        gone = true;
        return step(given);
      };
      let result;
      try { result = failed ? fn(error, req, res, next) : fn(req, res, next); } catch (thrown) { return next(thrown ?? new Error('The middleware threw nothing.')); }
      if (typeof result?.then === 'function') result.then(() => { if (!gone) idle(); }, (thrown) => next(thrown ?? new Error('The middleware was rejected without a reason.')));
      else if (!gone) idle();
      return undefined;
    };
    step();
  }

  // ── tables ──
  /// The table whose code is to stand around the operation. It had some when it was deployed: where it has none now, perhaps as
  /// app.js adds it on conditions, the operation is not done without.
  const proven = new WeakMap();  // definition → words
  function own_table(name, word) {
    const out = app.table(name);
    if (out !== undefined && proven.get(out)?.includes(word)) return out;
    if (out === undefined) throw missing(name);
    const words = app.code_of(out);
    proven.set(out, words);
    if (!words.includes(word)) throw new Error(`The app has no code for ${word} of the table '${name}', as it had when it was deployed.`);
    return out;
  }
  class Turn {
    constructor(call, made, release) {
      this.call = call;
      this.release = release;
      this.word = call.context.undelete === true ? 'undelete' : kWords[call.context.operation];
      this.definition = own_table(call.context.table, this.word);
      this.kept = undefined;     // what the store gave last: {value}
      this.refusal = undefined;  // or the error that it gave
      this.res = new Response({ answer: (response) => call.answer({ response }), console: (...args) => call.console(...args), fail: (error) => call.fail(error) });
      this.req = request_of(call, this.res, asked_of(call.context));
      turns.set(this.req, this);
      this.context = context_of(call, this.req, this.res);
      this.fill(made);
    }
    fill({ subject }) {
      const { context, call, word } = this, { id, table, dialect } = call.context, tag = /^"(.*)"$/.exec(this.req.headers['if-match'] ?? '');
      if (id !== undefined) {
        context.id = id;
        this.req.params.id = String(id);
      }
      context.table = this.definition;
      context.operation = word;
      context.execute = () => this.execute();
      if (tag !== null) context.version = tag[1];
      if (word === 'insert' || word === 'update') {
        context.item = this.req.body = subject;
        if (tag !== null && word === 'update' && dialect !== 'v1') subject.version = tag[1];
      }
      context.query = word === 'read' ? subject : word === 'insert' ? undefined : new Query(table, null);
      if (context.query === undefined || id === undefined || word === 'update') return;
      context.query.id = id;
      context.query.single = true;
      if (word !== 'read') context.query.where({ id });
    }
    begin() {
      const { definition, req, res, call } = this, { execute } = definition.middleware;
      const own = execute?.length > 0 ? execute : [definition.execute ?? ((_, __, next) => this.operations(next))];
      chain(on_the_way(req, 'tables', asked_of(call.context), own), req, res, (error) => this.end(error), this.release);
    }
    /// What stands around the operation alone; table.execute among middleware.
    operations(next) {
      const { definition, word, req, res } = this, own = definition.middleware[word];
      return new Promise((good) => {
        chain(own?.length > 0 ? own : [definition.operation ?? ((_, __, go) => this.operate(go))], req, res, (error) => { next(error); good(); }, good);
      });
    }
    /// The operation; table.operation among middleware.
    operate(next) {
      const { definition, word, context, res } = this, handler = definition.operations[word];
      this.context.next = next;
      const take = (results) => {
        res.results = results;
        if (!res.headersSent && results !== undefined) next();
      };
      let results;
      try { results = handler === undefined ? this.execute() : handler(context); } catch (thrown) { return next(thrown ?? new Error('The handler threw nothing.')); }
      if (typeof results?.then === 'function') return results.then(take, (thrown) => next(thrown ?? new Error('The handler was rejected without a reason.')));
      return take(results);
    }
    async execute() {
      const { call, context, definition, word } = this;
      this.refusal = undefined;
      const own = { operation: word === 'insert' ? 'create' : word };
      if (context.query !== undefined) own.query = context.query;
      if (word === 'insert' || word === 'update') own.item = context.item;
      return data.around(call, definition, context, own, async (query, item) => {
        const args = {};
        if (word === 'read') args.query = Query.wire(query);
        else if (query !== undefined && Query.wire(query).filter !== '') args.filter = Query.wire(query).filter;
        if (item !== undefined) args.item = plain(item);
        if (query?.includeDeleted) args.includeDeleted = true;
        let value;
        try { value = await data.ask(call, 'request.execute', args); } catch (error) {
          this.refusal = error;
          throw error;
        }
        // A read of one gives a list, too: so the original ran, whatever its pages said.
        const result = value.results === undefined ? value.item : data.rows_of(value);
        if (result === undefined) throw data.error_of('notFound', 'The item does not exist');
        this.kept = { result };
        return result;
      });
    }

    // ── the answer ──
    end(error) {
      const { call, res, word } = this;
      this.release();
      if (call.answered || res.finished) {
        if (error !== undefined) call.console('error', host.format([error]));
        return undefined;
      }
      if (error !== undefined) return this.refuse(error);
      const results = res.results, list = Array.isArray(results), single = word === 'read' && this.context.query?.single === true;
      const given = single && list ? results[0] : results;
      // Which of the two ways a row is not there, the store knows.
      if (!given && single && list && this.kept !== undefined && /^v[34]$/.test(call.context.dialect)) return call.answer({ default: { results: [] } });
      if (!given) return this.refuse(data.error_of('notFound', 'The item does not exist'));
      if (single && typeof given.version === 'string') tag_by(res, given);
      const headers = res.fields();
      // The store's own answer, perhaps with other members: links and tags are made as for any.
      if (this.kept !== undefined && typeof given === 'object' && (word === 'read' && !single ? list : !Array.isArray(given))) {
        const left = word === 'read' ? { results: single ? [given] : plain(given) } : { item: plain(given) };
        if (list && Object.hasOwn(results, 'totalCount')) left.totalCount = results.totalCount;
        return call.answer(headers.length > 0 ? { default: left, headers } : { default: left });
      }
      const body = list && Object.hasOwn(results, 'totalCount') ? { results, count: results.totalCount } : given;
      if (!list && typeof given.version === 'string') tag_by(res, given);
      return res.status(word === 'insert' || word === 'undelete' ? 201 : 200).json(body);
    }
    refuse(error) {
      const { call, res, context } = this;
      // Of an id that is taken the app tells as it made the item, as it always did.
      const taken = error?.duplicate === true && this.word === 'insert' && call.context.dialect === 'v2';
      if (error === this.refusal && !taken) return call.answer({ defaultError: true });
      answer_error(call, res, error, context, (status, message) => call.answer({ error: { statusCode: status, message, stack: '' } }));
      return undefined;
    }
  }

  const tag_by = (res, { version }) => res.set('ETag', `"${version.replace(/["\\]/g, '\\$&')}"`);
  /// What an error of the app's own means: badRequest, notFound, duplicate, concurrency; anything else is 500.
  function answer_error(call, res, error, context, say) {
    const message = String(error?.message ?? (typeof error === 'string' ? error : 'Bad request'));
    if (error?.concurrency && error.item) {
      if (typeof error.item.version === 'string') tag_by(res, error.item);
      return res.status(context.req.headers['if-match'] === undefined ? 409 : 412).json(error.item);
    }
    if (error?.duplicate) return res.status(409).json(context.item ?? { error: message });
    if (error?.badRequest) return say(400, message);
    if (error?.unauthorized) return say(401, 'Unauthorized');
    if (error?.notFound || error?.concurrency) return say(404, 'The item does not exist');
    return call.fail(error ?? new Error('The app was rejected without a reason.'));
  }

  function act(call, made) {
    replace(call, 'unanswered', () => call.fail(new Error('The app gave no answer. Does its handler return what context.execute() gives?')));
    call.patient = true;
    return new Promise((good) => new Turn(call, made, good).begin());
  }

  // ── APIs ──
  function serve_api(call) {
    const { context } = call, { name, method, path, proved } = context, api = app.api(name), verb = method.toLowerCase();
    if (api === undefined) throw new Error(`The app has no API '${name}'.`);
    if (context.probe === true) return call.answer({ status: 204, none: true });
    const meant = app.meant_by(api.definition, verb), handlers = meant === undefined ? undefined : app.handlers_of(api.definition, meant);
    if (handlers === undefined || !/^\/?$/.test(path)) return call.answer({ status: 404, none: true });
    const level = app.level_of(api.definition, meant), res = new Response(call);
    if (level === 'disabled') return res.status(405).send(`Method ${verb} is not allowed`);
    if (level === 'authenticated' && proved !== undefined && !proved.user && !proved.admin) return call.answer({ status: 401, none: true });
    const req = request_of(call, res), around = context_of(call, req, res);
    const say = (status, message) => res.status(status).json({ error: message });
    const end = (error) => {
      if (res.finished) { if (error !== undefined) call.console('error', host.format([error])); return undefined; }
      return error === undefined ? call.answer({ status: 404, none: true }) : answer_error(call, res, error, around, say);
    };
    return new Promise((good) => chain(on_the_way(req, 'api', context, handlers), req, res, (error) => { good(); end(error); }, good));
  }

  /// `then` with the app loaded: now, or a turn after its modules are. What it does a turn later is there then, whoever asks
  /// first; and what its promises throw is heard.
  function with_app(call, main, then) {
    if (rested === main && loaded === main) return then();
    const turn = () => new Promise((good) => { call.start_timer(false, good, 0, []); });
    return Promise.resolve(ready(main)).then(turn).then(() => {
      rested = main;
      return call.ended ? undefined : then();
    });
  }
  return {
    builtin: app.builtin,
    act: (call, made) => with_app(call, call.context.script, () => act(call, made)),
    serve_api: (call) => with_app(call, call.context.app, () => serve_api(call)),
    describe: (call) => with_app(call, call.context.app, () => call.answer(app.describe())),
  };
}
