// One app, tests/compat/mobile-app, run by npm azure-mobile-apps 4.0.2 and deployed to mandated; the same requests to both. What
// differs is in docs/guide/second-opinion-apps.md, each with its reason.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import test from 'node:test';
import {Mandated, root} from '../live/harness.mjs';
import {compare, key, startPeer, token} from './opinions.mjs';

const tenant = `
tenant: opinion
settings: {hosts: [localhost, 127.0.0.1]}
services:
  default: {}
  app: {v2_signing_keys: ["${key}"], settings: {OPINION_KEY: "${key}"}}
`;
const ana = {'X-ZUMO-AUTH': token('sid:ana')}, ben = {'X-ZUMO-AUTH': token('sid:ben')};

const steps = [
  ['seed', 'GET', 'inline?$orderby=id&$select=id,text'],
  ['todo: nobody', 'GET', 'todo'],
  ['todo: insert', 'POST', 'todo', {id: 'a', text: 'milk', complete: false}, ana],
  ['todo: insert by nobody', 'POST', 'todo', {id: 'b'}],
  ['todo: read', 'GET', 'todo', undefined, ana],
  ['todo: read by another', 'GET', 'todo', undefined, ben],
  ['todo: read one', 'GET', 'todo/a', undefined, ana],
  ['todo: read one by another', 'GET', 'todo/a', undefined, ben],
  ['todo: filter', 'GET', "todo?$filter=text eq 'milk'&$select=id", undefined, ana],
  ['todo: total', 'GET', 'todo?$inlinecount=allpages&$select=id', undefined, ana],
  ['todo: update', 'PATCH', 'todo/a', {complete: true}, ana],
  ['todo: update with its version', 'PATCH', 'todo/a', {text: 'oat milk'}, {...ana, 'If-Match': '"{version}"'}],
  ['todo: update with a stale version', 'PATCH', 'todo/a', {text: 'x'}, {...ana, 'If-Match': '"AAAA"'}],
  ['todo: update with the id in the item', 'PATCH', 'todo', {id: 'a', complete: false}, ana],
  ['todo: update with a stale version in the item', 'PATCH', 'todo/a', {text: 'x', version: 'AAAA'}, ana],
  ['todo: update of another', 'PATCH', 'todo/a', {text: 'x'}, ben],
  ['todo: update of none', 'PATCH', 'todo/none', {text: 'x'}, ana],
  ['todo: delete by another', 'DELETE', 'todo/a', undefined, ben],
  ['todo: delete', 'DELETE', 'todo/a', undefined, ana],
  ['todo: delete again', 'DELETE', 'todo/a', undefined, ana],
  ['todo: read a deleted one', 'GET', 'todo/a', undefined, ana],
  ['todo: undelete by another', 'POST', 'todo/a', undefined, ben],
  ['todo: undelete', 'POST', 'todo/a', undefined, ana],
  ['gates: read', 'GET', 'gates'],
  ['gates: insert by nobody', 'POST', 'gates', {id: '1'}],
  ['gates: insert', 'POST', 'gates', {id: '1', n: 1}, ana],
  ['gates: insert another', 'POST', 'gates', {id: '2', n: 2}, ana],
  ['gates: update', 'PATCH', 'gates/1', {n: 2}, ana],
  ['gates: delete', 'DELETE', 'gates/1', undefined, ana],
  ['gates: a page', 'GET', 'gates?$orderby=id&$select=id'],
  ['gates: top too many', 'GET', 'gates?$top=6'],
  ['chain: stopped by middleware', 'GET', 'chain', undefined, {'X-Teapot': '1'}],
  ['chain: insert', 'POST', 'chain', {id: '1', text: 'one', open: true}],
  ['chain: insert a hidden one', 'POST', 'chain', {id: '2', text: 'two', open: false}],
  ['chain: read', 'GET', 'chain?$select=id,stamp'],
  ['chain: read one', 'GET', 'chain/1'],
  ['chain: read a hidden one', 'GET', 'chain/2'],
  ['chain: update', 'PATCH', 'chain/1', {text: 'uno'}],
  ['chain: delete a hidden one', 'DELETE', 'chain/2'],
  ['chain: bad request', 'POST', 'chain', {text: 'bad'}],
  ['chain: not found', 'POST', 'chain', {text: 'gone'}],
  ['chain: duplicate', 'POST', 'chain', {id: '9', text: 'twice'}],
  ['chain: a result of its own', 'POST', 'chain', {text: 'own'}],
  ['chain: nothing', 'POST', 'chain', {text: 'nothing'}],
  ['chain: an answer of its own', 'POST', 'chain', {text: 'direct'}],
  ['chain: insert a third', 'POST', 'chain', {id: '3', text: 'three', open: true}],
  ['chain: insert a fourth', 'POST', 'chain', {id: '4', text: 'four', open: true}],
  ['chain: insert one that is there', 'POST', 'chain', {id: '4', text: 'four', open: true}],
  ['chain: insert without an id', 'POST', 'chain', {text: 'five', open: false}],
  ['chain: insert a time of its own', 'POST', 'chain', {id: 'r', createdAt: '2015-01-01T00:00:00.000Z'}],
  ['chain: update to another id', 'PATCH', 'chain/1', {id: '2'}],
  ['chain: a page', 'GET', 'chain?$orderby=id&$select=id'],
  ['chain: the next page', 'GET', 'chain?$orderby=id&$select=id&$skip=2&$top=2'],
  ['chain: a total', 'GET', 'chain?$orderby=id&$select=id&$inlinecount=allpages'],
  ['chain: a deleted one', 'DELETE', 'chain/4'],
  ['chain: no such column', 'GET', "chain?$filter=nosuch eq 1"],
  ['again: executed twice', 'POST', 'again', {id: 'x', text: 'one'}],
  ['again: what is there', 'GET', 'again?$orderby=id&$select=id,text'],
  ['again: a table that is not there', 'PATCH', 'again/x', {text: 'none'}],
  ['again: an error of its own', 'DELETE', 'again/x'],
  ['diary: nobody', 'GET', 'diary'],
  ['diary: insert', 'POST', 'diary', {id: 'd', text: 'secret'}, ana],
  ['diary: read', 'GET', 'diary?$select=id,text', undefined, ana],
  ['diary: read by another', 'GET', 'diary/d', undefined, ben],
  ['diary: update by another', 'PATCH', 'diary/d', {text: 'x'}, ben],
  ['diary: delete by another', 'DELETE', 'diary/d', undefined, ben],
  ['diary: forge another\'s', 'POST', 'diary', {id: 'f', text: 'mine', userId: 'sid:ana'}, ben],
  ['diary: delete', 'DELETE', 'diary/d', undefined, ana],
  ['api: get', 'GET', '/api/hello?name=Ana'],
  ['api: post by nobody', 'POST', '/api/hello', {a: 1}],
  ['api: post', 'POST', '/api/hello', {a: 1}, ana],
  ['api: patch', 'PATCH', '/api/hello', {a: 1}],
  ['api: delete', 'DELETE', '/api/hello'],
  ['api: put', 'PUT', '/api/hello', {a: 1}],
  ['api: none of that name', 'GET', '/api/nobody'],
];

test('an app is served as npm azure-mobile-apps serves it, except where the guide says why not', async (t) => {
  const folder = join(root, 'tests/compat/mobile-app');
  const port = await startPeer(t, ['-r', join(root, 'tests/compat/second-opinion-express.cjs'), join(folder, 'app.js')], {PORT: '0', OPINION_KEY: key});
  const server = await new Mandated({tenant}).start();
  t.after(() => server.stop());
  const told = server.cli('service', 'deploy', folder, '--service', 'app');
  assert.equal(told.status, 0, told.stdout + told.stderr);
  await compare(steps, port, server, 'second-opinion-apps.md', '/s/app');
});
