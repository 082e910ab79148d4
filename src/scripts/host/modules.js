// modules: what require gives. Errors of Node's inner classes stay inside: a class object that is not frozen could
// carry something to the next call.

/// `tidy` takes out of a text what only shows that there are two realms.
function modules(tidy) {
  'use strict';
  const util = require('node:util');
  const url = require('node:url');
  const path = require('node:path').posix;
  const querystring = require('node:querystring');
  const crypto = require('node:crypto');
  const { Buffer } = require('node:buffer');
  const zlib = require('node:zlib');
  const { StringDecoder } = require('node:string_decoder');
  const { TextEncoder, TextDecoder, atob, btoa } = globalThis;
  const kMostUnpacked = 16 << 20;
  // Node's http has them too, and takes a Worker longer to load than it is worth.
  const kReasons = {
    100: 'Continue', 101: 'Switching Protocols', 102: 'Processing', 103: 'Early Hints', 200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content',
    205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status', 208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other',
    304: 'Not Modified', 305: 'Use Proxy', 307: 'Temporary Redirect', 308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden',
    404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required',
    412: 'Precondition Failed', 413: 'Payload Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: "I'm a Teapot",
    421: 'Misdirected Request', 422: 'Unprocessable Entity', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required',
    429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway',
    503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage', 508: 'Loop Detected',
    509: 'Bandwidth Limit Exceeded', 510: 'Not Extended', 511: 'Network Authentication Required',
  };
  const wrapped = (fn) => (...args) => {
    try { return fn(...args); } catch (error) {
      const made = new Error(`${error?.message}`);
      if (typeof error?.code === 'string') made.code = error.code;
      throw made;
    }
  };
  const bytes_of = (value, encoding) => (typeof value === 'string' ? Buffer.from(value, encoding) : value);
  const hashing = (made) => {
    const self = { update: wrapped((data, encoding) => { made.update(bytes_of(data, encoding)); return self; }), digest: wrapped((encoding) => (encoding === undefined ? Buffer.from(made.digest()) : made.digest(encoding))) };
    return Object.freeze(self);
  };
  const ciphering = (made) => {
    const self = {
      update: wrapped((data, from, to) => made.update(data, from, to)), final: wrapped((to) => made.final(to)), setAutoPadding: wrapped((on) => { made.setAutoPadding(on); return self; }),
      setAAD: wrapped((data) => { made.setAAD(data); return self; }), setAuthTag: wrapped((tag) => { made.setAuthTag(tag); return self; }), getAuthTag: wrapped(() => made.getAuthTag()),
    };
    return Object.freeze(self);
  };
  const stretch = (password, salt, rounds, length, digest) => {
    if (rounds > 1e6 || length > 1024) throw new Error('pbkdf2 is limited to 1,000,000 rounds and 1024 bytes.');
    return crypto.pbkdf2Sync(password, salt, rounds, length, digest);
  };
  const chance = (count) => {
    if (!(count >= 0 && count <= 65536)) throw new Error('randomBytes gives at most 65536 bytes.');
    return crypto.randomBytes(count);
  };
  const pick = (from, list) => Object.fromEntries(list.map((name) => [name, wrapped((...args) => from[name](...args))]));
  const given = {
    Buffer, buffer: { Buffer },
    util: { format: wrapped((...args) => tidy(util.format(...args))), inspect: wrapped((...args) => tidy(util.inspect(...args))), ...pick(util, ['inherits', 'isDeepStrictEqual', 'isArray', 'isBoolean', 'isNull', 'isNullOrUndefined', 'isNumber', 'isString', 'isUndefined', 'isRegExp', 'isObject', 'isDate', 'isError', 'isFunction', 'isPrimitive'].filter((name) => typeof util[name] === 'function')) },
    url: { ...pick(url, ['parse', 'format', 'resolve']), Url: url.Url, URL: url.URL, URLSearchParams: url.URLSearchParams },
    querystring: pick(querystring, ['parse', 'stringify', 'escape', 'unescape', 'decode', 'encode']),
    path: { ...pick(path, ['join', 'basename', 'dirname', 'extname', 'normalize', 'isAbsolute', 'relative', 'parse', 'format']), sep: '/', delimiter: ':' },
    crypto: {
      createHash: wrapped((name) => hashing(crypto.createHash(name))), createHmac: wrapped((name, key) => hashing(crypto.createHmac(name, key))), getHashes: () => crypto.getHashes(),
      createCipheriv: wrapped((name, key, iv) => ciphering(crypto.createCipheriv(name, key, iv))), createDecipheriv: wrapped((name, key, iv) => ciphering(crypto.createDecipheriv(name, key, iv))),
      randomBytes: wrapped(chance), randomUUID: () => crypto.randomUUID(), timingSafeEqual: wrapped((a, b) => crypto.timingSafeEqual(a, b)), pbkdf2Sync: wrapped(stretch),
    },
    // All at once; what callbacks are for is made where the script is.
    zlib: Object.fromEntries(['gzip', 'gunzip', 'deflate', 'inflate', 'deflateRaw', 'inflateRaw', 'unzip', 'brotliCompress', 'brotliDecompress'].map((name) => [`${name}Sync`, wrapped((data) => zlib[`${name}Sync`](bytes_of(data), { maxOutputLength: kMostUnpacked }))])),
    string_decoder: { StringDecoder },
    http_words: { METHODS: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'], STATUS_CODES: kReasons },
    text: { TextEncoder, TextDecoder, atob: wrapped(atob), btoa: wrapped(btoa) },
    base64: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
  };
  // Buffer and URL are classes and cannot be wrapped; the classes of what they throw are found by making them throw.
  const thrown = [];
  for (const fails of [
    () => Buffer.alloc(-1), () => Buffer.alloc('x'), () => Buffer.from(5), () => Buffer.from('a', 'nosuch'), () => Buffer.alloc(1, 'z', 'hex'), () => Buffer.alloc(2).writeUInt8(300), () => Buffer.alloc(2).readUInt8(9), () => Buffer.alloc(2).readUInt8('x'),
    () => Buffer.alloc(1).readDoubleLE(0), () => Buffer.alloc(3).swap16(), () => Buffer.concat(5), () => Buffer.compare(1, 2), () => Buffer.alloc(1).toString('nosuch'), () => Buffer.from({}), () => Buffer.alloc(1).write(5), () => Buffer.from(new ArrayBuffer(1), 9),
    () => Buffer.from(new ArrayBuffer(1), 0, 9), () => Buffer.alloc(2).fill('', 'hex', 5), () => Buffer.alloc(1).copy(5), () => Buffer.byteLength(5), () => new url.URL('x'), () => new url.URL(), () => new url.URLSearchParams(5), () => new url.URLSearchParams([1]),
    () => new url.URLSearchParams().get(), () => url.URLSearchParams.prototype.get.call({}), () => url.URL.prototype.toString.call({}), () => new url.URLSearchParams({ a: Symbol() }), () => new url.URLSearchParams([[1]]), () => new url.URLSearchParams().forEach(5), () => new url.URL('http://a').searchParams.entries().next.call({}),
  ]) try { fails(); } catch (error) { thrown.push(error); }
  thrown.push(new url.URLSearchParams('a=b').entries(), new url.URL('http://a').searchParams, Buffer.alloc(1), Buffer.from('ab').entries());
  Buffer.poolSize = 0;  // slices of a shared pool would show the neighbour's bytes
  // `thrown` is frozen with the rest: its classes are reached through what scripts catch.
  return { modules: given, thrown };
}
