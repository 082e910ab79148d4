// Many raw connections at once, and what they cost the other end.
import {readFileSync} from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

/** Resident memory of a process in bytes. */
export const resident = (pid) => Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)[1]) * 1024;

export const percentile = (times, p) => [...times].sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * p))];

/** One socket, plain or TLS, connected; its errors are kept quiet: being hung up on is what the tests are about. */
export function connect(server, secure = false) {
  return new Promise((done, fail) => {
    const socket = secure ? tls.connect({port: server.port, host: '127.0.0.1', servername: 'localhost', ca: server.ca}) : net.connect(server.port, '127.0.0.1');
    socket.once('error', fail);
    socket.once(secure ? 'secureConnect' : 'connect', () => { socket.off('error', fail); socket.on('error', () => {}); done(socket); });
  });
}

/** `count` sockets, `wide` at a time; `each(socket, i)` is awaited for every one. */
export async function crowd(server, count, {secure = false, wide = 200, each = async () => {}} = {}) {
  const sockets = [];
  let next = 0;
  await Promise.all(Array.from({length: Math.min(wide, count)}, async () => {
    while (next < count) {
      const i = next++;
      const socket = await connect(server, secure);
      sockets.push(socket);
      await each(socket, i);
    }
  }));
  return sockets;
}

/** Sends a request and resolves when the whole answer (with Content-Length) is there. */
export function exchange(socket, text) {
  return new Promise((done, fail) => {
    let got = '';
    const on = (d) => {
      got += d;
      const head = got.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(got.match(/content-length: (\d+)/i)?.[1] ?? 0);
      if (got.length < head + 4 + length) return;
      socket.off('data', on).off('close', gone);
      done(got);
    };
    const gone = () => fail(new Error('closed before the answer'));
    socket.on('data', on).once('close', gone);
    socket.write(text);
  });
}

export const health = (server) => `GET /health HTTP/1.1\r\nHost: localhost:${server.port}\r\n\r\n`;

/** Asks /health every `pause` ms on one kept connection, a fresh one every tenth time, until stop(); gives the times in ms. */
export function probe(server, pause = 10) {
  const times = [];
  let stopped = false;
  const running = (async () => {
    let socket = await connect(server);
    for (let i = 0; !stopped; ++i) {
      const from = performance.now();
      if (i % 10 === 9) socket.destroy(), socket = await connect(server);
      const answer = await exchange(socket, health(server));
      if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`the probe got ${answer.slice(0, 60)}`);
      times.push(performance.now() - from);
      await new Promise((r) => setTimeout(r, pause));
    }
    socket.destroy();
  })();
  return {times, async stop() { stopped = true; await running; return times; }};
}
