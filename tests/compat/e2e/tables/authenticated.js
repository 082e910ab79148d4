// Rows know who wrote them; who reads them is told what the provider said of the reader.
var table = module.exports = require('azure-mobile-apps').table();
table.access = 'authenticated';
table.columns = { name: 'string', text: 'string', userId: 'string' };

table.insert(function (context) {
  context.item.userId = context.user.id;
  return context.execute();
});
table.read(function (context) {
  return context.execute().then(function (rows) {
    return context.user.getIdentity().then(function (identities) {
      rows.forEach(function (row) { row.identities = JSON.stringify(identities); });
      return rows;
    });
  });
});
