module.exports = {
  get: function (req, res, next) {
    req.azureMobile.tables('inline').where({ text: 'first' }).read()
      .then(function (rows) { res.json({ hello: req.query.name, rows: rows.map(function (row) { return row.id; }) }); }, next);
  },
  post: [function (req, res, next) { req.before = true; next(); }, function (req, res) { res.status(201).json({ user: req.azureMobile.user.id, before: req.before, got: req.body }); }],
  patch: function (req, res, next) { next(Object.assign(new Error('odd'), { badRequest: true })); },
  delete: function () {}
};
module.exports.post.access = 'authenticated';
module.exports.delete.access = 'disabled';
