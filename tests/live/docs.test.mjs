// Code shown in the guides stands in a file that is tested, word for word; links inside the repository lead somewhere.
//   <!-- from tests/wire/straight_line.http -->   before a fence names the file it is taken from.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, readdirSync} from 'node:fs';
import {dirname, join} from 'node:path';
import test from 'node:test';
import {root} from './harness.mjs';

const pages = ['README.md', 'CHANGELOG.md', ...['docs/guide', 'docs/adr'].flatMap((d) => readdirSync(join(root, d)).map((f) => join(d, f)))].filter((f) => f.endsWith('.md'));
const squeeze = (text) => text.replace(/[ \t]+$/gm, '').trim();

for (const page of pages) {
  const text = readFileSync(join(root, page), 'utf8');
  test(`${page}: every snippet stands in the file it names`, () => {
    for (const [, path, fence] of text.matchAll(/<!-- from (\S+) -->\s*```[^\n]*\n([\s\S]*?)```/g)) {
      assert.ok(existsSync(join(root, path)), `${path} does not exist`);
      assert.ok(squeeze(readFileSync(join(root, path), 'utf8')).includes(squeeze(fence)), `not in ${path}:\n${fence}`);
    }
  });
  test(`${page}: every relative link leads somewhere`, () => {
    for (const [, link] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g))
      assert.ok(existsSync(join(root, dirname(page), link)), `${link} in ${page}`);
  });
}
