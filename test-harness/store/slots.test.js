// SPDX-License-Identifier: Apache-2.0
// How many chunks of one download wait to be written, at the most: that is what
// bounds its memory.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertStored, CHUNK, createModelHub, isContent, managerOf, MODEL, pass, SLOTS,
  SLOTS_OUTSIDE,
} from './world.js';
import { createVirtualClock } from '../hub/index.js';

const FILES = {
  'onnx/model.onnx': { size: (SLOTS_OUTSIDE + 2) * CHUNK, seed: 'slots' },
};

const FAST = { bytes: 1 << 20, everyMs: 10 };
const SLOW = { bytes: 1 << 18, everyMs: 100 };

/** Long enough for all that is asked for, on either line. */
const HELD_MS = 30_000;

/**
 * Downloads with a storage that writes nothing for a while.
 * @param {{ isOutside: boolean, slow: { bytes: number, everyMs: number } }} line
 * @returns {Promise<number>} how many chunks were asked for by then
 */
async function chunksInFlight({ isOutside, slow }) {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const hub = createModelHub(FILES, { clock });
  hub.faults.add({ match: 'xet', content: true, slow });
  const data = emptyData();
  /** @type {Set<string | null>} */
  const ranges = new Set();
  let release = () => {};
  /** @type {Promise<void>} */
  const held = new Promise((resolve) => { release = resolve; });
  const store = new MemoryStore(data, {
    before: (name) => (name === 'write' && ranges.size > 0 ? held : undefined),
  });
  const manager = await managerOf(store, {
    clock, isOutside,
    fetch: (url, init) => {
      const range = new Headers(init?.headers).get('range');
      if (range !== null) ranges.add(range);
      return hub.fetch(url, init);
    },
  });
  const download = manager.download(MODEL);
  const late = new Promise((resolve) => { clock.setTimeout(resolve, HELD_MS); });
  await pass(clock, late);
  const count = ranges.size;
  release();
  await pass(clock, download);
  assert.equal(ranges.size, SLOTS_OUTSIDE + 2);
  assert.ok(hub.requests.some(isContent));
  await manager.dispose();
  await assertStored(data, FILES);
  return count;
}

describe('chunks that wait to be written', () => {
  test('where a browser keeps them, on a fast line', async () => {
    assert.equal(
      await chunksInFlight({ isOutside: true, slow: FAST }), SLOTS_OUTSIDE);
  });

  test('where a browser keeps them, on a slow line', async () => {
    assert.equal(await chunksInFlight({ isOutside: true, slow: SLOW }), SLOTS);
  });

  test('in the memory of the process', async () => {
    assert.equal(await chunksInFlight({ isOutside: false, slow: FAST }), SLOTS);
    assert.equal(await chunksInFlight({ isOutside: false, slow: SLOW }), SLOTS);
  });
});
