// State is kept from call to call.
var count = 0;
var greet = require('../shared/greet');

exports.get = function (request, response) {
  response.set('X-Times', String(++count));
  response.send(200, { hello: greet.hello(request.query.name), level: request.user.level, tiny: require('tiny').name });
};
exports.post = function (request, response) {
  request.respond(statusCodes.CREATED, { got: request.body, type: request.get('content-type') });
};
exports.del = function (request, response) { response.send(204); };
exports.put = function (request, response) { throw new Error('not to be told'); };
