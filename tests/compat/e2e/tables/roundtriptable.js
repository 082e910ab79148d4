// Any columns, ids of the client's choice.
module.exports = {};
