// npm azure-mobile-apps 4.0.2, unmodified, with its SQLite provider, in memory or in a file: what the V2 dialect is compared with. Prints its port.
'use strict';
const {createRequire} = require('node:module');
const express = createRequire(require.resolve('azure-mobile-apps'))('express');  // the one it brings
const azureMobileApps = require('azure-mobile-apps');

const mobile = azureMobileApps({
  homePage: false,
  data: {provider: 'sqlite', filename: process.argv[3] ?? ':memory:'},
  auth: {secret: process.argv[2]},
  logging: false,
  pageSize: 50,
});
mobile.tables.add('items', {softDelete: true});
mobile.tables.add('loose', {});
mobile.tables.add('hard', {});
mobile.tables.add('mine', {softDelete: true, perUser: true, access: 'authenticated'});
mobile.tables.add('typed', {dynamicSchema: false, columns: {text: 'string', n: 'number', done: 'boolean', at: 'date'}});

const app = express();
app.use(mobile);
mobile.tables.initialize().then(() => {
  const listener = app.listen(0, '127.0.0.1', () => console.log(listener.address().port));
});
