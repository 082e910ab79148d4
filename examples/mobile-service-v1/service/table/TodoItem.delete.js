function del(id, user, request) {
    tables.getTable('TodoItem').where({ id: id, userId: user.userId }).read({
        success: function (found) {
            if (found.length === 0) {
                request.respond(statusCodes.NOT_FOUND, { error: 'There is no such item.' });
            } else {
                request.execute();
            }
        }
    });
}
