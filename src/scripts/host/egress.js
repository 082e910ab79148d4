// egress: http, https, request and fetch of scripts. Each exchange is one `http.fetch` of the parent, which looks where it
// goes; nothing here opens anything.

/// `call_now()` is the call on whose behalf the script acts.
function egress({ call_now, failure, load, EventEmitter }) {
  const { Array, Error, JSON, Map, Object, Promise, String, TypeError, decodeURIComponent, encodeURIComponent } = globalThis;
  const Buffer = load('Buffer'), { URL } = load('url'), { METHODS, STATUS_CODES } = load('http_words');
  const kNoCall = 'A request to another server can only be made while a call is under way.';

  const bytes_of = (data, encoding) => (Buffer.isBuffer(data) ? data : typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data.buffer ?? data));
  // {name: value or values} → [[name, value]]
  function pairs(headers) {
    const out = [];
    if (headers === undefined || headers === null) return out;
    const list = Array.isArray(headers) ? headers : typeof headers.entries === 'function' ? Array.from(headers.entries()) : Object.keys(headers).map((name) => [name, headers[name]]);
    for (const [name, value] of list) {
      if (value === undefined || value === null) continue;
      for (const each of Array.isArray(value) ? value : [value]) out.push([String(name), String(each)]);
    }
    return out;
  }
  const has = (headers, name) => headers.some((pair) => pair[0].toLowerCase() === name);
  // Where a redirect leads elsewhere, what was meant for the first server stays behind.
  const onward = (headers, from, to) => (new URL(from).origin === new URL(to).origin ? headers : headers.filter((pair) => !/^(authorization|cookie|host)$/i.test(pair[0])));

  /// done(error) or done(undefined, {status, headers: [[name, value]], body: Buffer}).
  function exchange(method, url, headers, body, timeout, done) {
    const call = call_now();
    if (call === undefined) throw new Error(kNoCall);
    const args = { method: String(method ?? 'GET').toUpperCase(), url: String(url), headers };
    if (body !== undefined && body.length > 0) args.body = body.toString('base64');
    if (timeout > 0) args.timeout = timeout;
    call.invoke('http.fetch', args, (wire, value) => {
      if (wire === undefined) return done(undefined, { status: value.status, headers: value.headers, body: Buffer.from(value.body ?? '', 'base64') });
      const error = failure(wire);
      error.code = wire.code === 'timeout' ? 'ETIMEDOUT' : wire.message === 'blocked_address' ? 'EACCES' : wire.code === 'upstream_error' ? 'ECONNREFUSED' : wire.code;
      if (wire.message === 'blocked_address') error.message = 'Scripts may not reach that address.';
      return done(error);
    });
  }
  // Node's form: lower-case names, several values joined, set-cookie a list.
  function object_of(list) {
    const out = {};
    for (const [name, value] of list) {
      const key = name.toLowerCase();
      if (key === 'set-cookie') (out[key] ??= []).push(value);
      else out[key] = Object.hasOwn(out, key) ? `${out[key]}, ${value}` : value;
    }
    return out;
  }

  // ── http, https ──
  const methods_of = (base, more) => { for (const name of Object.keys(more)) Object.defineProperty(base.prototype, name, { value: more[name], writable: true, configurable: true }); };
  function inherit(made) {
    Object.setPrototypeOf(made.prototype, EventEmitter.prototype);
    return made;
  }
  const IncomingMessage = inherit(function IncomingMessage(got) {
    EventEmitter.call(this);
    this.statusCode = got.status;
    this.statusMessage = STATUS_CODES[got.status] ?? '';
    this.headers = object_of(got.headers);
    this.rawHeaders = got.headers.flat();
    this.httpVersion = '1.1';
    this.readable = true;
    this._encoding = undefined;
    this._body = got.body;
  });
  methods_of(IncomingMessage, {
    setEncoding(encoding) { this._encoding = encoding ?? 'utf8'; return this; },
    pipe(to) {
      this.on('data', (chunk) => to.write(chunk));
      this.on('end', () => { if (to !== undefined && typeof to.end === 'function') to.end(); });
      return to;
    },
    resume() { return this; }, pause() { return this; }, destroy() { return this; },
    _deliver() {
      if (this._body.length > 0) this.emit('data', this._encoding === undefined ? this._body : this._body.toString(this._encoding));
      this.readable = false;
      this.complete = true;
      this.emit('end');
      this.emit('close');
    },
    [Symbol.asyncIterator]() {
      let given = this._body.length === 0;
      return { next: () => { const first = !given; given = true; return Promise.resolve(first ? { value: this._encoding === undefined ? this._body : this._body.toString(this._encoding), done: false } : { value: undefined, done: true }); } };
    },
  });
  const ClientRequest = inherit(function ClientRequest(url, options, listener) {
    EventEmitter.call(this);
    this.method = String(options.method ?? 'GET').toUpperCase();
    this._url = url;
    this._headers = new Map(pairs(options.headers).map(([name, value]) => [name.toLowerCase(), [name, value]]));
    if (options.auth !== undefined && !this._headers.has('authorization')) this._headers.set('authorization', ['Authorization', `Basic ${Buffer.from(String(options.auth)).toString('base64')}`]);
    this._chunks = [];
    this._timeout = options.timeout ?? 0;
    this._ended = this.aborted = false;
    if (typeof listener === 'function') this.once('response', listener);
  });
  methods_of(ClientRequest, {
    setHeader(name, value) { this._headers.set(String(name).toLowerCase(), [String(name), value]); return this; },
    getHeader(name) { return this._headers.get(String(name).toLowerCase())?.[1]; },
    removeHeader(name) { this._headers.delete(String(name).toLowerCase()); },
    setTimeout(ms, fn) { this._timeout = ms; if (typeof fn === 'function') this.once('timeout', fn); return this; },
    setNoDelay() { return this; }, setSocketKeepAlive() { return this; }, flushHeaders() {},
    write(chunk, encoding, done) {
      if (this._ended) throw new Error('write after end');
      this._chunks.push(bytes_of(chunk, typeof encoding === 'string' ? encoding : undefined));
      const fn = typeof encoding === 'function' ? encoding : done;
      if (typeof fn === 'function') fn();
      return true;
    },
    end(chunk, encoding) {
      if (this._ended) return this;
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk, encoding);
      this._ended = true;
      exchange(this.method, this._url, pairs(Array.from(this._headers.values())), Buffer.concat(this._chunks), this._timeout, (error, got) => {
        if (this.aborted) return;
        if (error !== undefined) {
          if (error.code === 'ETIMEDOUT' && this.listenerCount('timeout') > 0) this.emit('timeout');
          this.emit('error', error);
          return;
        }
        const message = new IncomingMessage(got);
        message.req = this;
        this.emit('response', message);
        message._deliver();
      });
      return this;
    },
    abort() { this.aborted = true; },
    destroy() { this.aborted = true; return this; },
  });
  function node_client(scheme) {
    function address(options) {
      const protocol = options.protocol ?? `${scheme}:`, host = options.hostname ?? options.host ?? 'localhost';
      const port = options.port === undefined || options.port === null || String(host).includes(':') ? '' : `:${options.port}`;
      return `${protocol}//${host}${port}${options.path ?? options.pathname ?? '/'}`;
    }
    function request(first, second, third) {
      const by_url = typeof first === 'string' || (first !== null && typeof first === 'object' && typeof first.href === 'string' && typeof first.searchParams === 'object');
      const options = by_url ? (typeof second === 'object' && second !== null ? second : {}) : first;
      if (options === null || typeof options !== 'object') throw new TypeError('The options must be an object or a URL.');
      const listener = by_url ? (typeof second === 'function' ? second : third) : second;
      return new ClientRequest(by_url ? String(first.href ?? first) : address(options), options, listener);
    }
    function Agent() {}
    return { request, get: (...args) => request(...args).end(), Agent, globalAgent: new Agent(), METHODS, STATUS_CODES, IncomingMessage, ClientRequest };
  }

  // ── request ──
  function with_query(url, given) {
    if (given === undefined || given === null) return url;
    const text = Object.keys(given).map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(given[name])}`).join('&');
    return text === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${text}`;
  }
  function request(first, second, third) {
    const options = typeof first === 'string' ? { ...(typeof second === 'object' ? second : {}), url: first } : { ...first };
    const done = [second, third, options.callback].find((each) => typeof each === 'function');
    const url = with_query(String(options.uri?.href ?? options.uri ?? options.url?.href ?? options.url ?? ''), options.qs);
    const headers = pairs(options.headers);
    const lacks = (name, value) => { if (!has(headers, name.toLowerCase())) headers.push([name, value]); };
    let body = options.body;
    if (options.form !== undefined) {
      body = typeof options.form === 'string' ? options.form : with_query('', options.form).slice(1);
      lacks('Content-Type', 'application/x-www-form-urlencoded');
    } else if (options.json !== undefined && options.json !== false) {
      lacks('Accept', 'application/json');
      if (options.json !== true) body = options.json;
      if (body !== undefined) {
        if (typeof body !== 'string' || options.json !== true) body = JSON.stringify(body);
        lacks('Content-Type', 'application/json');
      }
    }
    if (options.auth !== undefined) {
      const { user, username, pass, password, bearer } = options.auth;
      lacks('Authorization', bearer !== undefined ? `Bearer ${typeof bearer === 'function' ? bearer() : bearer}` : `Basic ${Buffer.from(`${user ?? username ?? ''}:${pass ?? password ?? ''}`).toString('base64')}`);
    }
    const emitter = new EventEmitter();
    emitter.abort = () => { emitter.aborted = true; };
    emitter.pipe = (to) => { emitter.on('data', (chunk) => to.write(chunk)); emitter.on('end', () => to.end?.()); return to; };
    let jumps = options.followRedirect === false ? 0 : options.maxRedirects ?? 10;
    const call = call_now();
    function go(method, where, data, with_headers) {
      exchange(method, where, with_headers, data, options.timeout ?? 0, (error, got) => {
        if (emitter.aborted) return undefined;
        if (error !== undefined) {
          if (emitter.listenerCount('error') > 0) emitter.emit('error', error);
          if (done) return done.call(emitter, error);
          if (emitter.listenerCount('error') === 0) throw error;
          return undefined;
        }
        const location = got.headers.find((pair) => pair[0].toLowerCase() === 'location')?.[1];
        const follows = location !== undefined && [301, 302, 303, 307, 308].includes(got.status) && (options.followAllRedirects || ['GET', 'HEAD', 'OPTIONS'].includes(method));
        if (follows && jumps-- > 0) {
          const same = got.status === 307 || got.status === 308, next = new URL(location, where).href;
          return go(same || method === 'HEAD' ? method : 'GET', next, same ? data : undefined, onward(with_headers, where, next));
        }
        const message = new IncomingMessage(got);
        message.request = { uri: { href: where }, method };
        let content = options.encoding === null ? got.body : got.body.toString(options.encoding ?? 'utf8');
        if (options.json !== undefined && options.json !== false && options.encoding !== null) try { content = JSON.parse(content); } catch { /* stays text */ }
        message.body = content;
        emitter.emit('response', message);
        if (got.body.length > 0) emitter.emit('data', got.body);
        emitter.emit('end');
        emitter.emit('complete', message, content);
        return done?.call(emitter, null, message, content);
      });
    }
    if (call === undefined) throw new Error(kNoCall);
    go(String(options.method ?? 'GET').toUpperCase(), url, body === undefined || body === null ? undefined : bytes_of(body), headers);
    return emitter;
  }
  for (const name of ['get', 'head', 'post', 'put', 'patch', 'del', 'delete']) {
    request[name] = (first, second, third) => {
      const method = (name === 'del' ? 'delete' : name).toUpperCase();
      if (typeof first !== 'string') return request({ ...first, method }, second);
      return typeof second === 'function' || second === undefined ? request({ url: first, method }, second) : request({ ...second, url: first, method }, third);
    };
  }
  request.defaults = (given) => {
    const made = (first, second, third) => request(typeof first === 'string' ? { ...given, ...(typeof second === 'object' ? second : {}), url: first } : { ...given, ...first }, typeof second === 'function' ? second : third);
    for (const name of ['get', 'head', 'post', 'put', 'patch', 'del', 'delete']) made[name] = (first, second, third) => request[name](typeof first === 'string' ? { ...given, ...(typeof second === 'object' ? second : {}), url: first } : { ...given, ...first }, typeof second === 'function' ? second : third);
    return made;
  };

  // ── fetch ──
  class Headers {
    #list = [];
    constructor(given) { for (const [name, value] of pairs(given)) this.append(name, value); }
    append(name, value) { this.#list.push([String(name).toLowerCase(), String(value)]); }
    set(name, value) { this.delete(name); this.append(name, value); }
    delete(name) { const key = String(name).toLowerCase(); this.#list = this.#list.filter((pair) => pair[0] !== key); }
    get(name) { const key = String(name).toLowerCase(), found = this.#list.filter((pair) => pair[0] === key); return found.length ? found.map((pair) => pair[1]).join(', ') : null; }
    has(name) { return this.get(name) !== null; }
    forEach(fn) { for (const [name, value] of this.#list) fn(value, name, this); }
    entries() { return this.#list.map((pair) => [...pair])[Symbol.iterator](); }
    keys() { return this.#list.map((pair) => pair[0])[Symbol.iterator](); }
    values() { return this.#list.map((pair) => pair[1])[Symbol.iterator](); }
    [Symbol.iterator]() { return this.entries(); }
  }
  class Response {
    #body;
    constructor(got, url) {
      this.status = got.status;
      this.ok = got.status >= 200 && got.status < 300;
      this.statusText = STATUS_CODES[got.status] ?? '';
      this.headers = new Headers(got.headers);
      this.url = url;
      this.bodyUsed = false;
      this.#body = got.body;
    }
    #take() {
      if (this.bodyUsed) throw new TypeError('The body has been read already.');
      this.bodyUsed = true;
      return this.#body;
    }
    async text() { return this.#take().toString(); }
    async json() { return JSON.parse(this.#take().toString()); }
    async buffer() { return this.#take(); }
    async arrayBuffer() { const body = this.#take(); return body.buffer.slice(body.byteOffset, body.byteOffset + body.length); }
  }
  function fetch(where, options = {}) {
    return new Promise((good, bad) => {
      const headers = pairs(options.headers);
      let { body } = options;
      if (body !== undefined && body !== null && typeof body === 'object' && typeof body.append === 'function') {
        body = String(body);
        if (!has(headers, 'content-type')) headers.push(['Content-Type', 'application/x-www-form-urlencoded;charset=UTF-8']);
      } else if (typeof body === 'string' && !has(headers, 'content-type')) headers.push(['Content-Type', 'text/plain;charset=UTF-8']);
      let jumps = 20;
      const go = (method, url, data, with_headers) => exchange(method, url, with_headers, data, 0, (error, got) => {
        if (error !== undefined) {
          const failed = new TypeError(`fetch failed: ${error.message}`);
          failed.cause = error;
          return bad(failed);
        }
        const location = got.headers.find((pair) => pair[0].toLowerCase() === 'location')?.[1];
        if (location === undefined || ![301, 302, 303, 307, 308].includes(got.status) || options.redirect === 'manual') return good(new Response(got, url));
        if (options.redirect === 'error' || jumps-- === 0) return bad(new TypeError('fetch failed: redirected'));
        const same = got.status === 307 || got.status === 308, next = new URL(location, url).href;
        return go(same || method === 'HEAD' ? method : 'GET', next, same ? data : undefined, onward(with_headers, url, next));
      });
      go(String(options.method ?? 'GET').toUpperCase(), String(where?.href ?? where?.url ?? where), body === undefined || body === null ? undefined : bytes_of(body), headers);
    });
  }
  return { http: node_client('http'), https: node_client('https'), request, fetch, Headers };
}
