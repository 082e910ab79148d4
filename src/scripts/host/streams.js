// streams: what packages need of Node's streams: bytes or objects handed on, one after the other, by pipe or by hand.

function streams({ EventEmitter, load }) {
  const { Array, Error, Object, Promise, Symbol } = globalThis;
  const Buffer = load('Buffer');
  const soon = (fn) => { void Promise.resolve().then(fn); };
  const inherit = (made, from, methods) => {
    Object.setPrototypeOf(made.prototype, from.prototype);
    Object.setPrototypeOf(made, from);
    for (const name of Reflect.ownKeys(methods)) Object.defineProperty(made.prototype, name, { value: methods[name], writable: true, configurable: true });
    return made;
  };
  const bytes = (chunk, encoding) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);

  const Stream = inherit(function Stream() { EventEmitter.call(this); }, EventEmitter, {
    pipe(to, options) {
      this.on('data', (chunk) => { if (to.write(chunk) === false && typeof this.pause === 'function') this.pause(); });
      to.on('drain', () => { if (typeof this.resume === 'function') this.resume(); });
      if (options?.end !== false) this.on('end', () => to.end());
      to.emit('pipe', this);
      if (typeof this.resume === 'function') this.resume();
      return to;
    },
  });

  const reading = {
    push(chunk, encoding) {
      const state = this._readableState;
      if (chunk === null) state.ended = true;
      else state.queue.push(state.objectMode ? chunk : bytes(chunk, encoding));
      state.asked = false;
      if (state.flowing) soon(() => this._flow());
      else this.emit('readable');
      return state.queue.length < 16;
    },
    unshift(chunk) { this._readableState.queue.unshift(chunk); },
    read() {
      const state = this._readableState, { queue } = state;
      if (queue.length === 0) {
        if (state.ended) this._finish_reading(); else this._ask();
        return null;
      }
      const chunk = state.objectMode ? queue.shift() : Buffer.concat(queue.splice(0));
      if (state.ended && queue.length === 0) soon(() => this._finish_reading()); else this._ask();
      return state.encoding === undefined || state.objectMode ? chunk : chunk.toString(state.encoding);
    },
    _ask() {
      const state = this._readableState;
      if (state.asked || state.ended || this.destroyed) return;
      state.asked = true;
      soon(() => { if (!state.ended && !this.destroyed) try { this._read(16384); } catch (error) { this.destroy(error); } });
    },
    _flow() {
      const state = this._readableState;
      while (state.flowing && state.queue.length > 0 && !this.destroyed) {
        const chunk = state.queue.shift();
        this.emit('data', state.encoding === undefined || state.objectMode ? chunk : chunk.toString(state.encoding));
      }
      if (!state.flowing || state.queue.length > 0 || this.destroyed) return;
      if (state.ended) this._finish_reading(); else this._ask();
    },
    _finish_reading() {
      const state = this._readableState;
      if (state.done) return;
      state.done = true;
      this.readable = false;
      this.emit('end');
      if (this._writableState === undefined || this._writableState.finished) this.emit('close');
    },
    _read() {},
    on(name, fn) {
      EventEmitter.prototype.on.call(this, name, fn);
      if (name === 'data' && this._readableState.flowing !== false) this.resume();
      else if (name === 'readable') this._ask();
      return this;
    },
    resume() { this._readableState.flowing = true; soon(() => this._flow()); return this; },
    pause() { this._readableState.flowing = false; return this; },
    isPaused() { return this._readableState.flowing === false; },
    setEncoding(encoding) { this._readableState.encoding = encoding ?? 'utf8'; return this; },
    unpipe() { return this.pause(); },
    async* [Symbol.asyncIterator]() {
      const chunks = [];
      let wake, over = false, failed;
      const tell = () => { wake?.(); };
      this.on('data', (chunk) => { chunks.push(chunk); tell(); }).on('end', () => { over = true; tell(); }).on('error', (error) => { failed = error; tell(); });
      for (;;) {
        if (chunks.length > 0) yield chunks.shift();
        else if (failed !== undefined) throw failed;
        else if (over) return;
        else await new Promise((go) => { wake = go; });
      }
    },
  };
  reading.addListener = reading.on;
  const writing = {
    write(chunk, encoding, done) {
      const state = this._writableState, told = typeof encoding === 'function' ? encoding : done;
      if (state.ending) {
        const error = new Error('write after end');
        soon(() => { told?.(error); this.destroy(error); });
        return false;
      }
      state.queue.push({ chunk: state.objectMode ? chunk : bytes(chunk, typeof encoding === 'string' ? encoding : undefined), encoding: typeof encoding === 'string' ? encoding : 'utf8', done: told });
      this._work();
      return state.queue.length < 16;
    },
    end(chunk, encoding, done) {
      const told = [chunk, encoding, done].find((each) => typeof each === 'function');
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk, encoding);
      if (told !== undefined) this.once('finish', told);
      this._writableState.ending = true;
      this._work();
      return this;
    },
    _work() {
      const state = this._writableState;
      if (state.busy || this.destroyed) return;
      const next = state.queue.shift();
      if (next === undefined) {
        if (!state.ending || state.finished) return;
        state.finished = true;
        const finish = (error) => (error ? this.destroy(error) : soon(() => { this.writable = false; this.emit('finish'); if (this._readableState === undefined) this.emit('close'); }));
        const last = () => (typeof this._final === 'function' ? this._final(finish) : finish());
        return this._flush_last === undefined ? last() : this._flush_last((error) => (error ? finish(error) : last()));
      }
      state.busy = true;
      let told = false;
      const done = (error) => {
        if (told) return;
        told = true;
        soon(() => {
          state.busy = false;
          next.done?.(error);
          if (error) return this.destroy(error);
          if (state.queue.length === 0) this.emit('drain');
          return this._work();
        });
      };
      try { this._write(next.chunk, next.encoding, done); } catch (error) { this.destroy(error); }
    },
    _write(chunk, encoding, done) { done(); },
    cork() {}, uncork() {}, setDefaultEncoding() { return this; },
  };
  const ending = {
    destroy(error) {
      if (this.destroyed) return this;
      this.destroyed = true;
      const close = (failed) => soon(() => { if (failed ?? error) this.emit('error', failed ?? error); this.emit('close'); });
      if (typeof this._destroy === 'function') this._destroy(error ?? null, close); else close();
      return this;
    },
  };
  const readable_state = (self, options) => {
    self.readable = true;
    self._readableState = { queue: [], flowing: null, ended: false, done: false, asked: false, objectMode: !!(options?.objectMode ?? options?.readableObjectMode), encoding: options?.encoding };
    if (typeof options?.read === 'function') self._read = options.read;
  };
  const writable_state = (self, options) => {
    self.writable = true;
    self._writableState = { queue: [], busy: false, ending: false, finished: false, objectMode: !!(options?.objectMode ?? options?.writableObjectMode) };
    if (typeof options?.write === 'function') self._write = options.write;
    if (typeof options?.final === 'function') self._final = options.final;
  };
  const own = (made) => function Made(options) { if (!(this instanceof Made)) return new Made(options); Stream.call(this); this.destroyed = false; if (typeof options?.destroy === 'function') this._destroy = options.destroy; made(this, options); return undefined; };

  const Readable = inherit(own(readable_state), Stream, { ...reading, ...ending });
  const Writable = inherit(own(writable_state), Stream, { ...writing, ...ending });
  const both = (self, options) => { readable_state(self, options); writable_state(self, options); };
  const Duplex = inherit(own(both), Readable, writing);
  const changing = {
    _transform(chunk, encoding, done) { done(null, chunk); },
    _write(chunk, encoding, done) { this._transform(chunk, encoding, (error, out) => { if (!error && out !== undefined && out !== null) this.push(out); done(error); }); },
    _flush_last(done) {
      const end = (error, out) => { if (!error) { if (out !== undefined && out !== null) this.push(out); this.push(null); } done(error); };
      if (typeof this._flush === 'function') this._flush(end); else end();
    },
  };
  const Transform = inherit(own((self, options) => {
    both(self, options);
    if (typeof options?.transform === 'function') self._transform = options.transform;
    if (typeof options?.flush === 'function') self._flush = options.flush;
  }), Duplex, changing);
  const PassThrough = inherit(own(both), Transform, {});

  Readable.from = (list, options) => {
    const out = new Readable({ objectMode: true, ...options });
    const go = async () => { for await (const each of list) out.push(each); out.push(null); };
    go().catch((error) => out.destroy(error));
    return out;
  };
  const finished = (stream, done) => {
    let told = false;
    const tell = (error) => { if (!told) { told = true; done(error); } };
    stream.on('end', () => tell()).on('finish', () => tell()).on('error', tell);
    return () => { told = true; };
  };
  const pipeline = (...all) => {
    const done = typeof all[all.length - 1] === 'function' ? all.pop() : () => {}, list = all.flat();
    let told = false;
    const tell = (error) => { if (!told) { told = true; done(error); } };
    for (const each of list) each.on('error', tell);
    list.reduce((from, to) => from.pipe(to));
    finished(list[list.length - 1], tell);
    return list[list.length - 1];
  };
  return Object.assign(Stream, { Stream, Readable, Writable, Duplex, Transform, PassThrough, pipeline, finished });
}
