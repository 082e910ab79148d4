// What handlers do more than once, or wrong.
var table = module.exports = require('azure-mobile-apps').table();
table.insert(function (context) {
  return context.execute().then(function (first) {
    context.item = { id: first.id + '-copy', text: first.text };
    return context.execute();
  });
});
table.update(function (context) {
  return context.tables('nobody').read();
});
table.delete(function () {
  throw new Error('not today');
});
