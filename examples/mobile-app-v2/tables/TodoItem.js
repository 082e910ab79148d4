var azureMobileApps = require('azure-mobile-apps');

var table = azureMobileApps.table();

table.columns = { text: 'string', complete: 'boolean' };

// Everybody's own items, and word of a new one to the other devices, where the service has push.
table.insert(function (context) {
  context.item.userId = context.user.id;
  return context.execute().then(function (item) {
    if (context.push)
      context.push.gcm.send(['_UserId:' + context.user.id], { data: { message: item.text } }, function (error) {
        if (error) context.logger.error('No push: ' + error.message);
      });
    return item;
  });
});
table.read(function (context) {
  context.query.where({ userId: context.user.id });
  return context.execute();
});
table.update(function (context) {
  context.query.where({ userId: context.user.id });
  return context.execute();
});
table.delete(function (context) {
  context.query.where({ userId: context.user.id });
  return context.execute();
});

module.exports = table;
