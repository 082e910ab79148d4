exports.hello = function (name) { return 'hello ' + (name || 'you'); };
