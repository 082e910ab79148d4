exports.get = function (request, response) { response.send('for administrators'); };
