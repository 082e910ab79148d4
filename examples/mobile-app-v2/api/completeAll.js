var api = module.exports = {
  // POST /api/completeAll: what of the caller's is open is done.
  post: function (req, res, next) {
    var context = req.azureMobile, items = context.tables('TodoItem');
    items.where({ userId: context.user.id, complete: false }).read()
      .then(function (rows) {
        return Promise.all(rows.map(function (row) { return items.update({ id: row.id, complete: true }); }));
      })
      .then(function (rows) { res.status(200).json({ completed: rows.length }); })
      .catch(next);
  },
  // GET: how many items there are, by SQL.
  get: function (req, res, next) {
    req.azureMobile.data.execute({
      sql: 'SELECT COUNT(*) AS items FROM TodoItem WHERE complete = @complete',
      parameters: [{ name: 'complete', value: true }]
    }).then(function (rows) { res.json(rows[0]); }, next);
  }
};
api.post.access = 'authenticated';
