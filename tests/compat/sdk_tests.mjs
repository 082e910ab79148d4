// What the tests inside npm azure-mobile-apps-client (sdk/test) stand on, in Node: the few words of QUnit 1 that they use, and
// Cordova's SQLite plugin over SQLite compiled to WebAssembly.
import {isDeepStrictEqual} from 'node:util';
import sqlite from 'node-sqlite3-wasm';

/** QUnit as their framework calls it; run() gives [group, name, failures] of each test. */
export class QUnit {
  #tests = [];
  #group;
  #held = 0;        // stop() without its start()
  #resume;
  #failures = [];

  constructor() {
    for (const name of ['module', 'test', 'ok', 'deepEqual', 'notDeepEqual', 'stop', 'start']) this[name] = this[name].bind(this);
  }
  module(name, hooks) { this.#group = {name, hooks}; }
  test(name, body) { this.#tests.push({group: this.#group, name, body}); }
  ok(holds, message) { if (!holds) this.#failures.push(String(message?.message ?? message ?? 'does not hold')); }
  deepEqual(actual, expected, message) { this.ok(isDeepStrictEqual(actual, expected), `${message ?? ''} ${JSON.stringify(actual)} is not ${JSON.stringify(expected)}`); }
  notDeepEqual(actual, expected, message) { this.ok(!isDeepStrictEqual(actual, expected), `${message ?? ''} is ${JSON.stringify(actual)}`); }
  stop() { ++this.#held; }
  start() { if (--this.#held === 0) setImmediate(() => this.#resume?.()); }

  async #step(action) {
    try { action?.(); } catch (thrown) { this.#failures.push(String(thrown?.stack ?? thrown)); }
    if (this.#held > 0) await new Promise((done) => (this.#resume = done));
  }
  async run() {
    const results = [];
    for (const {group, name, body} of this.#tests) {
      this.#failures = [];
      for (const action of [group.hooks.beforeEach, body, group.hooks.afterEach]) await this.#step(action);
      results.push([group.name, name, this.#failures]);
    }
    return results;
  }
}

/** cordova-sqlite-storage: a database whose transactions come one after the other. */
class Database {
  #inner = new sqlite.Database(':memory:');
  #last = Promise.resolve();

  #run(sql, parameters = []) {
    const rows = this.#inner.all(sql, parameters);
    return {rows: {length: rows.length, item: (at) => rows[at]}};
  }
  transaction(body, failed, done) {
    this.#last = this.#last.then(() => {
      const waiting = [], told = (fn, ...args) => fn && setImmediate(fn, ...args);
      const transaction = {executeSql: (...statement) => waiting.push(statement)};
      this.#run('BEGIN');
      try {
        body(transaction);
        for (let next; (next = waiting.shift());) {
          const [sql, parameters, good, bad] = next;
          let result;
          try { result = this.#run(sql, parameters); } catch (error) {
            if (bad?.(transaction, error) === false) continue;
            throw error;
          }
          good?.(transaction, result);
        }
        this.#run('COMMIT');
      } catch (error) {
        this.#run('ROLLBACK');
        return told(failed, error);
      }
      told(done);
    });
  }
  executeSql(sql, parameters, done, failed) {
    let result;
    this.transaction((transaction) => transaction.executeSql(sql, parameters, (_, got) => (result = got)), failed, () => done?.(result));
  }
  sqlBatch(statements, done, failed) {
    this.transaction((transaction) => { for (const each of statements) transaction.executeSql(...[each].flat()); }, failed, done);
  }
  close(done) { this.#last = this.#last.then(() => { this.#inner.close(); setImmediate(done); }); }
}

export const sqlitePlugin = {
  openDatabase: (_, done) => { const database = new Database(); setImmediate(done, database); return database; },
};
