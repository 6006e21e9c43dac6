// SPDX-License-Identifier: Apache-2.0
// The journey of a person through the panel, as an ordinary page in Chromium:
// list, filter, open, download, pause, chat, stop, settings, offline, delete.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';

import { until } from './manager-stage.js';
import {
  ask, assertQuiet, go, keptValues, listed, openModel, openPanelStage, picture,
  ready, TINY_NAME, untilKept, view,
} from './panel-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** From the first page of the listing to its rows on the screen. */
const FIRST_ROWS_MS = 300;

/** @type {import('./panel-stage.js').PanelStage} */
let stage;
/** @type {Page} */
let page;

before(async () => {
  stage = await openPanelStage();
  page = await stage.open();
});

afterEach(() => assertQuiet(stage));

after(async () => { await stage?.close(); });

/** @param {string} text of a chip */
async function toggle(text) {
  await page.getByRole('group', { name: 'Show' })
    .getByRole('button', { name: text, exact: true }).click();
}

/** How many models the list has, by what it says of itself. */
async function shownCount() {
  const text = await page.locator('#view-models .status').innerText();
  return Number(/^([\d,]+) of/.exec(text)?.[1].replaceAll(',', ''));
}

/** Shares that the progress bar has shown. */
function recordProgress() {
  return page.evaluate(() => {
    /** @type {number[]} */
    const shares = [];
    Object.assign(globalThis, { shares });
    new MutationObserver(() => {
      const bar = /** @type {HTMLProgressElement | null} */ (
        document.querySelector('#view-models progress'));
      if (bar?.hasAttribute('value')) shares.push(bar.value);
    }).observe(document.body, {
      subtree: true, childList: true, attributes: true, characterData: true,
    });
  });
}

describe('the first time', () => {
  test('the chat leads to the models', async () => {
    await view(page).getByRole('heading', { name: 'A chat that stays here' })
      .waitFor();
    await picture(page, 'chat-empty');
    await page.getByRole('button', { name: 'Choose a model' }).click();
    await page.getByRole('list', { name: 'Models of the Hub' })
      .getByRole('listitem').first().waitFor();
    await listed(page);
    await picture(page, 'models');
  });

  test('rows come with the first page', async () => {
    // The second page is held back: what is there came with the first.
    const held = stage.hub.faults.add(
      { match: '/api/models', skip: 1, stallHead: true });
    await page.evaluate(() => {
      const seen = new Promise((resolve) => {
        new MutationObserver((_, observer) => {
          const status = document.querySelector('#view-models .status');
          if (!/^Listing….* [1-9]\d* shown/.test(status?.textContent ?? '')) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now()));
        }).observe(document.body, { subtree: true, childList: true });
      });
      performance.clearResourceTimings();
      Object.assign(globalThis, { seen });
    });
    await page.getByRole('button', { name: 'List again' }).click();
    const took = await page.evaluate(async () => {
      const seenAt = await /** @type {any} */ (globalThis).seen;
      const [first] = performance.getEntriesByType('resource')
        .filter(({ name }) => name.includes('/api/models?'));
      return seenAt
        - /** @type {PerformanceResourceTiming} */ (first).responseEnd;
    });
    await until(() => held.hits > 0);
    console.log(`first rows after ${took.toFixed(0)} ms`);
    assert.ok(took <= FIRST_ROWS_MS, `${took} ms`);
    assert.ok(await page.locator('.row').count() > 5);
    await picture(page, 'models-filling');
    held.remove();
    await page.getByRole('button', { name: 'Stop listing' }).click();
    await listed(page);
    await page.getByRole('button', { name: 'List again' }).click();
    await listed(page);
  });
});

test('rows that are judged do not wait for those that are not', async () => {
  const held = stage.hub.faults.add({ match: 'config.json', stallHead: true });
  await page.getByRole('button', { name: 'List again' }).click();
  await page.locator('#view-models .status', {
    hasText: /^Listing… 100 looked at, [1-9]\d* shown/,
  }).waitFor();
  assert.ok(held.hits > 0);
  assert.ok(await page.locator('.row').count() > 5);
  held.remove();
  await page.getByRole('button', { name: 'Stop listing' }).click();
  await page.getByRole('button', { name: 'List again' }).click();
  await listed(page);
});

describe('the list of models', () => {
  test('keeps encoders behind a toggle', async () => {
    await page.getByRole('button', { name: 'Filters' }).click();
    const encoders = page.locator('.row .badge', { hasText: 'Encoder' });
    const before = await shownCount();
    assert.equal(await encoders.count(), 0);
    await toggle('Encoders');
    for (const name of ['Chat', 'Locked', 'Unsure']) await toggle(name);
    await encoders.first().waitFor();
    const only = await shownCount();
    assert.equal(await page.locator('.row').count(),
      await encoders.count());
    for (const name of ['Chat', 'Locked', 'Unsure']) await toggle(name);
    assert.equal(await shownCount(), before + only);
    await toggle('Encoders');
    assert.equal(await shownCount(), before);
  });

  test('is searched as one types', async () => {
    await page.getByRole('searchbox', { name: 'Search models' }).fill('tiny-chat');
    assert.equal(await shownCount(), 1);
    await page.getByRole('searchbox').fill('no such model');
    await view(page).getByRole('heading', { name: 'No model matches' }).waitFor();
    await picture(page, 'models-none');
    await page.getByRole('searchbox').fill('');
    assert.ok(await shownCount() > 1);
  });

  test('searches the whole Hub', async () => {
    const requests = stage.hub.requests.length;
    await page.getByRole('searchbox').fill('tiny');
    await page.keyboard.press('Enter');
    await page.locator('#view-models .status', { hasText: 'for “tiny”' }).waitFor();
    assert.ok(stage.hub.requests.slice(requests)
      .some(({ url }) => url.includes('search=tiny')));
    await page.getByRole('searchbox').fill('');
    await page.getByRole('button', { name: 'List all models' }).click();
    await page.locator('#view-models .status:not(:has-text("tiny"))',
      { hasText: /listed/ }).waitFor();
  });

  test('says of each variant how large it is and whether it fits', async () => {
    await openModel(page, TINY_NAME);
    const variants = page.locator('.variant');
    assert.equal(await variants.count(), 3);
    for (const variant of await variants.all()) {
      await variant.locator('.verdict', { hasText: 'Fits' }).waitFor();
      assert.match(await variant.innerText(), /\d (KB|MB)/);
    }
    await picture(page, 'model-open');
  });
});

describe('a download', () => {
  test('tells its rate, pauses and goes on', async () => {
    const slow = stage.hub.faults.add(
      { content: true, slow: { bytes: 1 << 14, everyMs: 10 } });
    const fp32 = page.locator('.variant', { hasText: 'fp32' });
    await recordProgress();
    await fp32.getByRole('button', { name: /^Download/ }).click();
    await fp32.locator('.transfer-text', { hasText: /\/s.* left/ }).waitFor();
    await picture(page, 'downloading');
    await fp32.getByRole('button', { name: /^Pause/ }).click();
    await fp32.locator('.transfer-text', { hasText: 'Paused' }).waitFor();
    const requests = stage.hub.requests.length;
    await go(page, 'Storage');
    await view(page).getByRole('list', { name: 'Downloads' })
      .getByText('Paused').waitFor();
    await picture(page, 'paused');
    assert.equal(stage.hub.requests.length, requests);
    await go(page, 'Models');
    slow.remove();
    await fp32.getByRole('button', { name: /^Resume/ }).click();
    await fp32.getByRole('button', { name: /^Chat with/ }).waitFor();
    const shares = await page.evaluate(
      () => /** @type {any} */ (globalThis).shares);
    assert.ok(shares.length > 3, `${shares}`);
    assert.deepEqual(shares, [...Float64Array.from(shares).sort()]);
  });

  test('is cancelled, and another runs to its end', async () => {
    const stalled = stage.hub.faults.add({ content: true, stallAfter: 1000 });
    const fp16 = page.locator('.variant', { hasText: 'fp16' });
    await fp16.getByRole('button', { name: /^Download/ }).click();
    await fp16.getByRole('button', { name: /^Cancel/ }).click();
    await fp16.getByRole('button', { name: /^Download/ }).waitFor();
    stalled.remove();
    await page.locator('.variant', { hasText: 'Recommended' })
      .getByRole('button', { name: /^Download/ }).click();
    await page.locator('.variant', { hasText: 'Recommended' })
      .getByRole('button', { name: /^Chat with/ }).click();
  });
});

describe('a chat', () => {
  test('streams its answer and says how fast it was', async () => {
    const answer = await ask(page, 'What is 9 plus 4?');
    assert.match(answer, /13/);
    const numbers = await page.locator('.answer-foot .numbers').innerText();
    assert.match(numbers, /tokens\/s · first after/);
    await page.locator('.model-state', { hasText: 'Ready on the CPU' }).waitFor();
    const code = await ask(page, 'Show me code');
    assert.match(code, /createModelManager/);
    assert.equal(await page.locator('figure.code pre').count(), 1);
    await picture(page, 'chat');
  });

  test('knows whether the model is in memory', async () => {
    const state = page.locator('.model-state');
    await page.evaluate(() => /** @type {any} */ (globalThis).manager.reset());
    await go(page, 'Storage');
    await go(page, 'Chat');
    await state.getByText('Loads with the first question').waitFor();
    await page.evaluate(() => {
      const { manager } = /** @type {any} */ (globalThis);
      return manager.load({ modelId: 'tabagent/tiny-chat', dtype: 'q8' });
    });
    await go(page, 'Storage');
    await go(page, 'Chat');
    await state.getByText('Ready on the CPU').waitFor();
  });

  test('stops at once, with what there is', async () => {
    // An answer without end: nothing but stop ends it.
    await page.evaluate(() => /** @type {any} */ (globalThis).manager
      .updateSettings({ eos_token_id: [], max_new_tokens: 100_000 }));
    await page.getByRole('textbox', { name: 'Message' }).fill('Tell me a story');
    await page.keyboard.press('Enter');
    await page.locator('.answer[aria-busy=true] .prose p').waitFor();
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.locator('.answer-foot', { hasText: 'stopped' }).waitFor();
    await page.getByRole('button', { name: 'Send' }).waitFor();
    await page.evaluate(() => /** @type {any} */ (globalThis).manager
      .updateSettings({ eos_token_id: null, max_new_tokens: null }));
  });

  test('folds what the model thinks', async () => {
    await page.evaluate(() => {
      const { manager } = /** @type {any} */ (globalThis);
      manager.generateStream = async function* think() {
        const part = { tokenIds: [1], numTokens: 1, tokensPerSecond: 5 };
        yield { ...part, kind: 'reasoning', text: 'Let me see.' };
        yield { ...part, kind: 'content', text: 'It is so.' };
        return {
          text: 'It is so.', reasoning: 'Let me see.', stopReason: 'eos',
          newTokens: 2, tokensPerSecond: 5, timeToFirstTokenMs: 1,
          droppedMessages: 0, effective: {}, ignored: [],
        };
      };
    });
    assert.equal(await ask(page, 'Is it so?'), 'It is so.');
    const thought = page.locator('.answer').last().locator('details');
    assert.equal(await thought.getAttribute('open'), null);
    await thought.locator('summary').click();
    await thought.getByText('Let me see.').waitFor();
    await page.evaluate(() => {
      delete /** @type {any} */ (globalThis).manager.generateStream;
    });
  });

  test('tells what went wrong, and tries again', async () => {
    await page.evaluate(() => {
      const { manager } = /** @type {any} */ (globalThis);
      manager.load = async () => {
        throw Object.assign(new Error('no room for 900 MB'),
          { code: 'out_of_memory', stage: 'load' });
      };
    });
    await page.getByRole('textbox', { name: 'Message' }).fill('What is 2 plus 3?');
    await page.keyboard.press('Enter');
    const alert = view(page).getByRole('alert');
    await alert.getByText('out_of_memory').waitFor();
    assert.match(await alert.innerText(),
      /needs more memory than there is[^]*No room for 900 MB[^]*smaller model/);
    await picture(page, 'chat-error');
    await page.evaluate(() => {
      delete /** @type {any} */ (globalThis).manager.load;
    });
    await alert.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.answer .prose').last().getByText('5').waitFor();
  });
});

describe('an answer that was on its way when the panel closed', () => {
  /** What the host would say of the job, beginning with the first part. */
  const follow = () => {
    addEventListener('manager', () => {
      const { manager } = /** @type {any} */ (globalThis);
      manager.jobs = async () => [{ id: 'generate-7', kind: 'generate' }];
      manager.subscribe = async function* replay(/** @type {string} */ id) {
        const part = { kind: 'content', numTokens: 1, tokensPerSecond: 5 };
        yield { ...part, text: `Part one of ${id}, ` };
        yield { ...part, text: 'part two.' };
        yield {
          text: `Part one of ${id}, part two.`, stopReason: 'eos', newTokens: 9,
          tokensPerSecond: 5, timeToFirstTokenMs: 1, droppedMessages: 0,
          effective: {}, ignored: [],
        };
      };
    });
  };
  /** @type {Page} */
  let other;

  before(async () => {
    other = await stage.open({ script: follow });
    await go(other, 'Chat');
    await other.getByRole('button', { name: 'New chat' }).click();
    await other.evaluate(() => {
      const { manager } = /** @type {any} */ (globalThis);
      manager.generateStream = async function* begin() {
        yield { kind: 'content', numTokens: 1, tokensPerSecond: 5, text: 'Part' };
        await new Promise(() => {});
      };
    });
    await other.getByRole('textbox', { name: 'Message' }).fill('Go on?');
    await other.keyboard.press('Enter');
    await other.locator('.answer .prose', { hasText: 'Part' }).waitFor();
    await untilKept(other, ({ jobId }) => jobId === 'generate-7');
  });

  after(() => other.close());

  test('is followed from its beginning, and kept', async () => {
    await other.reload();
    await ready(other);
    await other.locator('.answer-foot').waitFor();
    assert.equal(await other.locator('.answer .prose').innerText(),
      'Part one of generate-7, part two.');
    await other.reload();
    await ready(other);
    await other.locator('.answer .prose').waitFor();
    assert.equal(await other.locator('.answer').count(), 1);
    await other.getByRole('button', { name: 'Chats', exact: true }).click();
    await other.getByRole('button', { name: 'Delete Go on?' }).click();
    await other.getByRole('button', { name: 'Delete Go on?' })
      .waitFor({ state: 'detached' });
  });
});

describe('the settings', () => {
  /** @param {string} label @param {string} value */
  const set = async (label, value) => {
    const field = page.getByRole('textbox', { name: label, exact: true });
    await field.fill(value);
    await field.blur();
  };
  /** @param {string} name */
  const use = (name) => page.locator('.setting', {
    has: page.locator(`code:text-is("${name}")`),
  }).locator('.use');

  test('say what each did in the last answer', async () => {
    await go(page, 'Settings');
    await set('Temperature', '0.7');
    await set('Longest answer', '3');
    await go(page, 'Chat');
    await ask(page, 'What can you do?');
    await page.locator('.numbers', { hasText: 'cut at the limit' }).waitFor();
    await go(page, 'Settings');
    assert.equal(await use('max_new_tokens').innerText(), 'Used: 3');
    assert.match(await use('temperature').innerText(), /^Ignored: .*do_sample/);
    await picture(page, 'settings');
    await page.getByRole('switch', { name: 'Draw words' }).click();
    await go(page, 'Chat');
    await ask(page, 'What can you do?');
    await go(page, 'Settings');
    assert.equal(await use('temperature').innerText(), 'Used: 0.7');
  });

  test('refuse what is out of range, and are reset', async () => {
    await set('Temperature', '-1');
    const alert = view(page).getByRole('alert');
    assert.equal(await alert.innerText(), 'It must be 0 or more.');
    assert.equal(await page.evaluate(async () => (
      await /** @type {any} */ (globalThis).manager.settings()).temperature), 0.7);
    await page.getByRole('button', { name: 'Reset all' }).click();
    await page.waitForFunction(async () => Object.keys(
      await /** @type {any} */ (globalThis).manager.settings()).length === 0);
    const temperature = page.getByRole('textbox', { name: 'Temperature' });
    await page.waitForFunction(() => (
      document.querySelectorAll('.setting[data-saved=true]').length === 0));
    assert.equal(await temperature.inputValue(), '');
    await page.getByRole('searchbox', { name: 'Find a setting' }).fill('beams');
    await page.getByRole('textbox', { name: 'Beams', exact: true }).waitFor();
    assert.equal(await temperature.isVisible(), false);
  });
});

describe('without a network', () => {
  test('chats, list and model are there', async () => {
    const gone = stage.hub.faults.add({ match: '/', status: 503 });
    await page.reload();
    await ready(page);
    await go(page, 'Chat');
    await view(page).getByText('What is 9 plus 4?').waitFor();
    await page.getByRole('button', { name: 'New chat' }).click();
    assert.match(await ask(page, 'What is 9 plus 4?'), /13/);
    await go(page, 'Models');
    await page.locator('#view-models .status', { hasText: 'listed just now' })
      .waitFor();
    await page.getByRole('button', { name: 'List again' }).click();
    const alert = view(page).getByRole('alert');
    await alert.getByText('listing_failed').waitFor();
    assert.ok(await page.locator('.row').count() > 5);
    await picture(page, 'models-offline');
    gone.remove();
    await alert.getByRole('button', { name: 'Try again' }).click();
    await alert.waitFor({ state: 'detached' });
    await listed(page);
  });

  test('chats are kept until they are deleted', async () => {
    await go(page, 'Chat');
    await page.getByRole('button', { name: 'Chats', exact: true }).click();
    const kept = page.getByRole('list', { name: 'Kept chats' });
    await kept.waitFor();
    assert.equal(await kept.getByRole('listitem').count(), 2);
    await picture(page, 'chats');
    await kept.getByRole('button', { name: /^Delete/ }).first().click();
    await page.waitForFunction(
      () => document.querySelectorAll('.shelf li').length === 1);
    await kept.locator('.shelf-chat').click();
    await view(page).getByText('Show me code').waitFor();
  });
});

describe('what is stored', () => {
  test('is verified, pinned and looked up', async () => {
    await go(page, 'Storage');
    const card = view(page).getByRole('listitem', { name: 'tabagent/tiny-chat' });
    await card.getByRole('button', { name: /^Verify/ }).click();
    await card.getByText('Every byte is as it should be.').waitFor();
    await card.getByRole('button', { name: /^Update/ }).click();
    await card.getByText('This is the latest revision.').waitFor();
    await card.getByRole('button', { name: /^Pin/ }).click();
    await card.getByRole('button', { name: /^Unpin/ }).waitFor();
    await picture(page, 'storage');
  });

  test('is exported, deleted and imported again', async () => {
    // The file chooser of the browser is nothing that a test can operate.
    await page.evaluate(() => {
      Object.assign(globalThis, { showSaveFilePicker: undefined });
    });
    const card = view(page).getByRole('listitem', { name: 'tabagent/tiny-chat' });
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      card.getByRole('button', { name: /^Export/ }).click(),
    ]);
    assert.equal(file.suggestedFilename(), 'tabagent--tiny-chat.tar');
    await card.getByText('Written to tabagent--tiny-chat.tar.').waitFor();
    const path = /** @type {string} */ (await file.path());
    const stored = await page.evaluate(
      () => /** @type {any} */ (globalThis).manager.models());
    await page.evaluate(() => (
      /** @type {any} */ (globalThis).manager.deleteModel('tabagent/tiny-chat')));
    const chooser = view(page).getByLabel('Backup of a model');
    await chooser.setInputFiles({
      name: 'notes.tar', mimeType: 'application/x-tar',
      buffer: Buffer.from('not an archive'),
    });
    await view(page).getByText('This file is no backup of a model').waitFor();
    await picture(page, 'storage-no-backup');
    await chooser.setInputFiles({
      name: 'tiny.tar', mimeType: 'application/x-tar',
      buffer: await readFile(path),
    });
    await view(page).getByText(/^tabagent\/tiny-chat is stored/).waitFor();
    const again = await page.evaluate(
      () => /** @type {any} */ (globalThis).manager.models());
    assert.deepEqual([again[0].commit, again[0].bytes],
      [stored[0].commit, stored[0].bytes]);
    await picture(page, 'storage-imported');
  });

  test('is exported into a file that the person chooses', async () => {
    await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      Object.assign(globalThis, { showSaveFilePicker: (
        /** @type {{ suggestedName: string }} */ { suggestedName }) => (
        folder.getFileHandle(suggestedName, { create: true })) });
    });
    const card = view(page).getByRole('listitem', { name: 'tabagent/tiny-chat' });
    await card.getByRole('button', { name: /^Export/ }).click();
    await card.getByText('Written to tabagent--tiny-chat.tar.').waitFor();
    const [size, bytes] = await page.evaluate(async () => {
      const folder = await navigator.storage.getDirectory();
      const file = await (await folder.getFileHandle('tabagent--tiny-chat.tar'))
        .getFile();
      const { manager } = /** @type {any} */ (globalThis);
      return [file.size, (await manager.models())[0].bytes];
    });
    assert.ok(size > bytes, `${size} bytes hold ${bytes}`);
    // Whoever closes the chooser wants nothing.
    await page.evaluate(() => {
      Object.assign(globalThis, { showSaveFilePicker: async () => {
        throw new DOMException('The user aborted a request.', 'AbortError');
      } });
    });
    await card.getByRole('button', { name: /^Export/ }).click();
    await card.getByText('Nothing was exported.').waitFor();
  });

  test('is deleted when the person is sure', async () => {
    const card = view(page).getByRole('listitem', { name: 'tabagent/tiny-chat' });
    const remove = card.getByRole('button', {
      name: 'Delete tabagent/tiny-chat', exact: true,
    });
    await remove.click();
    await picture(page, 'storage-delete');
    await card.getByRole('button', { name: /^Keep/ }).click();
    await remove.click();
    await card.getByRole('button', { name: /^Really delete/ }).click();
    await view(page).getByText('Nothing is stored yet').waitFor();
    assert.deepEqual(await page.evaluate(
      () => /** @type {any} */ (globalThis).manager.models()), []);
  });
});

describe('health and account', () => {
  test('say what is well and what is not', async () => {
    await go(page, 'Health');
    const checks = view(page).getByRole('list', { name: 'Checks' });
    await checks.getByRole('heading', { name: /^Storage works\s*\(well\)/ }).waitFor();
    await picture(page, 'health');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the report' }).click(),
    ]);
    assert.equal(file.suggestedFilename(), 'tabagent-report.json');
  });

  test('a token is handed on and not kept', async () => {
    await page.evaluate(() => {
      const { manager } = /** @type {any} */ (globalThis);
      manager.login = async (/** @type {any[]} */ ...args) => {
        Object.assign(globalThis, { logins: args });
        return { name: 'ada', role: 'read' };
      };
      manager.logout = async () => {};
    });
    await go(page, 'Account');
    await picture(page, 'account');
    await page.getByLabel('Access token').fill('hf_secret');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await view(page).getByRole('heading', { name: 'ada' }).waitFor();
    assert.deepEqual(await page.evaluate(
      () => /** @type {any} */ (globalThis).logins),
    ['hf_secret', { persist: false }]);
    const kept = JSON.stringify(await keptValues(page));
    assert.ok(!kept.includes('hf_secret'));
    assert.ok(!(await page.content()).includes('hf_secret'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
  });
});
