var express = require('express'),
  azureMobileApps = require('azure-mobile-apps');

var app = express(),
  mobileApp = azureMobileApps();

mobileApp.tables.import('./tables');
mobileApp.api.import('./api');

mobileApp.tables.initialize().then(function () {
  app.use(mobileApp);
  app.listen(process.env.PORT || 3000);
});
