// hooks: extensions/startup.js, extensions/push.js (5.1), and tables' hooks in their modern spelling.

function hooks({ service_of, user_of, request_of, tables_of, push_of, words }) {
  const { Error, Object, Promise, String } = globalThis;
  const { plain, merge } = words;
  const kWords = { read: 'Read', insert: 'Insert', update: 'Update', del: 'Delete' };
  const is_function = (value) => typeof value === 'function';
  const given_by = (exports, name) => exports?.[name] ?? exports?.default?.[name];

  // N1's app is Express itself; nothing of a server is there to be changed.
  function app_of(call) {
    const say = (name) => () => call.console('warn', `app.${name} is not available to extensions.`);
    return Object.fromEntries(['use', 'get', 'post', 'put', 'patch', 'delete', 'all', 'set', 'engine', 'param'].map((name) => [name, say(name)]));
  }

  async function startup(call, exports, done) {
    const fn = given_by(exports, 'startup') ?? (is_function(exports) ? exports : undefined);
    if (!is_function(fn)) return done();
    const result = fn({ ...service_of(call), app: app_of(call) }, done);
    if (fn.length >= 2 && !is_function(result?.then)) return undefined;
    await result;
    return done();
  }

  // done(error or text) refuses the registration.
  async function register(call, exports) {
    const fn = given_by(exports, 'register');
    const { registration } = call.context;
    if (!is_function(fn)) return call.answer({});
    await new Promise((good, bad) => {
      const done = (refusal) => {
        if (call.answered || call.ended) return good();
        if (refusal === undefined || refusal === null) call.answer({ registration: plain(registration) });
        else call.answer({ refused: String(refusal?.message ?? refusal).slice(0, 1000) });
        return good();
      };
      const result = fn(registration, { ...service_of(call), user: user_of(call) }, done);
      if (is_function(result?.then)) result.then(() => done(), bad);
      else if (fn.length < 3) done();
    });
    return undefined;
  }

  /// What a hook gets: the row or the query of the act, who asks, and execute(), which does what is asked.
  function context_of(call, act, next) {
    const { context } = call, request = request_of(act);
    const out = {
      operation: context.operation === 'del' ? 'delete' : context.undelete === true ? 'undelete' : context.operation, table: tables_of(call).current, id: context.id, user: user_of(call), parameters: request.parameters,
      ...service_of(call), execute: (options) => next(options), respond: (status, body) => (status === undefined ? act.respond(0) : act.respond(2, status, body)), result: undefined,
    };
    if (context.operation === 'read') out.query = act.subject;
    else if (context.operation !== 'del') out.item = act.subject;
    return out;
  }
  const refusal = (act) => act.responded || act.call.ended;

  async function act(call, made, exports) {
    const { operation, undelete } = call.context;
    const word = undelete === true && (given_by(exports, 'beforeUndelete') || given_by(exports, 'afterUndelete')) ? 'Undelete' : kWords[operation];
    const before = given_by(exports, `before${word}`), after = given_by(exports, `after${word}`), around = given_by(exports, operation === 'del' ? 'delete' : operation) ?? given_by(exports, operation);
    call.patient = false;
    call.running = true;
    const ctx = context_of(call, made, (options) => made.execute(options));
    try {
      if (is_function(before)) await before(ctx);
      if (refusal(made)) return over(call, made);
      if (is_function(around)) ctx.result = await around(ctx);
      else if (!made.executed && !is_function(after)) {
        // Nobody looks at the result: it goes back with the answer.
        made.execute();
        return over(call, made);
      } else if (!made.executed) ctx.result = await made.execute();
      if (refusal(made)) return over(call, made);
      if (is_function(after)) await after(ctx);
      if (!refusal(made) && made.executed) return finish(call, made, ctx);
      if (!refusal(made) && ctx.result !== undefined) made.respond(2, 200, ctx.result);
      return over(call, made);
    } catch (error) {
      call.running = false;
      return made.over(error ?? new Error('The hook was rejected without a reason.'));
    }
  }
  function over(call, made) {
    call.running = false;
    made.flush();
    return made.over();
  }
  // The rows or the item as hooks left them.
  function finish(call, made, ctx) {
    const { operation } = call.context;
    if (operation === 'read' && ctx.result !== undefined && made.fallback !== undefined) {
      const { totalCount } = made.fallback().default ?? {}, { result } = ctx;
      made.fallback = () => ({ default: totalCount === undefined ? { results: plain(result) } : { results: plain(result), totalCount } });
    } else if (operation !== 'del' && ctx.result !== null && typeof ctx.result === 'object' && ctx.result !== made.subject) merge(made.subject, ctx.result);
    return over(call, made);
  }

  return { startup, register, act };
}
