// What several scripts need.
exports.tidy = function (text) {
    return typeof text === 'string' ? text.replace(/\s+/g, ' ').trim() : '';
};
