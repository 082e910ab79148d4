var plural = require('plural');

// Every night: what is done moves to the archive.
function archive() {
    var todo = tables.getTable('TodoItem'), archived = tables.getTable('Archive');
    todo.where({ complete: true }).read({
        success: function (items) {
            items.forEach(function (item) {
                archived.insert({ text: item.text, userId: item.userId, todo: item.id }, {
                    success: function () { todo.del(item.id); }
                });
            });
            console.log('archived ' + plural(items.length, 'item'));
        }
    });
}
