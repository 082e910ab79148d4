// Refresh tokens going round under load: each answer's token is the next request's. One round trip each where the node
// remembers what it gave, which it does here.
import {createHash, randomBytes} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {bad, k, load, row, runs, scratch} from './driver.mjs';
import {signIn} from '../tests/live/harness.mjs';
import {ana} from '../tests/compat/tenant.mjs';

const connections = 64, seeds = connections + 16;  // wrk asks the script for a request or two that it never sends

async function tokens(node, count) {
  const callback = `https://localhost:${node.port}/mobile`, jar = {}, out = [];
  while (out.length < count) {
    const verifier = randomBytes(32).toString('base64url');
    const start = '/authorize?' + new URLSearchParams({client_id: 'modern', response_type: 'code', scope: 'openid offline_access', redirect_uri: callback, state: 's',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256'});
    const location = await signIn(node, start, ana.email, ana.password, (l) => l.startsWith(callback), jar);
    const code = new URL(location).searchParams.get('code');
    const given = await node.call('POST', '/oauth/token', {body: {grant_type: 'authorization_code', client_id: 'modern', code, redirect_uri: callback, code_verifier: verifier}});
    if (!given.json?.refresh_token) throw new Error(given.text);
    out.push(given.json.refresh_token);
  }
  return out;
}

/** A row of the table. Every run of wrk takes its tokens from a file that has enough for all. */
export async function refreshWalk(node, title, headers, {pids, peer} = {}) {
  const file = join(scratch, 'refresh-tokens');
  writeFileSync(file, (await tokens(node, seeds * runs)).join('\n') + '\n');
  const script = `
local queue, first, last = {}, 1, 0
local function push(token) last = last + 1; queue[last] = token end
function init()
  local rest = {}
  for line in io.lines("${file}") do
    if last < ${seeds} then push(line) else rest[#rest + 1] = line end
  end
  local out = io.open("${file}", "w")
  for _, line in ipairs(rest) do out:write(line, "\\n") end
  out:close()
end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
${Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = [[${value}]]`).join('\n')}
function request()
  local token = queue[first] or "none"
  queue[first] = nil
  if first <= last then first = first + 1 end
  return wrk.format(nil, nil, nil, "grant_type=refresh_token&client_id=modern&refresh_token=" .. token)
end
function response(status, headers, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then push(token) end
end`;
  const result = load(`http://127.0.0.1:${node.port}/oauth/token`, script, {connections, pids});
  row(`refresh rotation, ${title}`, k(result.rate), 'req/s', peer ? peer(result.rate) : '', bad(result));
  return result;
}
