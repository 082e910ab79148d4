// Access by operation.
var table = module.exports = require('azure-mobile-apps').table();
table.read.access = 'anonymous';
table.insert.access = 'authenticated';
table.update.access = 'disabled';
table.delete.access = 'disabled';
