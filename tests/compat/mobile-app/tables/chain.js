// Middleware, filters, transforms, errors.
var table = module.exports = require('azure-mobile-apps').table();
table.pageSize = 2;
table.columns = { text: 'string', open: 'boolean', stamp: 'string' };
table.use(function (req, res, next) {
  if (req.get('x-teapot')) res.status(418).send('short and stout');
  else next();
}, table.execute);
table.read.use(table.operation, function (req, res, next) {
  if (Array.isArray(res.results)) res.results.forEach(function (row) { row.seen = true; });
  next();
});
table.filters = [function (query) { return query.where({ open: true }); }];
table.transforms = [function (item, context) { item.stamp = context.operation; return item; }];
table.insert(function (context) {
  switch (context.item.text) {
    case 'bad': throw Object.assign(new Error('no such thing'), { badRequest: true });
    case 'gone': throw Object.assign(new Error('gone'), { notFound: true });
    case 'twice': return Promise.reject(Object.assign(new Error('twice'), { duplicate: true }));
    case 'own': return { own: true };
    case 'nothing': return null;
    case 'direct': context.res.status(202).json({ direct: true }); return undefined;
    default: return context.execute();
  }
});
