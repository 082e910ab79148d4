function insert(item, user, request) {
  item.greeting = require('../shared/greet').hello(item.text);
  request.execute();
}
