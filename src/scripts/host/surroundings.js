// surroundings: console, timers, user and the status codes, as a script finds them around it.

function surroundings(format) {
  'use strict';
  const { Error, Object } = globalThis;
  const { keys } = Object;

  const statusCodes = Object.freeze({
    OK: 200, CREATED: 201, ACCEPTED: 202, NO_CONTENT: 204, MOVED_PERMANANTLY: 301, FOUND: 302, NOT_MODIFIED: 304, BAD_REQUEST: 400, UNAUTHORIZED: 401, FORBIDDEN: 403, NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405, CONFLICT: 409, GONE: 410, PRECONDITION_FAILED: 412, REQUEST_ENTITY_TOO_LARGE: 413, INTERNAL_SERVER_ERROR: 500, BAD_GATEWAY: 502, SERVICE_UNAVAILABLE: 503,
  });

  function console_of(call) {
    const out = {};
    for (const level of ['log', 'info', 'warn', 'error']) out[level] = (...args) => call.console(level, format(args));
    out.debug = out.log;
    return out;
  }

  function timers_of(call) {
    const stop = (id) => call.stop_timer(id);
    return {
      setTimeout: (fn, ms, ...args) => call.start_timer(false, fn, ms, args), setInterval: (fn, ms, ...args) => call.start_timer(true, fn, ms, args), setImmediate: (fn, ...args) => call.start_timer(false, fn, 0, args),
      clearTimeout: stop, clearInterval: stop, clearImmediate: stop,
    };
  }

  class User {
    #call;
    #identities;
    constructor(call, given) {
      this.level = given.level;
      this.userId = given.userId;
      this.#call = call;
      this.#identities = given.identities ?? null;
    }
    getIdentities(callback) {
      if (callback === undefined) return this.#identities;
      const success = typeof callback === 'function' ? (value) => callback(null, value) : callback?.success;
      if (typeof success !== 'function') throw new Error('getIdentities takes a function or an object with success and error.');
      this.#call.start_timer(false, () => success(this.#identities), 0, []);
      return undefined;
    }
    get accessTokens() {
      const out = {};
      for (const key of keys(this.#identities ?? {})) if (this.#identities[key]?.accessToken !== undefined) out[key] = this.#identities[key].accessToken;
      return out;
    }
  }
  Object.defineProperty(User.prototype, 'constructor', { value: Object });
  Object.freeze(User.prototype);

  return { statusCodes, console_of, timers_of, user_of: (call) => new User(call, call.context.user ?? {}) };
}
