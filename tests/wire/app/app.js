// An app as its quickstart made it.
var express = require('express'),
  azureMobileApps = require('azure-mobile-apps');

var app = express(),
  mobileApp = azureMobileApps({ homePage: true });

mobileApp.tables.import('./tables');
mobileApp.api.import('./api');
mobileApp.tables.add('Inline', { seed: [{ id: '1', text: 'first' }, { id: '2', text: 'second' }] });

app.use('/api', function (req, res, next) {
  res.set('X-Before', req.path);
  next();
});

mobileApp.tables.initialize().then(function () {
  app.use(mobileApp);
  app.use(function (req, res) { res.status(404).send('There is nothing here'); });
  app.listen(process.env.PORT || 3000);
});
