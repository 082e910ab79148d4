// One app for both servers: npm azure-mobile-apps runs it as it is, Mandate takes its folder.
var express = require('express'),
  azureMobileApps = require('azure-mobile-apps');

var app = express(),
  mobile = azureMobileApps({ homePage: false, logging: false, data: { provider: 'sqlite', filename: ':memory:' }, auth: { secret: process.env.OPINION_KEY } });

mobile.tables.import('./tables');
mobile.api.import('./api');
mobile.tables.add('inline', { seed: [{ id: '1', text: 'first' }, { id: '2', text: 'second' }] });

mobile.tables.initialize().then(function () {
  app.use(mobile);
  app.listen(process.env.PORT || 3000);
});
