// The hosted pages in Debian's Chromium, without JavaScript, at phone and desktop width, light and dark. The pictures are
// left in build/pages for a person to look at.
import assert from 'node:assert/strict';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import test, {after, before} from 'node:test';
import {Mandated, root} from '../live/harness.mjs';
import {context, launch} from './browser.mjs';
import {ana, tenant} from './tenant.mjs';

const pictures = join(root, 'build/pages');
let server, browser;
before(async () => {
  mkdirSync(pictures, {recursive: true});
  server = await new Mandated({tenant: tenant().replace('  Username-Password-Authentication: {strategy: auth0}', `  Username-Password-Authentication: {strategy: auth0}
  github: {strategy: github, display_name: GitHub, options: {client_id: x, client_secret: y}}`)}).start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const start = () => `${server.base}/authorize?client_id=todo&response_type=token&connection=&scope=openid&state=abc&redirect_uri=${encodeURIComponent(`${server.base}/mobile`)}`;
const views = [['phone', 390, 844], ['desktop', 1280, 900]].flatMap(([name, width, height]) => ['light', 'dark'].map((scheme) => ({name, width, height, scheme})));

for (const view of views) {
  test(`login page, ${view.name}, ${view.scheme}: chooser and form, nothing overflows, works without JavaScript`, async () => {
    const page = await (await context(browser, {viewport: {width: view.width, height: view.height}, colorScheme: view.scheme, javaScriptEnabled: false})).newPage();
    const complaints = [];
    page.on('console', (m) => { if (m.type() === 'error') complaints.push(m.text()); });
    await page.goto(start());
    await page.screenshot({path: join(pictures, `login-${view.name}-${view.scheme}.png`), fullPage: true});
    assert.ok(await page.getByText('GitHub').count() > 0, 'the chooser shows GitHub');
    const box = await page.locator('input[type=password]').boundingBox();
    assert.ok(box.width > 200 && box.x >= 0 && box.x + box.width <= view.width, JSON.stringify(box));
    assert.ok(box.height >= 40, 'a finger hits it');
    for (const input of await page.locator('input:not([type=hidden])').all())
      assert.ok(await input.evaluate((e) => e.labels.length > 0 || e.hasAttribute('aria-label')), 'every field has a label');
    await page.locator('input[type=email], input[name=username], input[name=email]').first().fill(ana.email);
    await page.locator('input[type=password]').fill('wrong password');
    await page.locator('form:has(input[type=password]) button[type=submit]').first().click();
    await page.locator('input[type=password]').waitFor();
    await page.screenshot({path: join(pictures, `login-wrong-${view.name}-${view.scheme}.png`), fullPage: true});
    assert.match(await page.locator('body').innerText(), /wrong|incorrect/i);
    await page.locator('input[type=email], input[name=username], input[name=email]').first().fill(ana.email);
    await page.locator('input[type=password]').fill(ana.password);
    await page.locator('form:has(input[type=password]) button[type=submit]').first().click();
    await page.waitForURL(`${server.base}/mobile#**`);
    assert.match(page.url(), /#.*id_token=/);
    assert.deepEqual(complaints.filter((c) => /Content Security Policy|Refused/.test(c)), []);
    await page.context().close();
  });
}

test('an unknown callback is a page that says so, never a redirect', async () => {
  const page = await (await context(browser)).newPage();
  const answer = await page.goto(start().replace(/redirect_uri=.*/, `redirect_uri=${encodeURIComponent('https://evil.example/')}`));
  assert.equal(answer.status(), 400);
  await page.screenshot({path: join(pictures, 'error.png')});
  assert.ok(page.url().startsWith(server.base));
  await page.context().close();
});
