// How many rows a table has for the caller.
exports.get = function (req, res, next) {
  req.azureMobile.tables(req.query.table).read().then(function (rows) { res.json(rows.length); }).catch(next);
};
