var table = module.exports = require('azure-mobile-apps').table();

table.read.use(table.operation, function (req, res, next) {
  res.set('X-Rows', String(res.results.length));
  next();
});
table.update.access = 'disabled';
table.delete(function (context) { context.res.status(403).send('Not this one'); });
table.filters = [function (query) { return query.where({ open: true }); }];
table.transforms = [function (item) { item.open = item.open !== false; return item; }];
