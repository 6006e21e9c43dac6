// SPDX-License-Identifier: Apache-2.0
// The demo extension as it is built: installed, its panel closed and opened
// while it works, the browser started again, without the Hub.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';

import { checkPackage, EMSCRIPTEN_CALLERS }
  from '../extension/package-check.js';
import { openDemoStage } from './demo-stage.js';
import {
  ask, go, listed, openModel, picture, ready, TINY_NAME, untilKept, view,
} from './panel-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** Tokens of an answer that takes a while. */
const LONG = 300;

/** @type {Awaited<ReturnType<typeof openDemoStage>>} */
let stage;
/** @type {import('./demo-stage.js').Browser} */
let browser;
/** @type {Page} */
let page;

before(async () => {
  stage = await openDemoStage();
  browser = await stage.start();
  page = await browser.openPanel();
});

afterEach(() => assert.deepEqual(stage.complaints.splice(0), []));

after(async () => {
  await browser?.close();
  await stage?.close();
});

describe('the package', () => {
  test('asks for little, and runs only what is in it', async () => {
    assert.deepEqual(checkPackage(stage.folder, {
      hosts: ['http://127.0.0.1/*'], code: [EMSCRIPTEN_CALLERS],
    }), []);
  });

  test('has every file that its scripts name', async () => {
    const files = await readdir(stage.folder);
    for (const file of files.filter((name) => name.endsWith('.js'))) {
      const text = await readFile(join(stage.folder, file), 'utf8');
      for (const [, name] of text.matchAll(/["'`]\.\/([\w.-]+\.js)["'`]/g)) {
        assert.ok(files.includes(name), `${file} names ${name}`);
      }
    }
    // The default build of ONNX Runtime is 28 MB of WebAssembly for nobody.
    assert.ok(!files.some((name) => name.includes('jsep')), `${files}`);
    for (const name of ['tabagent.wasm', 'tabagent-host.html', 'host.js']) {
      assert.ok(files.includes(name), name);
    }
  });
});

describe('the panel', () => {
  test('lists, and shows how a download goes on after a reload', async () => {
    await openModel(page, TINY_NAME);
    const slow = stage.hub.faults.add(
      { content: true, slow: { bytes: 1 << 14, everyMs: 20 } });
    await page.getByRole('button', { name: /^Download .* fp32/ }).click();
    await page.locator('.transfer-text', { hasText: '/s' }).waitFor();
    await page.reload();
    await ready(page);
    await go(page, 'Storage');
    await view(page).getByRole('list', { name: 'Downloads' })
      .locator('.transfer-text', { hasText: /%.*\/s.*left/ }).waitFor();
    await picture(page, 'extension-storage');
    slow.remove();
    const card = view(page).getByRole('listitem', { name: 'tabagent/tiny-chat' });
    await card.getByRole('button', { name: /^Chat with .* fp32/ }).click();
  });

  test('chats, stops, and types while the model writes', async () => {
    assert.match(await ask(page, 'What is 9 plus 4?'), /13/);
    await page.locator('.model-state', { hasText: /^Ready on/ }).waitFor();
    await go(page, 'Settings');
    const field = page.getByRole('textbox', { name: 'Shortest answer' });
    await page.getByText('Length and end').click();
    await field.fill('2000');
    await field.blur();
    await page.locator('.setting[data-saved=true]').waitFor();
    await go(page, 'Chat');
    const message = page.getByRole('textbox', { name: 'Message' });
    await message.fill('Tell me a story');
    await page.keyboard.press('Enter');
    await page.locator('.answer[aria-busy=true] .prose p').waitFor();
    await message.pressSequentially('While you write');
    assert.equal(await message.inputValue(), 'While you write');
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('.answer-foot', { hasText: 'stopped' }).waitFor();
    await picture(page, 'extension-chat');
    await go(page, 'Settings');
    assert.equal(await page.locator('.setting', {
      has: page.locator('code:text-is("min_new_tokens")'),
    }).locator('.use').innerText(), 'Used: 2000');
    await page.getByRole('button', { name: 'Reset all' }).click();
    await page.waitForFunction(() => (
      document.querySelectorAll('.setting[data-saved=true]').length === 0));
  });

  test('shows an answer to its end that began before a reload', async () => {
    await go(page, 'Settings');
    const set = async (/** @type {string} */ name) => {
      const field = page.getByRole('textbox', { name, exact: true });
      await field.fill(String(LONG));
      await field.blur();
    };
    // It opens what it finds.
    await page.getByRole('searchbox', { name: 'Find a setting' }).fill('answer');
    await set('Longest answer');
    await set('Shortest answer');
    await page.waitForFunction(() => (
      document.querySelectorAll('.setting[data-saved=true]').length === 2));
    await go(page, 'Chat');
    await page.getByRole('button', { name: 'New chat' }).click();
    await page.getByRole('textbox', { name: 'Message' }).fill('Tell me a story');
    await page.keyboard.press('Enter');
    await page.locator('.answer[aria-busy=true] .prose p').waitFor();
    await untilKept(page, ({ jobId }) => jobId);
    await page.reload();
    await ready(page);
    const numbers = page.locator('.answer-foot .numbers');
    await numbers.getByText(`${LONG} tokens`).waitFor();
    assert.equal(await page.locator('.answer').count(), 1);
    // All of it, not only what came after the reload.
    const text = await page.locator('.answer .prose').innerText();
    assert.ok(text.length > LONG, text);
    await go(page, 'Settings');
    await page.getByRole('button', { name: 'Reset all' }).click();
    await page.waitForFunction(() => (
      document.querySelectorAll('.setting[data-saved=true]').length === 0));
  });

  test('logs in with a token that the Hub knows', async () => {
    await go(page, 'Account');
    const token = page.getByLabel('Access token');
    await token.fill('hf_nobody');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await view(page).getByRole('alert').getByText('unauthorized').waitFor();
    await token.fill('hf_granted');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await view(page).getByRole('heading', { name: 'granted' }).waitFor();
    await picture(page, 'extension-account');
    await page.reload();
    await ready(page);
    await go(page, 'Account');
    await view(page).getByRole('heading', { name: 'granted' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await token.waitFor();
  });

  test('finds all well', async () => {
    await go(page, 'Health');
    await view(page).locator('.check').first().waitFor();
    await picture(page, 'extension-health');
    const bad = await view(page).locator('.check[data-ok=false]').allInnerTexts();
    // Whether there is a graphics card is the machine's matter.
    assert.deepEqual(bad.filter((text) => !/Graphics|Half/.test(text)), []);
  });
});

test('after a restart of the browser nothing is needed from the Hub', async () => {
  await go(page, 'Account');
  await page.getByLabel('Access token').fill('hf_granted');
  await page.getByLabel('Stay signed in').check();
  await page.getByRole('button', { name: 'Sign in' }).click();
  await view(page).getByRole('heading', { name: 'granted' }).waitFor();
  await browser.close();
  stage.hub.faults.add({ match: '/', status: 503 });
  browser = await stage.start();
  page = await browser.openPanel();
  await go(page, 'Chat');
  await view(page).getByText('Tell me a story').waitFor();
  await page.getByRole('button', { name: 'New chat' }).click();
  assert.match(await ask(page, 'What is 2 plus 3?'), /5/);
  await go(page, 'Models');
  await listed(page);
  assert.ok(await page.locator('.row').count() > 5);
  await go(page, 'Account');
  await view(page).getByRole('heading', { name: 'granted' }).waitFor();
});
