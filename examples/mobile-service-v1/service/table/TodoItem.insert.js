var words = require('../shared/words');

// Whoever inserts an item owns it, whatever the app sent.
function insert(item, user, request) {
    var text = words.tidy(item.text);
    if (!text) {
        request.respond(statusCodes.BAD_REQUEST, { error: 'An item needs a text.' });
        return;
    }
    item.text = text;
    item.complete = item.complete === true;
    item.userId = user.userId;
    request.execute();
}
