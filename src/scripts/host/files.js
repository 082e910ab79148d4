// files: one version of a service's code: what is where, what `require` means by a name, and where a line once stood.

/// `texts(name)` gives the text of a script that came by itself, for its source map.
function bundles(texts) {
  'use strict';
  const { SourceMap } = require('node:module');
  const { Buffer } = require('node:buffer');
  const kEndings = ['', '.js', '.json', '.cjs', '.mjs'];
  const folder_of = (path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

  /// "a/b/../c" → "a/c"; undefined for what climbs out of the service's folder.
  function normal(path) {
    const out = [];
    for (const each of path.split('/')) {
      if (each === '' || each === '.') continue;
      if (each !== '..') out.push(each);
      else if (out.pop() === undefined) return undefined;
    }
    return out.join('/');
  }
  const join = (folder, path) => normal(folder === '' ? path : `${folder}/${path}`);

  // bundle = length of the index u32 · index {"version","files":{path:[offset,bytes]}} · the files, one after the other
  class Bundle {
    #bytes; #at; #files; #any_case; #packages = new Map(); #maps = new Map();
    constructor(bytes) {
      const length = bytes.readUInt32LE(0), index = JSON.parse(bytes.utf8Slice(4, 4 + length));
      this.#bytes = bytes;
      this.#at = 4 + length;
      this.version = index.version;
      this.#files = new Map(Object.entries(index.files));
      // The services of old ran where the case of a file's name is nothing.
      this.#any_case = new Map([...this.#files.keys()].reverse().map((path) => [path.toLowerCase(), path]));
    }
    /// The file of that name as it is spelt.
    find(path) {
      if (path === undefined) return undefined;
      return this.#files.has(path) ? path : this.#any_case.get(path.toLowerCase());
    }
    /// The files below a folder, "shared/".
    under(folder) { return [...this.#files.keys()].filter((path) => path.startsWith(folder)); }
    text(path) {
      const place = this.#files.get(path);
      if (place === undefined) return undefined;
      const from = this.#at + place[0];
      const bom = place[1] >= 3 && this.#bytes[from] === 0xef && this.#bytes[from + 1] === 0xbb && this.#bytes[from + 2] === 0xbf ? 3 : 0;
      return this.#bytes.utf8Slice(from + bom, from + place[1]);
    }

    #package(folder) {
      if (!this.#packages.has(folder)) {
        let found;
        const path = this.find(join(folder, 'package.json'));
        if (path !== undefined) try { found = JSON.parse(this.text(path)); } catch { /* none that can be read */ }
        this.#packages.set(folder, found !== null && typeof found === 'object' ? found : undefined);
      }
      return this.#packages.get(folder);
    }
    #as_file(path) {
      if (path === undefined) return undefined;
      for (const ending of kEndings) {
        const found = this.find(path + ending);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    #as_folder(path) {
      if (path === undefined) return undefined;
      const main = this.#package(path)?.main;
      const named = typeof main === 'string' ? join(path, main) : undefined;
      return (named ? this.#as_file(named) ?? this.#as_file(`${named}/index`) : undefined) ?? this.#as_file(path === '' ? 'index' : `${path}/index`);
    }
    // What "exports" says of one way in: text, a list to choose from, or conditions in their order.
    #target(given, conditions, star) {
      if (typeof given === 'string') return star === undefined ? given : given.replaceAll('*', star);
      if (Array.isArray(given)) {
        for (const each of given) {
          const found = this.#target(each, conditions, star);
          if (found !== undefined) return found;
        }
      } else if (given !== null && typeof given === 'object') {
        for (const key of Object.keys(given)) {
          if (key !== 'default' && !conditions.includes(key)) continue;
          const found = this.#target(given[key], conditions, star);
          if (found !== undefined) return found;
        }
      }
      return undefined;
    }
    #exported(exports, way, conditions) {
      const keys = exports !== null && typeof exports === 'object' && !Array.isArray(exports) ? Object.keys(exports) : [];
      if (!keys.some((key) => key.startsWith('.'))) return way === '.' ? this.#target(exports, conditions) : undefined;
      if (Object.hasOwn(exports, way)) return this.#target(exports[way], conditions);
      let best, rest;
      for (const key of keys) {
        const star = key.indexOf('*');
        if (star < 0) continue;
        const head = key.slice(0, star), tail = key.slice(star + 1);
        if (!way.startsWith(head) || !way.endsWith(tail) || way.length < head.length + tail.length || (best !== undefined && best.indexOf('*') >= star)) continue;
        best = key;
        rest = way.slice(head.length, way.length - tail.length);
      }
      return best === undefined ? undefined : this.#target(exports[best], conditions, rest);
    }
    #in_package(folder, rest, conditions) {
      const exports = this.#package(folder)?.exports;
      if (exports === undefined || exports === null) return rest === '' ? this.#as_folder(folder) : this.#as_file(join(folder, rest)) ?? this.#as_folder(join(folder, rest));
      const target = this.#exported(exports, rest === '' ? '.' : `./${rest}`, conditions);
      return target === undefined ? undefined : this.find(join(folder, target));
    }
    /// The file that `name` means in the file `from`, as Node finds it; undefined when there is none.
    resolve(from, name, imported = false) {
      const conditions = imported ? ['import', 'node', 'module-sync'] : ['require', 'node'];
      const folder = folder_of(from);
      if (/^\.\.?(\/|$)/.test(name) || name.startsWith('/')) {
        const path = name.startsWith('/') ? normal(name) : join(folder, name);
        return (name.endsWith('/') ? undefined : this.#as_file(path)) ?? this.#as_folder(path);
      }
      const [, base, rest] = /^((?:@[^/]+\/)?[^/]+)\/?(.*)$/.exec(name) ?? [];
      if (base === undefined) return undefined;
      for (let at = folder; ; at = folder_of(at)) {
        if (at !== 'node_modules' && !at.endsWith('/node_modules')) {
          const home = at === '' ? `node_modules/${base}` : `${at}/node_modules/${base}`;
          const found = this.#in_package(home, rest, conditions) ?? (rest === '' ? this.#as_file(home) : undefined);
          if (found !== undefined) return found;
        }
        if (at === '') return undefined;
      }
    }
    /// By its name and its package; a text may still turn out to be one.
    is_module(path) {
      if (path.endsWith('.mjs')) return true;
      if (!path.endsWith('.js')) return false;
      for (let at = folder_of(path); ; at = folder_of(at)) {
        const found = this.#package(at);
        if (found !== undefined) return found.type === 'module';
        if (at === '' || at.endsWith('node_modules')) return false;
      }
    }

    #map(path) {
      if (!this.#maps.has(path)) {
        let made;
        try { made = this.#read_map(path); } catch { /* no map that can be read: the lines stay as they are */ }
        this.#maps.set(path, made);
      }
      return this.#maps.get(path);
    }
    #read_map(path) {
      const text = this.text(path) ?? texts(`/${path}`);
      if (text === undefined) return undefined;
      const at = text.lastIndexOf('//# sourceMappingURL=');
      const url = at < 0 ? undefined : /^\S*/.exec(text.slice(at + 21))[0];
      const inline = url === undefined ? null : /^data:application\/json[^,]*?(;base64)?,(.*)$/.exec(url);
      const beside = inline ? path : this.find(url === undefined ? `${path}.map` : join(folder_of(path), decodeURIComponent(url)));
      if (beside === undefined) return undefined;
      const found = inline ? (inline[1] ? Buffer.from(inline[2], 'base64').toString() : decodeURIComponent(inline[2])) : this.text(beside);
      const payload = JSON.parse(found);
      return { map: new SourceMap(payload), folder: folder_of(beside), root: payload.sourceRoot ?? '' };
    }
    /// A stack with the places of the texts that people wrote.
    mapped(stack) {
      return stack.replace(/(\n {4}at [^\n]*?)\/([^\s():]+):(\d+):(\d+)/g, (all, before, path, line, column) => {
        const found = this.#map(path);
        const entry = found?.map.findEntry(line - 1, column - 1);
        if (typeof entry?.originalSource !== 'string') return all;
        const source = entry.originalSource.replace(/^(webpack|file):\/\/(\/)?/, '');
        const place = source.startsWith('/') ? normal(source) : join(found.folder, source) ?? source.replace(/^(\.\.?\/)+/, '');
        return `${before}/${place}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
      });
    }
  }
  return Bundle;
}
