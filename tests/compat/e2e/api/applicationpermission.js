// Says what it was asked, with the status and in the format that the query names.
function xml(value) {
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return '<array>' + value.map(function (each) { return '<item>' + xml(each) + '</item>'; }).join('') + '</array>';
  return Object.keys(value).sort().map(function (name) { return '<' + name + '>' + xml(value[name]) + '</' + name + '>'; }).join('');
}

function echo(req, res) {
  var user = req.azureMobile.user, query = Object.assign({}, req.query), said = { method: req.method };
  delete query.status;
  delete query.format;
  said.user = user ? { level: 'authenticated', userId: user.id } : { level: 'anonymous' };
  if (Object.keys(query).length > 0) said.query = query;
  if (req.method !== 'GET' && req.method !== 'DELETE') said.body = req.body;
  res.status(Number(req.query.status || 200));
  if (req.query.format === 'xml') res.type('text/xml').send('<root>' + xml(said) + '</root>');
  else if (req.query.format === 'other') res.type('text/plain').send(JSON.stringify(said).replace(/[[\]{}]/g, '__$&__'));
  else res.json(said);
}

['get', 'post', 'put', 'patch', 'delete'].forEach(function (verb) { module.exports[verb] = echo; });
