var table = module.exports = require('azure-mobile-apps').table();

table.columns = { text: 'string', complete: 'boolean', due: 'date' };
table.access = 'authenticated';
table.softDelete = true;

table.insert(function (context) {
  if (context.item.text === 'bad') throw Object.assign(new Error('not that'), { badRequest: true });
  context.item.userId = context.user.id;
  return context.execute();
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
