// SPDX-License-Identifier: Apache-2.0
// What nobody needs goes: the model with its worker, and the host, when the
// panels have gone; and all of it comes back when somebody asks.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { TINY_CHAT } from '../models/tiny-chat.js';
import { openExtension } from './extension-stage.js';
import { ask, call } from './manager-stage.js';

/** So soon, for the test need not last longer. */
const IDLE = { unloadGraceMs: 200 };

/** Something else than a host that does not close at all. */
const CLOSING_MS = 20_000;

/**
 * Panels that come and go: more of them by hand, see docs/testing.md. What the
 * first ones leave behind is kept on purpose.
 */
const PANELS = Number(process.env.TAM_PANELS ?? 40);
const PANELS_FIRST = 20;

/**
 * What each of them may leave in the page of the host, in bytes: the code that
 * is compiled on the way is shared among all.
 */
const LEFT_MAX = 32 << 10;

/** @type {import('./extension-stage.js').Extension} */
let extension;

/**
 * Has the page of the host collect its garbage; test-extension/host.js hears it.
 * @param {import('playwright-core').Page} panel
 */
function collectInHost(panel) {
  return panel.evaluate(() => new Promise((resolve) => {
    const channel = new BroadcastChannel('collect');
    channel.onmessage = resolve;
    channel.postMessage('please');
  }));
}

before(async () => {
  extension = await openExtension({ idle: IDLE });
});

after(() => extension?.close());

test('the host closes behind the last panel', { timeout: CLOSING_MS * 2 },
  async () => {
    const panel = await extension.openPanel();
    await ask(panel, 'load', { modelId: TINY_CHAT });
    assert.equal((await extension.targets('background_page')).length, 1);
    await panel.close();
    const endMs = Date.now() + CLOSING_MS;
    while ((await extension.targets('background_page')).length > 0
      || (await extension.targets('worker')).length > 0) {
      assert.ok(Date.now() < endMs, 'it does not close');
    }
    const again = await extension.openPanel();
    assert.equal((await ask(again, 'state')).state, 'unloaded');
    const { text } = await ask(again, 'generate', { message: 'What is 9 plus 4?',
      settings: { do_sample: false } });
    assert.match(text, /13/); // the model came back
    await ask(again, 'reset');
    await again.close();
  });

test('a panel that is there keeps it', async () => {
  const panel = await extension.openPanel();
  await ask(panel, 'load', { modelId: TINY_CHAT });
  const comeAndGo = async (/** @type {number} */ count) => {
    const others = [];
    for (let i = 0; i < count; i += 1) {
      const other = await extension.openPanel();
      others.push(call(other, 'callManager', { name: 'state', args: [] })
        .then(() => other.close()));
    }
    await Promise.all(others);
    await collectInHost(panel);
    return ask(panel, 'memory');
  };
  const before = await comeAndGo(PANELS_FIRST);
  const later = await comeAndGo(PANELS - PANELS_FIRST);
  assert.equal(later.wasmBytes, before.wasmBytes);
  const left = (later.jsHeapBytes - before.jsHeapBytes)
    / (PANELS - PANELS_FIRST);
  assert.ok(left < LEFT_MAX, `each panel left ${left} bytes`);
  assert.equal((await extension.targets('page')).length, 1);
  const { state } = await ask(panel, 'state');
  assert.equal(state, 'ready');
  assert.deepEqual(await ask(panel, 'jobs'), []);
  await panel.close();
});
