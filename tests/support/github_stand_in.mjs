// GitHub's OAuth web flow and its two profile calls over a real socket, as its documentation describes them: token errors
// come as 200, answers are form-encoded unless JSON is asked for, scopes are joined with commas, addresses need a scope.
// The twin of github_stand_in.h. From a test: `const github = await new GitHubStandIn({...}).start()`, then
// `github.options(...)` for the connection. By hand: `node tests/support/github_stand_in.mjs [port]`.
import {createHash, randomBytes} from 'node:crypto';
import http from 'node:http';
import {pathToFileURL} from 'node:url';

export class GitHubStandIn {
  constructor({clientId = 'Iv1.0123456789abcdef', clientSecret = '6f1c2d3e4b5a69788796a5b4c3d2e1f00f1e2d3c', callback = ''} = {}) {
    Object.assign(this, {clientId, clientSecret, callback});
    this.person = {
      id: 583231, login: 'octo-ann', name: 'Ann Example', avatar_url: 'https://avatars.example/u/583231',
      emails: [{email: 'ann@example.org', primary: true, verified: true, visibility: 'private'}],
    };
    this.personDenies = false;
    this.grantsEmailScope = true;
    this.codes = new Map();
    this.tokens = new Map();
  }

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    await new Promise((done, fail) => this.server.once('error', fail).listen(port, '127.0.0.1', done));
    this.host = `127.0.0.1:${this.server.address().port}`;
    this.base = `http://${this.host}`;
    return this;
  }
  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
  /** Options of a connection with strategy "github" that leads here. */
  options() {
    return {
      client_id: this.clientId, client_secret: this.clientSecret,
      authorization_url: `${this.base}/login/oauth/authorize`, token_url: `${this.base}/login/oauth/access_token`, profile_url: `${this.base}/user`,
    };
  }

  async #answer(request, response) {
    const url = new URL(request.url, 'http://stand-in');
    let body = '';
    for await (const piece of request) body += piece;
    const route = `${request.method} ${url.pathname}`;
    if (route === 'GET /login/oauth/authorize') return this.#authorize(url.searchParams, response);
    if (route === 'POST /login/oauth/access_token') return this.#token(request, body, response);
    if (route === 'GET /user' || route === 'GET /user/emails') return this.#api(url.pathname, request, response);
    json(response, 404, {message: 'Not Found', status: '404'});
  }

  #authorize(params, response) {
    if (params.get('client_id') !== this.clientId) return response.writeHead(404, {'Content-Type': 'text/html'}).end('Not Found');
    const wanted = params.get('redirect_uri') || this.callback;
    const back = (fields, to = wanted) => {
      const target = new URL(to);
      for (const [name, value] of Object.entries(fields)) target.searchParams.set(name, value);
      if (params.has('state')) target.searchParams.set('state', params.get('state'));
      response.writeHead(302, {Location: target.href}).end();
    };
    const mismatch = 'The redirect_uri MUST match the registered callback URL for this application.';
    if (this.callback && wanted !== this.callback) return back({error: 'redirect_uri_mismatch', error_description: mismatch}, this.callback);
    if (this.personDenies) return back({error: 'access_denied', error_description: 'The user has denied your application access.'});
    if (params.has('code_challenge') && params.get('code_challenge_method') !== 'S256')
      return back({error: 'invalid_request', error_description: 'code_challenge_method must be S256'});
    const code = randomBytes(10).toString('hex');
    const scopes = (params.get('scope') ?? '').split(' ').filter((scope) => scope && (this.grantsEmailScope || scope !== 'user:email'));
    this.codes.set(code, {redirectUri: wanted, challenge: params.get('code_challenge') ?? '', scope: scopes.join(','), until: Date.now() + 600_000});
    back({code});
  }

  #token(request, body, response) {
    const json_body = (request.headers['content-type'] ?? '').startsWith('application/json');
    const params = json_body ? new URLSearchParams(JSON.parse(body)) : new URLSearchParams(body);
    const answer = (fields) => {
      if ((request.headers.accept ?? '').includes('json')) return json(response, 200, fields);
      response.writeHead(200, {'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8'}).end(String(new URLSearchParams(fields)));
    };
    const badCode = () => answer({error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.'});
    if (params.get('client_id') !== this.clientId) return json(response, 404, {error: 'Not Found'});
    if (params.get('client_secret') !== this.clientSecret)
      return answer({error: 'incorrect_client_credentials', error_description: 'The client_id and/or client_secret passed are incorrect.'});
    const granted = this.codes.get(params.get('code'));
    this.codes.delete(params.get('code'));
    if (!granted || granted.until < Date.now()) return badCode();
    if (params.has('redirect_uri') && params.get('redirect_uri') !== granted.redirectUri)
      return answer({error: 'redirect_uri_mismatch', error_description: 'The redirect_uri MUST match the registered callback URL for this application.'});
    const proof = createHash('sha256').update(params.get('code_verifier') ?? '').digest('base64url');
    if (granted.challenge && proof !== granted.challenge) return badCode();
    const token = `gho_${randomBytes(18).toString('hex')}`;
    this.tokens.set(token, granted.scope);
    answer({access_token: token, token_type: 'bearer', scope: granted.scope});
  }

  #api(path, request, response) {
    if (!request.headers['user-agent'])
      return response.writeHead(403, {'Content-Type': 'text/plain'}).end('Request forbidden by administrative rules. Please make sure your request has a User-Agent header.');
    const scope = this.tokens.get((request.headers.authorization ?? '').replace(/^(bearer|token) /i, ''));
    if (scope === undefined) return json(response, 401, {message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401'});
    const {emails, ...person} = this.person;
    if (path === '/user')
      return json(response, 200, {...person, node_id: 'MDQ6VXNlcjU4MzIzMQ==', html_url: `${this.base}/${person.login}`, type: 'User', site_admin: false, email: null});
    if (!scope.split(',').includes('user:email'))
      return json(response, 404, {message: 'Not Found', documentation_url: 'https://docs.github.com/rest/users/emails', status: '404'});
    json(response, 200, emails);
  }
}

function json(response, status, value) {
  response.writeHead(status, {'Content-Type': 'application/json; charset=utf-8'}).end(JSON.stringify(value));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const github = await new GitHubStandIn().start(Number(process.argv[2] ?? 0));
  console.log(JSON.stringify(github.options(), null, 2));
}
