// What a row holds, and moments of its own.
exports.get = function (request, response) {
  request.service.tables.getTable('Notes').insert({ text: 'dated', due: new Date(Date.UTC(2012, 1, 29, 1, 2, 3)) }, {
    success: function (note) { response.json({ due: note.due, epoch: new Date(0), list: [new Date(1)] }); }
  });
};
