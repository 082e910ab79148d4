var plural = require('plural');

// GET /api/stats: how many items the caller has, and how many are done.
exports.get = function (request, response) {
    var todo = request.service.tables.getTable('TodoItem');
    todo.where({ userId: request.user.userId }).read({
        success: function (items) {
            var done = items.filter(function (item) { return item.complete; }).length;
            response.send(statusCodes.OK, { items: items.length, done: done, text: plural(items.length, 'item') });
        },
        error: function (error) {
            response.send(statusCodes.INTERNAL_SERVER_ERROR, { error: error.message });
        }
    });
};
