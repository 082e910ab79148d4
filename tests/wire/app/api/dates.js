// A row with a moment, and moments of its own.
exports.get = function (req, res, next) {
  req.azureMobile.tables('Inline').insert({ id: 'dated', due: new Date(Date.UTC(2012, 1, 29, 1, 2, 3)) })
    .then(function (row) { res.json({ due: row.due, createdAt: row.createdAt, epoch: new Date(0), types: [typeof row.due, row.createdAt instanceof Date, row.updatedAt >= row.createdAt] }); })
    .catch(next);
};
