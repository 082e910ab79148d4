// The same requests to npm azure-mobile-apps 4.0.2 and to mandated. What differs is in docs/guide/second-opinion.md, each with
// its reason; this test reads that table, so that nothing differs in silence and no row outlives its difference.
import {join} from 'node:path';
import test from 'node:test';
import {Mandated, root} from '../live/harness.mjs';
import {compare, key, startPeer, token} from './opinions.mjs';

const everybody = 'permissions: public';
const tenant = `
tenant: opinion
settings: {hosts: [localhost, 127.0.0.1]}
services:
  default:
    v2_signing_keys: ["${key}"]
    tables:
      items: {${everybody}, soft_delete: true, dialect: v2}
      loose: {${everybody}, dialect: v2}
      hard: {${everybody}, dialect: v2}
      mine: {permissions: authenticated, soft_delete: true, dialect: v2, user_id_column: userId}
      typed: {${everybody}, dialect: v2, dynamic_schema: false, columns: {text: string, n: number, done: boolean, at: datetime}}
`;

const ana = {'X-ZUMO-AUTH': token('sid:ana')}, ben = {'X-ZUMO-AUTH': token('sid:ben')};

/** [name, method, path, body, headers]; {version} is that of the row the last answer gave. */
const steps = [
  ['insert', 'POST', 'items', {id: 'a', text: 'one', n: 1.5, done: true}],
  ['insert with null', 'POST', 'items', {id: 'b', text: null, n: 2}],
  ['insert with a date', 'POST', 'items', {id: 'c', text: 'three', n: 3, at: '2014-03-01T10:00:00.000Z'}],
  ['insert a taken id', 'POST', 'items', {id: 'a', text: 'again'}],
  ['insert a list', 'POST', 'items', [1]],
  ['insert bad JSON', 'POST', 'items', '{"id":'],
  ['insert nothing', 'POST', 'loose', ''],
  ['insert with a reserved member', 'POST', 'items', {id: 'r', createdAt: 'x'}],
  ['insert with an object inside', 'POST', 'items', {id: 'o', o: {}}],
  ['insert a number', 'POST', 'loose', {id: 'n', n: 1}],
  ['insert text where a number was', 'POST', 'loose', {id: 't', n: 'text'}],
  ['read one', 'GET', 'items/a'],
  ['read one with its tag', 'GET', 'items/a', undefined, {'If-None-Match': '"{version}"'}],
  ['read an absent one', 'GET', 'items/nobody'],
  ['read all', 'GET', 'items?$orderby=id'],
  ['filter', 'GET', "items?$filter=(n gt 1) and (text ne 'three')&$orderby=id&$select=id"],
  ['filter text', 'GET', "items?$filter=text eq 'one'&$select=id"],
  ['filter null', 'GET', 'items?$filter=text eq null&$select=id'],
  ['filter a date', 'GET', "items?$filter=at lt datetime'2015-01-01T00:00:00.000Z'&$select=id"],
  ['filter by offset', 'GET', "items?$filter=updatedAt ge datetimeoffset'1970-01-01T00:00:00.000Z'&$orderby=updatedAt&$select=id"],
  ['filter with functions', 'GET', "items?$filter=startswith(tolower(text),'th') or length(text) eq 3&$orderby=id&$select=id"],
  ['filter substringof', 'GET', "items?$filter=substringof('hre',text)&$select=id"],
  ['filter with arithmetic', 'GET', 'items?$filter=(n mul 2) eq 3&$select=id'],
  ['filter mod', 'GET', 'items?$filter=(n mod 2) eq 1&$select=id'],
  ['filter year', 'GET', 'items?$filter=year(at) eq 2014&$select=id'],
  ['filter floor', 'GET', 'items?$filter=floor(n) eq 1&$select=id'],
  ['filter round', 'GET', 'items?$filter=round(n) eq 2&$orderby=id&$select=id'],
  ['filter indexof', 'GET', "items?$filter=indexof(text,'n') eq 1&$select=id"],
  ['filter concat', 'GET', "items?$filter=concat(text,'!') eq 'one!'&$select=id"],
  ['filter replace', 'GET', "items?$filter=replace(text,'o','0') eq '0ne'&$select=id"],
  ['filter of an unknown column', 'GET', 'items?$filter=nosuch eq 1&$select=id'],
  ['filter that does not parse', 'GET', 'items?$filter=bad bad&$select=id'],
  ['filter of an unknown function', 'GET', 'items?$filter=what(text)&$select=id'],
  ['order descending', 'GET', 'items?$orderby=n desc&$select=id'],
  ['order by an unknown column', 'GET', 'items?$orderby=nosuch&$select=id'],
  ['select', 'GET', 'items?$select=id,text&$orderby=id'],
  ['select an unknown column', 'GET', 'items?$select=nosuch'],
  ['skip and top', 'GET', 'items?$skip=1&$top=1&$orderby=id'],
  ['a page and a total', 'GET', 'items?$top=2&$inlinecount=allpages&$orderby=n'],
  ['top nothing', 'GET', 'items?$top=0&$select=id'],
  ['top too many', 'GET', 'items?$top=1001&$select=id'],
  ['top below nothing', 'GET', 'items?$top=-1&$select=id'],
  ['own parameters', 'GET', "items?$filter=id eq 'a'&mine=1&__other=2"],
  ['update', 'PATCH', 'items/a', {text: 'uno'}],
  ['update with its version', 'PATCH', 'items/a', {text: 'eins'}, {'If-Match': '"{version}"'}],
  ['update with a stale version', 'PATCH', 'items/a', {text: 'ett'}, {'If-Match': '"AAAA"'}],
  ['update with a stale version inside', 'PATCH', 'items/a', {text: 'ett', version: 'AAAA'}],
  ['update of an absent one', 'PATCH', 'items/nobody', {text: 'x'}],
  ['update with another id', 'PATCH', 'items/a', {id: 'b', text: 'x'}],
  ['update of a reserved member', 'PATCH', 'items/a', {updatedAt: 'x'}],
  ['update of a new column', 'PATCH', 'items/a', {fresh: 'new'}],
  ['replace', 'PUT', 'loose/n', {text: 'put'}],
  ['update without an id', 'PATCH', 'items', {id: 'a', text: 'by body'}],
  ['delete with a stale version', 'DELETE', 'items/a', undefined, {'If-Match': '"AAAA"'}],
  ['delete', 'DELETE', 'items/a'],
  ['delete again', 'DELETE', 'items/a'],
  ['read a deleted one', 'GET', 'items/a'],
  ['read deleted ones too', 'GET', 'items?__includeDeleted=true&$select=id,deleted&$orderby=id'],
  ['read a deleted one on request', 'GET', 'items/a?__includeDeleted=true'],
  ['undelete', 'POST', 'items/a'],
  ['undelete an absent one', 'POST', 'items/nobody'],
  ['hard: insert', 'POST', 'hard', {id: 'x', n: 1}],
  ['hard: delete', 'DELETE', 'hard/x'],
  ['hard: delete again', 'DELETE', 'hard/x'],
  ['hard: insert the id again', 'POST', 'hard', {id: 'x', n: 2}],
  ['typed: insert', 'POST', 'typed', {id: '1', text: 'a', n: 1, done: false, at: '2014-03-01T10:00:00.000Z'}],
  ['typed: insert an unknown member', 'POST', 'typed', {id: '2', nosuch: 1}],
  ['typed: insert the wrong type', 'POST', 'typed', {id: '3', n: 'text'}],
  ['typed: read', 'GET', 'typed/1'],
  ['mine: nobody', 'GET', 'mine'],
  ['mine: a bad token', 'GET', 'mine', undefined, {'X-ZUMO-AUTH': 'x'}],
  ['mine: insert', 'POST', 'mine', {id: 'm', text: 'secret'}, ana],
  ['mine: read my own', 'GET', 'mine?$select=id,text', undefined, ana],
  ['mine: read by another', 'GET', 'mine', undefined, ben],
  ['mine: read one by another', 'GET', 'mine/m', undefined, ben],
  ['mine: update by another', 'PATCH', 'mine/m', {text: 'x'}, ben],
  ['mine: delete by another', 'DELETE', 'mine/m', undefined, ben],
  ['mine: insert the id of another', 'POST', 'mine', {id: 'm', text: 'x'}, ben],
  ['no such table', 'GET', 'nosuch'],
  ['a version of nobody', 'GET', 'items/b', undefined, {'ZUMO-API-VERSION': '9.0.0'}],
];

test('the V2 dialect answers as npm azure-mobile-apps does, except where the guide says why not', async (t) => {
  const port = await startPeer(t, [join(root, 'tests/compat/second-opinion-server.cjs'), key]);
  const server = await new Mandated({tenant}).start();
  t.after(() => server.stop());
  await compare(steps, port, server, 'second-opinion.md');
});
