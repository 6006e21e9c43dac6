// SPDX-License-Identifier: Apache-2.0
// What a download says of itself while it runs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { emptyData, MemoryStore } from './memory-store.js';
import {
  CHUNK, contentBytes, FILES, managerOf, MODEL, pass, sizeOf, virtualWorld,
} from './world.js';

const SIZE = sizeOf(FILES);

/** Messages in any second, at the most. */
const RATE = 10;
const CDN = { match: 'xet', content: true };

/**
 * Downloads, and checks what holds for every download.
 * @param {import('../hub/faults.js').Rule[]} faults
 * @param {{ data?: import('./memory-store.js').Data,
 *   files?: import('./world.js').Files, writeMs?: number }} [options] writeMs:
 *   how long each transaction takes
 */
async function watch(faults, {
  data = emptyData(), files = FILES, writeMs = 0,
} = {}) {
  const size = sizeOf(files);
  const { clock, hub } = await virtualWorld(
    new MemoryStore(), { files, faults });
  const isNew = data.files.size === 0;
  /** @type {{ at: number, sent: number, message: any }[]} */
  const said = [];
  /** @type {any[]} */
  const all = [];
  const manager = await managerOf(new MemoryStore(data, {
    before: (name) => (name !== 'write' || writeMs === 0 ? undefined
      : new Promise((resolve) => { clock.setTimeout(resolve, writeMs); })),
  }), {
    fetch: hub.fetch, clock, onMessage: (message) => all.push(message),
  });
  const end = await pass(clock, manager.download(MODEL, {
    onProgress: (message) => said.push({
      at: clock.now(), message,
      sent: hub.requests.reduce((sum, { url, bytesSent }) => (
        sum + (url.includes('/api/models') ? 0 : bytesSent)), 0),
    }),
  }).catch((error) => error));
  await pass(clock, clock.advance(10_000));

  assert.ok(said.length > 0);
  let loaded = 0;
  let seq = -1;
  for (const [i, { message, at, sent }] of said.entries()) {
    assert.equal(message.total, size);
    if (isNew) assert.ok(message.loaded <= sent, `${message.loaded}, ${sent}`);
    assert.ok(message.loaded >= loaded && message.loaded <= size);
    assert.ok(['download', 'verify'].includes(message.phase));
    assert.ok(message.bytesPerSecond >= 0);
    assert.ok(message.etaMs === null || message.etaMs >= 0);
    assert.ok(message.seq > seq);
    assert.ok(i < RATE || at - said[i - RATE].at >= 1000,
      `message ${i} comes ${at - said[i - RATE]?.at} ms after ${i - RATE}`);
    ({ loaded, seq } = message);
  }
  const terminal = all.filter(({ action }) => /:(done|error)$/.test(action));
  assert.equal(terminal.length, 1);
  assert.equal(all[all.length - 1], terminal[0]);
  await manager.dispose();
  assert.equal(all[all.length - 1], terminal[0]);
  return { said, end, all, data };
}

describe('progress', () => {
  test('of a download on a slow line', async () => {
    const { said, end } = await watch(
      [{ ...CDN, slow: { bytes: CHUNK / 64, everyMs: 100 } }]);
    assert.equal(end.bytes, SIZE);
    assert.ok(said.length > 50);
    // The total is known before the first byte of a file.
    assert.equal(said[0].sent, 0);
    const { message } = said[said.length - 1];
    assert.deepEqual([message.loaded, message.file], [SIZE, null]);
    const middle = said[Math.floor(said.length / 2)].message;
    assert.equal(middle.file, 'onnx/model.onnx');
    // 2.6 MB/s, as the line gives it.
    assert.ok(Math.abs(middle.bytesPerSecond - CHUNK / 6.4) < CHUNK / 20,
      `${middle.bytesPerSecond}`);
    assert.ok(middle.etaMs > 1000 && middle.etaMs < 7000, `${middle.etaMs}`);
  });

  test('says no more than has come, also while it is written', async () => {
    const files = { 'onnx/model.onnx': { size: 2 * CHUNK, seed: 1 } };
    const { said } = await watch([
      // Twice: that a line is slow shows when a chunk does not come at once.
      { ...CDN, slow: { bytes: CHUNK / 32, everyMs: 100 }, times: 2 },
    ], { files, writeMs: 1000 });
    assert.ok(said.some(({ message }) => (
      message.loaded > CHUNK && message.loaded < 2 * CHUNK)));
  });

  test('does not go back when connections break', async () => {
    const { end } = await watch([
      { ...CDN, slow: { bytes: CHUNK / 32, everyMs: 100 } },
      { ...CDN, resetAfter: CHUNK / 2, times: 2 },
    ]);
    assert.equal(end.bytes, SIZE);
  });

  test('does not go back when bytes are wrong', async () => {
    const { end } = await watch([{ ...CDN, corruptAt: 9, times: 1 }]);
    assert.equal(end.bytes, SIZE);
  });

  test('ends with the error', async () => {
    const { end } = await watch([{ ...CDN, status: 503 }]);
    assert.equal(end.code, 'http_status');
  });

  test('of a download that was there begins and ends with all', async () => {
    const { data } = await watch([]);
    const { said, end } = await watch([], { data });
    assert.equal(end.fromCache, true);
    for (const { message } of said) assert.equal(message.loaded, SIZE);
  });
});

// A chunk that is taken as a whole says nothing before it is there.
test('that a line is slow costs a second of it, once', async () => {
  const files = { 'onnx/model.onnx': { size: 4 * CHUNK, seed: 2 } };
  const { hub, manager, clock, download } = await virtualWorld(
    new MemoryStore(),
    { files, faults: [{ ...CDN, slow: { bytes: 1 << 18, everyMs: 100 } }] });
  const { fetchedBytes } = await download();
  assert.equal(fetchedBytes, 4 * CHUNK);
  const wasted = contentBytes(hub) - fetchedBytes;
  assert.ok(wasted > 0 && wasted <= 3 << 20, `${wasted} bytes`);
  await pass(clock, manager.deleteModel(MODEL));
  const from = hub.requests.length;
  await download();
  assert.equal(contentBytes(hub, from), 4 * CHUNK);
  await manager.dispose();
});

test('a fast line is asked for every byte once', async () => {
  const files = { 'onnx/model.onnx': { size: 4 * CHUNK, seed: 2 } };
  const { hub, manager, download } = await virtualWorld(new MemoryStore(),
    { files, faults: [{ ...CDN, slow: { bytes: 1 << 18, everyMs: 10 } }] });
  await download();
  assert.equal(contentBytes(hub), 4 * CHUNK);
  await manager.dispose();
});
