// The three browser globals that azure-mobile-apps-client needs in Node (mobile-backend-wire 10): XMLHttpRequest over
// Node's https with the development CA, localStorage and navigator.
import http from 'node:http';
import https from 'node:https';

export function browserGlobals(ca) {
  globalThis.XMLHttpRequest = class {
    withCredentials = false;
    readyState = 0;
    status = 0;
    responseText = '';
    #headers = {};
    #received = {};
    open(method, url) { this.method = method; this.url = new URL(url); this.readyState = 1; }
    setRequestHeader(name, value) { this.#headers[name] = value; }
    getResponseHeader(name) { return this.#received[name.toLowerCase()] ?? null; }
    getAllResponseHeaders() { return Object.entries(this.#received).map(([k, v]) => `${k}: ${v}`).join('\r\n'); }
    send(body) {
      const text = body === undefined || body === null ? undefined : String(body);
      const headers = text === undefined ? this.#headers : {...this.#headers, 'Content-Length': Buffer.byteLength(text)};
      const request = (this.url.protocol === 'https:' ? https : http).request(this.url, {method: this.method, headers, ca}, (answer) => {
        let all = '';
        answer.setEncoding('utf8').on('data', (d) => (all += d)).on('end', () => {
          this.#received = answer.headers;
          Object.assign(this, {status: answer.statusCode, statusText: answer.statusMessage, responseText: all, readyState: 4});
          this.onreadystatechange?.();
        });
      });
      request.on('error', () => { this.readyState = 4; this.onreadystatechange?.(); });
      request.end(text);
    }
  };
  const kept = new Map();
  globalThis.localStorage = {getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, String(v)), removeItem: (k) => kept.delete(k)};
  if (!globalThis.navigator) globalThis.navigator = {userAgent: 'node'};
}
