// npm azure-mobile-apps 4.0.2 on native SQLite, the peer of mobile.mjs: node bench/peer.cjs FILE KEY ROWS PULLED. Prints its port.
// Its rows are put into its own tables by SQL; it would take minutes to take them itself.
'use strict';
const {createRequire} = require('node:module');
const {join} = require('node:path');
const [file, key, rows, pulled] = process.argv.slice(2);
const compat = createRequire(join(__dirname, '../tests/compat/package.json'));

let native = true, open;
try {
  const Native = require(join(__dirname, '../build/bench-peer/node_modules/better-sqlite3'));
  const db = new Native(file);
  // What azure-mobile-apps asks of npm sqlite3, answered without that package's threads: a little faster than the original.
  const statements = new Map();
  const all = (sql, parameters, callback) => {
    let error = null, got = [];
    try {
      let statement = statements.get(sql);
      if (!statement) statements.set(sql, statement = db.prepare(sql));
      const named = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name.slice(1), value === undefined ? null : value instanceof Date ? value.getTime() : typeof value === 'boolean' ? Number(value) : value]));
      if (statement.reader) got = statement.all(named); else statement.run(named);
    } catch (thrown) { error = thrown; }
    setImmediate(callback, error, got);
  };
  require.cache[compat.resolve('sqlite3')] = {id: 'sqlite3', loaded: true, exports: {cached: {Database: function () { return {all}; }}}};
  open = () => db;
} catch (error) {
  native = false;
  console.error(`# no native SQLite for the peer (${error.message.split('\n')[0]}): WebAssembly instead, in memory`);
}

const azureMobileApps = compat('azure-mobile-apps');
const express = createRequire(compat.resolve('azure-mobile-apps'))('express');
const mobile = azureMobileApps({homePage: false, data: {provider: 'sqlite', filename: native ? file : ':memory:'}, auth: {secret: key}, logging: false, pageSize: 50});
const columns = {text: 'string', complete: 'boolean', rank: 'number', userId: 'string'};
for (const name of ['items', 'pulled', 'fresh']) mobile.tables.add(name, {softDelete: true, columns});
const scripted = mobile.table();
scripted.access = 'authenticated';
scripted.softDelete = true;
scripted.columns = columns;
scripted.insert((context) => { context.item.userId = context.user.id; return context.execute(); });
mobile.tables.add('scripted', scripted);

const app = express();
app.use(mobile);
mobile.tables.initialize().then(() => {
  if (native) {
    const db = open();
    const fill = (table, count) => db.prepare(`INSERT INTO ${table} (id, createdAt, updatedAt, version, deleted, text, complete, rank, userId)
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
      SELECT 'row' || i, strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i / 1000.0, 'unixepoch'), strftime('%Y-%m-%dT%H:%M:%fZ', 1700000000 + i / 1000.0, 'unixepoch'), '1', 0, 'row ' || i, i % 2, i, 'sid:ana' FROM n`).run(count);
    for (const table of ['items', 'pulled', 'fresh', 'scripted']) db.exec(`CREATE INDEX ${table}_rank ON ${table} (rank)`);
    fill('items', Number(rows));
    fill('pulled', Number(pulled));
  }
  const listener = app.listen(0, '127.0.0.1', () => console.log(listener.address().port));
});
