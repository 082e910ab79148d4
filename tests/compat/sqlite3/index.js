// The part of npm sqlite3 that azure-mobile-apps uses: cached.Database(file).all(sql, parameters, callback).
'use strict';
const {Database: Wasm} = require('node-sqlite3-wasm');

class Database {
  constructor(filename) { this.inner = new Wasm(filename); }

  all(sql, parameters, callback) {
    let error = null, rows;
    try {
      // The original passes over parameters that the text does not name.
      const named = Object.fromEntries(Object.entries(parameters).filter(([name]) => new RegExp(`${name}\\b`).test(sql)).map(([name, value]) => [name, storable(value)]));
      rows = this.inner.all(sql, named);
    } catch (thrown) {
      error = Object.assign(new Error(thrown.message), {code: /constraint/i.test(thrown.message) ? 'SQLITE_CONSTRAINT' : 'SQLITE_ERROR'});
    }
    setImmediate(callback, error, rows);
  }
}

const storable = (value) => (value === undefined ? null : value instanceof Date ? value.getTime() : value);

const open = new Map();
function cached(filename) {
  if (!open.has(filename)) open.set(filename, new Database(filename));
  return open.get(filename);
}

module.exports = {Database, cached: {Database: cached}};
