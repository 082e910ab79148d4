// request: the state machine of execute and respond (5.3).

function requests({ Query, Pending, resolve, reject, looked_at, plain, merge, failure, options, shape, own_lines }) {
  const { Array, Error, Number, Object, String } = globalThis;
  const kOptions = {
    read: { success: 'function', error: 'function', systemProperties: 'list', includeDeleted: 'boolean' },
    insert: { success: 'function', error: 'function', systemProperties: 'list' },
    update: { success: 'function', error: 'function', conflict: 'function', systemProperties: 'list' },
    del: { success: 'function', error: 'function', conflict: 'function', systemProperties: 'list' },
  };

  // Once per execute(), when the tick's promises have had their turn, so that it is known whether anybody awaits it.
  async function soon(act) {
    await undefined;
    await undefined;
    if (act.call.ended) return;
    try { act.flush(); } catch (error) { act.call.fail(error); }
  }

  // What one request is about. Scripts hold only the object that request() makes.
  class Act {
    constructor(call, subject) {
      this.call = call;
      this.subject = subject;     // the item, the query or the id
      this.executed = false;      // execute was called and may not be called again
      this.responded = false;     // the answer is chosen: by the script, or by default
      this.spoke = false;         // the script chose it
      this.chosen = undefined;    // respond(status, body) of the same tick as execute()
      this.plan = undefined;      // what the coming flush executes
      this.fallback = undefined;  // the default answer that waits for respond()
      this.error = undefined;     // what storage said, when it refused
    }

    // ── what the script calls ──
    execute(given) {
      const { call, subject } = this, { operation, id } = call.context;
      if (call.ended || this.responded) throw new Error('Execute cannot be called after respond.');
      if (this.executed) throw new Error('Execute cannot be called more than once.');
      const chosen = options(given, kOptions[operation]);
      if (operation === 'update' && subject.id !== id) {
        const error = new Error(`The script changed the item's id from '${id}' to '${subject.id}'.`);
        call.fail(error);
        throw error;
      }
      this.executed = true;
      const promised = new Pending();
      this.plan = { given: chosen, promised };
      void soon(this);
      return promised;
    }
    respond(count, status, body) {
      const { call } = this;
      if (this.spoke) throw new Error('Respond cannot be called more than once.');
      if (call.ended || this.responded) return call.console('warn', 'request.respond was called after the answer had been sent.');
      if (count === 0) {
        if (this.fallback === undefined) throw new Error('Execute must be called before respond.');
        this.spoke = true;
        return this.answer_by_default();
      }
      const outcome = this.outcome_of(status, body);
      this.responded = this.spoke = true;
      if (this.plan !== undefined) this.chosen = outcome;
      else call.answer(outcome);
      return undefined;
    }
    outcome_of(status, body) {
      if (typeof status === 'number' && Number.isInteger(status) && status >= 100 && status <= 599) return { answer: body === undefined ? { status } : { status, body: plain(body) } };
      if (status instanceof Error || (status !== null && typeof status === 'object' && typeof status.message === 'string')) {
        const given = status.statusCode;
        return { error: { statusCode: Number.isInteger(given) && given >= 400 && given <= 599 ? given : 500, message: String(status.message), stack: own_lines(String(status.stack ?? '')).slice(0, 20000) } };
      }
      throw new Error('The first argument of respond must be a status code or an error.');
    }

    // ── towards storage ──
    // What storage needs to know, as the script left it.
    arguments_of(given) {
      const out = shape(given), { operation } = this.call.context;
      if (operation === 'read') out.query = Query.wire(this.subject);
      else if (operation !== 'del') out.item = plain(this.subject);
      return out;
    }
    flush() {
      const { call, plan, chosen } = this;
      if (plan === undefined || call.ended) return;
      this.plan = undefined;
      const { given, promised } = plan;
      const looks = given.success || given.error || given.conflict || looked_at(promised) || call.running || (call.context.operation === 'read' && Query.projectionOf(this.subject));
      if (!looks) {
        this.responded = true;
        const outcome = { execute: this.arguments_of(given) };
        if (chosen !== undefined) Object.assign(outcome, chosen);
        return call.answer(outcome);
      }
      call.invoke('request.execute', this.arguments_of(given), (error, value) => {
        if (error) return this.refused(given, promised, failure(error));
        if (value.conflict !== undefined) return this.conflicting(given, promised, value.conflict);
        return this.done(given, promised, value);
      });
      if (chosen !== undefined) {
        this.chosen = undefined;
        call.answer(chosen);
      }
      return undefined;
    }

    // ── and back ──
    done(given, promised, value) {
      const { call, subject } = this, { operation } = call.context;
      let result;
      if (operation === 'read') {
        const { totalCount } = value, projection = Query.projectionOf(subject);
        result = value.results;
        if (projection && Array.isArray(result)) result = result.map((row) => projection.call(row));
        if (totalCount !== undefined) Object.defineProperty(result, 'totalCount', { value: totalCount, enumerable: false, writable: true, configurable: true });
        this.fallback = () => ({ default: totalCount === undefined ? { results: plain(result) } : { results: plain(result), totalCount } });
      } else if (value.item !== undefined && operation !== 'del') {
        merge(subject, value.item);
        this.fallback = () => ({ default: { item: plain(subject) } });
      } else {
        this.fallback = () => ({ default: {} });
      }
      resolve(promised, operation === 'read' ? result : operation === 'del' ? undefined : subject);
      if (!given.success) this.answer_unless_watched(promised);
      else if (operation === 'read') call.run(given.success, result);
      else call.run(given.success);
    }
    refused(given, promised, error) {
      this.fallback = () => ({ defaultError: true });
      this.error = error;
      reject(promised, error);
      if (given.error) this.call.run(given.error, error);
      else this.answer_unless_watched(promised);
    }
    conflicting(given, promised, item) {
      const error = failure({ code: 'precondition_failed', statusCode: 412, message: 'The item was changed by somebody else.', item });
      if (!given.conflict) return this.refused(given, promised, error);
      this.fallback = () => ({ defaultError: true });
      if (this.call.context.operation === 'update' && item !== null && typeof item === 'object' && item.__version !== undefined) this.subject.__version = item.__version;
      this.executed = false;
      reject(promised, error);
      return this.call.run(given.conflict, item);
    }
    answer_unless_watched(promised) {
      if (!looked_at(promised) && !this.responded && !this.call.ended) this.answer_by_default();
    }
    answer_by_default() {
      this.responded = true;
      this.call.answer(this.fallback());
    }

    // An async script came to its end: what it left open is answered by default.
    over(error) {
      const { call } = this;
      if (call.ended) return undefined;
      if (error !== undefined) {
        if (error !== this.error || this.responded) return call.fail(error);
        this.responded = true;
        return call.answer({ defaultError: true });
      }
      if (!this.responded && this.fallback !== undefined && this.plan === undefined && !call.waiting?.size) return this.answer_by_default();
      return call.settle();
    }
  }

  function request_of(act) {
    const { context } = act.call;
    return {
      operation: context.operation,
      parameters: context.parameters ?? {},
      systemProperties: context.systemProperties ?? [],
      includeDeleted: context.includeDeleted === true,
      undelete: context.undelete === true,
      execute(given) { return act.execute(given); },
      respond(status, body) { return act.respond(arguments.length, status, body); },
    };
  }
  return { Act, request_of };
}
