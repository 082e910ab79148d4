exports.register = function (api) {
  api.get('/items/:id', function (request, response) { response.json({ id: request.params.id }); });
  api.post('/items', function (request, response) {
    var notes = request.service.tables.getTable('Notes');
    notes.insert({ text: request.body.text }, {
      success: function (note) { notes.read({ success: function (all) { response.json(201, { text: note.text, count: all.length }); } }); },
    });
  });
  api.get('/secret', function (request, response) { response.send('secret'); });
  api.get('/page', function (request, response) { response.send('<p>hello</p>'); });
  api.get('/headers', function (request, response) {
    response.set({ 'X-Own': 'yes', 'Content-Security-Policy': 'none', 'Access-Control-Allow-Origin': '*', 'Strict-Transport-Security': 'max-age=0', 'Cache-Control': 'max-age=60' });
    response.cookie('__Host-mandate', 'stolen');
    response.cookie('own', 'mine', { httpOnly: true });
    response.send({ cookie: request.headers.cookie || 'none' });
  });
  api.get('/inject', function (request, response) { response.set('X-Own', 'a\r\nSet-Cookie: b=1'); });
  api.get('/settings', function (request, response) { response.json([process.env.MY_SETTING, request.service.config.appSettings.MY_SETTING, process.env.MS_MobileServiceName, process.env.started]); });
  api.get('/later', function (request, response) { setTimeout(function () { response.send(202, 'later'); }, 1); });
  api.get('/outside', function (request, response) { require('request')('http://127.0.0.1/', function (error) { response.send(200, error.message); }); });
};
