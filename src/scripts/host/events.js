// events: EventEmitter, and streams as far as clients of HTTP need them.

function emitters() {
  'use strict';
  const { Array, Error, Map, Object, TypeError } = globalThis;

  // Its state is kept beside the object, under one name, so that objects which only inherit from it work too.
  function EventEmitter() { EventEmitter.init.call(this); }
  EventEmitter.init = function init() {
    if (!Object.hasOwn(this, '_events')) Object.defineProperty(this, '_events', { value: new Map(), writable: true, enumerable: false, configurable: true });
  };
  const listeners = (emitter, name) => {
    EventEmitter.init.call(emitter);
    return emitter._events.get(name) ?? [];
  };
  function add(emitter, name, fn, once, first) {
    if (typeof fn !== 'function') throw new TypeError('The listener must be a function.');
    const list = listeners(emitter, name), entry = { fn, once };
    if (name !== 'newListener' && emitter._events.has('newListener')) emitter.emit('newListener', name, fn);
    emitter._events.set(name, first ? [entry, ...list] : [...list, entry]);
    return emitter;
  }
  const methods = {
    on(name, fn) { return add(this, name, fn, false, false); },
    addListener(name, fn) { return add(this, name, fn, false, false); },
    once(name, fn) { return add(this, name, fn, true, false); },
    prependListener(name, fn) { return add(this, name, fn, false, true); },
    prependOnceListener(name, fn) { return add(this, name, fn, true, true); },
    removeListener(name, fn) {
      const list = listeners(this, name), at = list.findLastIndex((entry) => entry.fn === fn);
      if (at < 0) return this;
      const left = list.toSpliced === undefined ? list.filter((_, i) => i !== at) : list.toSpliced(at, 1);
      if (left.length) this._events.set(name, left); else this._events.delete(name);
      return this;
    },
    removeAllListeners(name) {
      EventEmitter.init.call(this);
      if (name === undefined) this._events.clear(); else this._events.delete(name);
      return this;
    },
    emit(name, ...args) {
      const list = listeners(this, name);
      if (list.length === 0) {
        if (name !== 'error') return false;
        throw args[0] instanceof Error || (args[0] !== null && typeof args[0] === 'object' && 'message' in args[0]) ? args[0] : new Error(`Unhandled error. (${args[0]})`);
      }
      for (const entry of list) {
        if (entry.once) this.removeListener(name, entry.fn);
        entry.fn.apply(this, args);
      }
      return true;
    },
    listeners(name) { return listeners(this, name).map((entry) => entry.fn); },
    listenerCount(name) { return listeners(this, name).length; },
    eventNames() { EventEmitter.init.call(this); return Array.from(this._events.keys()); },
    setMaxListeners() { return this; },
    getMaxListeners() { return 10; },
  };
  methods.off = methods.removeListener;
  for (const name of Object.keys(methods)) Object.defineProperty(EventEmitter.prototype, name, { value: methods[name], writable: true, enumerable: false, configurable: true });
  EventEmitter.EventEmitter = EventEmitter;
  EventEmitter.defaultMaxListeners = 10;
  EventEmitter.listenerCount = (emitter, name) => listeners(emitter, name).length;
  return EventEmitter;
}
