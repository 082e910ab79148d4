// Nobody changes the items of others, or gives an item away.
function update(item, user, request) {
    var mine = tables.getTable('TodoItem');
    mine.where({ id: item.id, userId: user.userId }).read({
        success: function (found) {
            if (found.length === 0) {
                request.respond(statusCodes.NOT_FOUND, { error: 'There is no such item.' });
                return;
            }
            delete item.userId;
            request.execute();
        }
    });
}
