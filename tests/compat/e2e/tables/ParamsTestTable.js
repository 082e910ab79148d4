// Nothing is kept: every answer is a row that says which parameters came.
var table = module.exports = require('azure-mobile-apps').table();

function parameters(context) {
  return { id: 1, parameters: JSON.stringify(context.req.query) };
}

table.autoIncrement = true;
table.read(function (context) { return [parameters(context)]; });
['insert', 'update', 'delete'].forEach(function (operation) { table[operation](parameters); });
