// routing: which route of a custom API a path means, who may take it, and what its body holds.

function routing(Buffer) {
  const { Array, Object, RegExp, String, decodeURIComponent } = globalThis;

  /// "/a/:x/:y?/*" or an expression → how a path is matched, case aside, a last slash allowed.
  function pattern_of(path) {
    if (path instanceof RegExp) return { test: path, names: [] };
    if (Array.isArray(path)) {
      const all = path.map(pattern_of);
      return { match: (given) => { for (const each of all) { const found = match(each, given); if (found) return found; } return undefined; } };
    }
    const names = [];
    let text = '';
    for (const part of String(path).match(/\/?:\w+(\([^)]*\))?\??|\*|[^:*]/g) ?? []) {
      const named = /^(\/?):(\w+)(\([^)]*\))?(\?)?$/.exec(part);
      if (named) {
        names.push(named[2]);
        const one = named[3] ? `(${named[3].slice(1, -1)})` : '([^/]+?)';
        text += named[4] ? `(?:${named[1]}${one})?` : `${named[1]}${one}`;
      } else if (part === '*') { names.push(names.length); text += '(.*)'; } else text += part.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
    }
    return { test: new RegExp(`^${text.replace(/\/$/, '')}/?$`, 'i'), names };
  }
  function match(pattern, path) {
    if (pattern.match) return pattern.match(path);
    const found = pattern.test.exec(path);
    if (found === null) return undefined;
    const params = [];
    let star = 0;
    for (let i = 1; i < found.length; ++i) {
      const name = pattern.names[i - 1];
      let value = found[i];
      if (value !== undefined) try { value = decodeURIComponent(value); } catch { /* stays as it came */ }
      if (typeof name === 'string') params[name] = value; else params[star++] = value;
    }
    return params;
  }

  // ── permissions ──
  const trimmed = (path) => `/${String(path).replace(/^\/+|\/+$/g, '')}`.toLowerCase();
  /// What the API's own JSON file asks for a route. Where it is named, the words for all routes do not count; what is not
  /// listed is for administrators.
  function level_of(permissions, path, verb) {
    const wanted = trimmed(path);
    const named = Object.keys(permissions).find((route) => route !== '*' && trimmed(route) === wanted) ?? '*';
    const verbs = Object.hasOwn(permissions, named) ? permissions[named] : {};
    return verbs[verb] ?? verbs['*'] ?? 'admin';
  }
  function proves(proved, level) {
    switch (level) {
      case 'public': return true;
      case 'application': return proved.application === true;
      case 'user': case 'authenticated': return proved.user === true;
      default: return false;
    }
  }
  function may({ permissions, proved }, route, verb) {
    if (proved === undefined || proved.admin) return true;
    // A route of several paths asks for what each of them asks.
    return [route.path].flat(Infinity).every((path) => proves(proved, level_of(permissions ?? {}, path, verb === 'head' ? 'get' : verb)));
  }

  // ── bodies ──
  /// multipart/form-data: {fields, files}; a file is {name, type, size, data}.
  function parts_of(bytes, type) {
    const named = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type);
    const fields = {}, files = {};
    if (named === null) return { fields, files };
    const mark = Buffer.from(`\r\n--${named[1] ?? named[2]}`), all = Buffer.concat([Buffer.from('\r\n'), bytes]);
    let at = all.indexOf(mark);
    for (let count = 0; at >= 0 && count < 1000; ++count) {
      const from = at + mark.length, next = all.indexOf(mark, from);
      if (next < 0) break;
      const head_end = all.indexOf('\r\n\r\n', from);
      at = next;
      if (head_end < 0 || head_end > next) continue;
      const head = all.toString('utf8', from, head_end), data = all.subarray(head_end + 4, next);
      const name = /content-disposition:[^\r\n]*[;\s]name="([^"]*)"/i.exec(head)?.[1], file = /content-disposition:[^\r\n]*filename="([^"]*)"/i.exec(head)?.[1];
      if (name === undefined) continue;
      const given = file === undefined ? data.toString() : { name: file, type: /content-type:\s*([^\r\n]+)/i.exec(head)?.[1] ?? 'application/octet-stream', size: data.length, data };
      const into = file === undefined ? fields : files;
      Object.defineProperty(into, name, { value: Object.hasOwn(into, name) ? [into[name]].flat().concat(given) : given, writable: true, enumerable: true, configurable: true });
    }
    return { fields, files };
  }
  function body_of(context) {
    if (context.base64 === undefined) return { fields: context.body ?? context.text ?? {}, files: {}, raw: context.text };
    const raw = Buffer.from(context.base64, 'base64'), type = String(context.headers?.['content-type'] ?? '');
    if (/^multipart\/form-data/i.test(type)) return { ...parts_of(raw, type), raw };
    return { fields: raw, files: {}, raw };
  }
  return { pattern_of, match, may, body_of };
}
