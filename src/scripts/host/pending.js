// pending: the promise that execute() and the calls of tables give. It knows whether anybody looks at it: what nobody
// looks at costs no real promise, and an error that nobody looks at fails the call.

function pendings() {
  'use strict';
  const { Object, Promise } = globalThis;
  const then = Promise.prototype.then;
  const kWaiting = 0, kGood = 1, kBad = 2;
  let settle, looked_at;

  class Pending {
    #state = kWaiting;
    #value = undefined;
    #promise = undefined;
    #tell = undefined;

    then(good, bad) {
      this.#promise ??= new Promise((resolve, reject) => {
        if (this.#state === kGood) resolve(this.#value);
        else if (this.#state === kBad) reject(this.#value);
        else this.#tell = { resolve, reject };
      });
      return then.call(this.#promise, good, bad);
    }

    static {
      looked_at = (pending) => pending.#promise !== undefined;
      settle = (pending, good, value) => {
        if (pending.#state !== kWaiting) return;
        pending.#state = good ? kGood : kBad;
        pending.#value = value;
        const tell = pending.#tell;
        if (tell === undefined) return;
        if (good) tell.resolve(value); else tell.reject(value);
      };
    }
  }
  // A promise to whoever asks, with catch and finally.
  Object.setPrototypeOf(Pending.prototype, Promise.prototype);
  Object.defineProperty(Pending.prototype, 'constructor', { value: Promise });
  Object.freeze(Pending.prototype);
  return { Pending, resolve: (pending, value) => settle(pending, true, value), reject: (pending, error) => settle(pending, false, error), looked_at };
}
