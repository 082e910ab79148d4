exports.register = function (api) { throw new Error('broken'); };
