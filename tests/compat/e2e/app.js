// The backend that the end-to-end suite of npm azure-mobile-apps-client asks for: its tables and custom APIs, written from what the
// suite's tests send and expect. movies.json comes beside it from the suite's own data (client-suite.test.mjs).
var express = require('express'),
  bodyParser = require('body-parser'),
  azureMobileApps = require('azure-mobile-apps');

var app = express(),
  mobile = azureMobileApps({ homePage: false });

mobile.tables.import('./tables');
mobile.api.import('./api');

mobile.tables.initialize().then(function () {
  app.use(bodyParser.text({ type: 'text/*' }));
  app.use(mobile);
  app.listen(process.env.PORT || 3000);
});
