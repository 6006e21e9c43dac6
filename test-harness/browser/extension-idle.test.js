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
 * What the page of the host may have grown by then: with 200 panels, less than a
 * leak of 32 KB by each. The browser tells its heap with garbage in it.
 */
const GROWTH_MAX = 6 << 20;

/** @type {import('./extension-stage.js').Extension} */
let extension;

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
    return ask(panel, 'memory');
  };
  const before = await comeAndGo(PANELS_FIRST);
  const later = await comeAndGo(PANELS - PANELS_FIRST);
  assert.equal(later.wasmBytes, before.wasmBytes);
  assert.ok(later.jsHeapBytes < before.jsHeapBytes + GROWTH_MAX,
    `${before.jsHeapBytes} became ${later.jsHeapBytes}`);
  assert.equal((await extension.targets('page')).length, 1);
  const { state } = await ask(panel, 'state');
  assert.equal(state, 'ready');
  assert.deepEqual(await ask(panel, 'jobs'), []);
  await panel.close();
});
