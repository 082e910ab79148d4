module.exports = {
  get: function (req, res, next) {
    req.azureMobile.tables('Board').where({ text: 'a' }).read().then(function (rows) {
      res.json({ hello: req.query.name, boards: rows.length });
    }).catch(next);
  },
  post: function (req, res) { res.status(201).json({ user: req.azureMobile.user.id, got: req.body }); },
  delete: function () {}
};
module.exports.post.access = 'authenticated';
module.exports.delete.access = 'disabled';
