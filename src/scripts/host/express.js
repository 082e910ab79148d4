// express: the request and response that custom APIs know (5.6), in the words of Express 3.
//
// Context and outcome: service_protocol.h.

function express({ service_of, user_of, load, builtin }) {
  const { pattern_of, match, may, body_of } = routing(load('Buffer'));
  const { Array, Error, JSON, Map, Object, RegExp, String, decodeURIComponent, encodeURIComponent } = globalThis;
  const Buffer = load('Buffer'), { STATUS_CODES } = load('http_words');
  const kVerbs = ['get', 'put', 'post', 'patch', 'delete'];
  const kTypes = { html: 'text/html', text: 'text/plain', txt: 'text/plain', json: 'application/json', xml: 'application/xml', css: 'text/css', js: 'application/javascript', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', svg: 'image/svg+xml', csv: 'text/csv', pdf: 'application/pdf', bin: 'application/octet-stream' };
  const type_of = (name) => (String(name).includes('/') ? String(name) : kTypes[String(name).replace(/^\./, '')] ?? 'application/octet-stream');
  const with_charset = (type) => (/charset=/i.test(type) || !/^(text\/|application\/(json|javascript|xml))/i.test(type) ? type : `${type}; charset=utf-8`);

  // ── routes ──
  const flat = (list) => list.flat(Infinity).map((fn) => {
    if (typeof fn !== 'function') throw new Error('A route takes functions.');
    return fn;
  });

  /// The routes that a file gives. Read once; a file that throws at it is broken for every call.
  const tables_of_routes = new Map();
  function routes_of(exports) {
    const known = tables_of_routes.get(exports);
    if (known !== undefined) return known;
    const routes = [];
    const add = (verb, path, fns) => routes.push({ verb, path, pattern: pattern_of(path), fns: flat(fns) });
    const given = exports !== null && typeof exports === 'object' && exports.default !== null && typeof exports.default === 'object' ? { ...exports.default, ...exports } : exports ?? {};
    for (const verb of kVerbs) {
      const fn = given[verb] ?? (verb === 'delete' ? given.del : undefined);
      if (fn !== undefined) add(verb, '/', [fn]);
    }
    if (given.all !== undefined) add('all', '/', [given.all]);
    if (typeof given.register === 'function') {
      const api = {};
      for (const verb of kVerbs) api[verb] = (path, ...fns) => { add(verb, path, fns); return api; };
      api.del = api.delete;
      api.all = (path, ...fns) => { add('all', path, fns); return api; };
      api.use = (...fns) => { const path = typeof fns[0] === 'string' ? fns.shift() : ''; add('all', `${path.replace(/\/$/, '')}*`, fns); routes[routes.length - 1].passes = true; return api; };
      given.register(api);
    }
    tables_of_routes.set(exports, routes);
    return routes;
  }

  // ── request ──
  const kRequest = {
    get(name) {
      const key = String(name).toLowerCase();
      return key === 'referer' || key === 'referrer' ? this.headers.referer ?? this.headers.referrer : this.headers[key];
    },
    param(name, otherwise) {
      for (const from of [this.params, this.body, this.query]) if (from !== null && typeof from === 'object' && Object.hasOwn(from, name) && from[name] !== undefined) return from[name];
      return otherwise;
    },
    is(type) {
      const given = String(this.headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
      const wanted = type_of(type === 'urlencoded' ? 'application/x-www-form-urlencoded' : type === 'multipart' ? 'multipart/*' : type).toLowerCase();
      return given !== '' && (given === wanted || (wanted.endsWith('/*') && given.startsWith(wanted.slice(0, -1))) || (wanted.startsWith('*/') && given.endsWith(wanted.slice(1))));
    },
    accepts(...types) {
      const list = String(this.headers.accept ?? '*/*').split(',').map((each) => each.split(';')[0].trim().toLowerCase());
      for (const type of types.flat()) {
        const full = type_of(type).toLowerCase();
        if (list.some((each) => each === '*/*' || each === full || (each.endsWith('/*') && full.startsWith(each.slice(0, -1))))) return type;
      }
      return undefined;
    },
  };
  kRequest.header = kRequest.get;

  /// `context`: what was asked, where it is not the call's own.
  function request_of(call, response, context = call.context) {
    const service = service_of(call), { fields, files, raw } = body_of(context);
    const made = Object.create(kRequest);
    Object.assign(made, {
      method: context.method.toUpperCase(), url: context.url, originalUrl: context.base + context.url, baseUrl: context.base, path: context.path, query: context.query ?? {}, params: [], headers: context.headers ?? {}, body: fields,
      protocol: context.protocol ?? 'https', secure: context.protocol !== 'http', ip: context.ip, ips: [], host: String(context.headers?.host ?? '').replace(/:\d+$/, ''), xhr: /^xmlhttprequest$/i.test(context.headers?.['x-requested-with'] ?? ''),
      httpVersion: '1.1', user: user_of(call), service, res: response, rawBody: raw, files, connection: { remoteAddress: context.ip },
      respond: (status, body) => response.answer_with(status, body),
      on() { return made; }, once() { return made; },
    });
    response.req = made;
    return made;
  }

  // ── response ──
  class Response extends builtin('events') {
    #call; #headers = new Map(); #chunks = []; #cookies = [];
    constructor(call) {
      super();
      this.#call = call;
      this.statusCode = 200;
      this.headersSent = this.finished = false;
      this.locals = {};
      this.charset = undefined;
    }
    status(code) { this.statusCode = code; return this; }
    get(name) { return this.#headers.get(String(name).toLowerCase())?.[1]; }
    getHeader(name) { return this.get(name); }
    setHeader(name, value) {
      if (this.finished) throw new Error("Can't set headers after they are sent.");
      const values = Array.isArray(value) ? value.map(String) : [String(value)];
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(String(name))) throw new Error(`'${name}' is not a name that a header can have.`);
      for (const each of values) if (/[^\t\x20-\x7e\x80-\xff]/.test(each)) throw new Error(`The value of header '${name}' has characters that a header cannot have.`);
      this.#headers.set(String(name).toLowerCase(), [String(name), Array.isArray(value) ? values : values[0]]);
    }
    /// The fields that stand so far, as an outcome has them.
    fields() {
      const out = [];
      for (const [name, value] of this.#headers.values()) for (const each of Array.isArray(value) ? value : [value]) out.push([name, each]);
      for (const line of this.#cookies) out.push(['Set-Cookie', line]);
      return out;
    }
    removeHeader(name) { this.#headers.delete(String(name).toLowerCase()); }
    set(name, value) {
      if (name !== null && typeof name === 'object') for (const each of Object.keys(name)) this.set(each, name[each]);
      else this.setHeader(name, String(name).toLowerCase() === 'content-type' ? with_charset(String(value)) : value);
      return this;
    }
    header(name, value) { return value === undefined && typeof name === 'string' ? this.get(name) : this.set(name, value); }
    type(name) { return this.set('Content-Type', type_of(name)); }
    contentType(name) { return this.type(name); }
    vary(name) { const was = this.get('Vary'); return this.set('Vary', was === undefined ? name : `${was}, ${name}`); }
    location(url) { return this.set('Location', url === 'back' ? this.req?.get('referer') ?? '/' : url); }
    links(given) { return this.set('Link', Object.keys(given).map((rel) => `<${given[rel]}>; rel="${rel}"`).join(', ')); }
    attachment(name) {
      if (name === undefined) return this.set('Content-Disposition', 'attachment');
      if (!this.get('Content-Type')) this.type(/\.(\w+)$/.exec(name)?.[1] ?? 'bin');
      return this.set('Content-Disposition', `attachment; filename="${String(name).replace(/["\\]/g, '_')}"`);
    }
    cookie(name, value, options = {}) {
      const text = value !== null && typeof value === 'object' ? `j:${JSON.stringify(value)}` : String(value);
      let line = `${encodeURIComponent(name)}=${encodeURIComponent(text)}; Path=${options.path ?? '/'}`;
      if (options.maxAge !== undefined) line += `; Max-Age=${Math.floor(options.maxAge / 1000)}`;
      if (options.expires !== undefined) line += `; Expires=${options.expires.toUTCString()}`;
      if (options.domain !== undefined) line += `; Domain=${options.domain}`;
      if (options.httpOnly) line += '; HttpOnly';
      if (options.secure) line += '; Secure';
      this.#cookies.push(line);
      return this;
    }
    clearCookie(name, options = {}) { return this.cookie(name, '', { ...options, expires: new Date(1) }); }

    send(first, second) {
      let body = first, status;
      if (arguments.length >= 2) [status, body] = typeof first !== 'number' && typeof second === 'number' ? [second, first] : [first, second];
      else if (typeof first === 'number') [status, body] = [first, this.get('Content-Type') ? String(first) : STATUS_CODES[first] ?? String(first)];
      if (status !== undefined) this.statusCode = status;
      if (arguments.length === 1 && typeof first === 'number' && !this.get('Content-Type')) this.type('txt');
      if (Buffer.isBuffer(body)) {
        if (!this.get('Content-Type')) this.type('bin');
      } else if (typeof body === 'string') {
        if (!this.get('Content-Type')) this.type('html');
      } else if (body !== undefined && body !== null) return this.json(body);
      else body = '';
      return this.end(body);
    }
    json(first, second) {
      let body = first;
      if (arguments.length >= 2) {
        if (typeof second === 'number' && typeof first !== 'number') this.statusCode = second;
        else [this.statusCode, body] = [first, second];
      }
      if (!this.get('Content-Type')) this.type('json');
      return this.end(JSON.stringify(body) ?? '');
    }
    jsonp(first, second) { return arguments.length >= 2 ? this.json(first, second) : this.json(first); }
    sendStatus(code) { this.statusCode = code; return this.type('txt').end(STATUS_CODES[code] ?? String(code)); }
    redirect(first, second) {
      const [status, url] = typeof first === 'number' ? [first, second] : typeof second === 'number' ? [second, first] : [302, first];
      this.statusCode = status;
      this.location(url);
      return this.type('txt').end(`${STATUS_CODES[status] ?? status}. Redirecting to ${url}`);
    }
    format(given) {
      const wanted = this.req.accepts(Object.keys(given).filter((key) => key !== 'default'));
      const fn = given[wanted] ?? given.default;
      if (wanted !== undefined) this.type(wanted);
      if (typeof fn === 'function') fn(this.req, this);
      else this.send(406);
      return this;
    }
    render() { throw new Error('Views are not available to custom APIs.'); }
    sendfile() { throw new Error('Files of the server are not available to custom APIs.'); }
    writeHead(status, reason, headers) {
      this.statusCode = status;
      const given = typeof reason === 'object' && reason !== null ? reason : headers;
      for (const name of Object.keys(given ?? {})) this.setHeader(name, given[name]);
      this.headersSent = true;
    }
    write(chunk, encoding) {
      if (this.finished) throw new Error('write after end');
      this.headersSent = true;
      this.#chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk), typeof encoding === 'string' ? encoding : undefined));
      return true;
    }
    end(chunk, encoding) {
      if (this.finished) {
        this.#call.console('warn', 'The response was ended after it had been sent.');
        return this;
      }
      if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
        if (this.#chunks.length === 0 && typeof chunk === 'string' && (encoding === undefined || /^utf-?8$/i.test(encoding))) return this.#post(chunk);
        this.write(chunk, encoding);
      }
      return this.#post(this.#chunks.length === 0 ? '' : Buffer.concat(this.#chunks));
    }
    /// request.respond(status, body): whatever JSON there is, and errors.
    answer_with(status, body) {
      if (status instanceof Error || (status !== null && typeof status === 'object')) {
        const code = Number.isInteger(status.statusCode) ? status.statusCode : 500;
        return code >= 500 ? this.#call.fail(status) : this.json(code, { code, error: String(status.message) });
      }
      if (!Number.isInteger(status)) throw new Error('The first argument of respond must be a status code or an error.');
      return body === undefined ? this.send(status, '') : typeof body === 'string' || Buffer.isBuffer(body) ? this.send(status, body) : this.json(status, body);
    }
    #post(body) {
      const status = Number(this.statusCode);
      if (!Number.isInteger(status) || status < 200 || status > 599) throw new Error(`${this.statusCode} is not a status that an answer can have.`);
      this.emit('header');
      this.headersSent = this.finished = true;
      const out = { status, headers: this.fields() };
      if (typeof body === 'string') out.body = body; else out.base64 = body.toString('base64');
      this.#call.answer(out);
      this.emit('finish');
      return this;
    }
  }

  /// Runs the handlers of the first route that fits, and of the next when one calls next().
  function serve_api(call, exports) {
    const routes = routes_of(exports), { context } = call;
    if (context.probe === true) return call.answer({ status: 204, none: true });
    const verb = context.method.toLowerCase(), path = context.path;
    const fits = [], allowed = new Set();
    for (const route of routes) {
      const params = match(route.pattern, path);
      if (params === undefined) continue;
      if (!route.passes) for (const each of route.verb === 'all' ? kVerbs : [route.verb]) allowed.add(each.toUpperCase());
      if (route.verb === 'all' || route.verb === verb || (verb === 'head' && route.verb === 'get')) fits.push({ ...route, params });
    }
    if (!fits.some((route) => !route.passes)) return call.answer({ status: allowed.size ? 405 : 404, none: true, allow: [...allowed] });
    // Before anything of it runs: middleware too belongs to the route it stands before.
    if (!may(context, fits.find((route) => !route.passes), verb)) return call.answer({ status: 401, none: true });
    const response = new Response(call), request = request_of(call, response);
    const steps = fits.flatMap((route) => route.fns.map((fn) => ({ fn, route })));
    let at = 0;
    const next = (error) => {
      if (error !== undefined && error !== null && error !== 'route') {
        // Handlers of four arguments are for errors.
        while (at < steps.length && steps[at].fn.length !== 4) ++at;
        if (at === steps.length) return call.fail(error instanceof Error ? error : new Error(String(error)));
      } else while (at < steps.length && steps[at].fn.length === 4) ++at;
      if (at === steps.length) {
        if (!response.finished) call.answer({ status: 404, none: true });
        return undefined;
      }
      const { fn, route } = steps[at++];
      if (!route.passes && !may(context, route, verb)) return call.answer({ status: 401, none: true });
      request.params = route.params;
      request.route = { path: route.path, method: route.verb };
      let result;
      try { result = fn.length === 4 ? fn(error, request, response, next) : fn(request, response, next); } catch (thrown) { return next(thrown ?? new Error('The handler threw nothing.')); }
      return result !== null && typeof result === 'object' && typeof result.then === 'function' ? result.then(undefined, (thrown) => next(thrown ?? new Error('The handler was rejected without a reason.'))) : undefined;
    };
    return next();
  }
  return { serve_api, Response, request_of };
}
