// The tutorial: everybody's own rows by four handlers.
var table = module.exports = require('azure-mobile-apps').table();
table.columns = { text: 'string', complete: 'boolean' };
table.access = 'authenticated';
table.softDelete = true;
table.insert(function (context) {
  context.item.userId = context.user.id;
  return context.execute();
});
['read', 'update', 'delete', 'undelete'].forEach(function (operation) {
  table[operation](function (context) {
    context.query.where({ userId: context.user.id });
    return context.execute();
  });
});
