// SPDX-License-Identifier: Apache-2.0
// Processes that are killed while they download into a directory: the next one
// serves right bytes only, and goes on where it was.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { DiskStore } from '../../js-bindings/store/disk.js';
import { startDisk } from './on-disk.js';
import {
  CHUNK, contentBytes, managerOf, MODEL, readFile, sizeOf, SLOTS, SMALL_FILES,
} from './world.js';

/** How often a process is killed; more by hand. */
const KILLS = Number(process.env.TAM_MODEL_KILLS ?? 20);

const FILES = {
  ...SMALL_FILES, 'onnx/model.onnx': { size: 2 * CHUNK + 70_000, seed: 'k' },
};
const SIZE = sizeOf(FILES);

/** Requests take their time, so that there is something to be killed in. */
const PACE = { content: true, slow: { bytes: 1 << 20, everyMs: 4 } };

/** @param {number} seed */
function randomSource(seed) {
  return (/** @type {number} */ below) => {
    seed = seed * 48271 % 2147483647;
    return seed % below;
  };
}

describe('killed at any moment of a download', async () => {
  const disk = await startDisk(FILES);
  after(() => disk.close());
  disk.hub.faults.add(PACE);

  /** Reads without a network. */
  async function assertNothingWrong() {
    const manager = await managerOf(
      new DiskStore(disk.dataDir), { hubUrl: disk.server.url });
    const ends = [];
    for (const [path, file] of Object.entries(FILES)) {
      const response = await manager.cache.match(
        `${disk.server.url}/${MODEL}/resolve/main/${path}`);
      if (!response) continue;
      await response.body?.cancel();
      ends.push(await readFile(manager, path, file,
        `${disk.server.url}/${MODEL}/resolve/main/${path}`));
    }
    await manager.dispose();
    assert.ok(ends.every((end) => end === 'right'), String(ends));
    return ends.length;
  }

  async function chunkBytes() {
    const store = new DiskStore(disk.dataDir);
    let bytes = 0;
    for (const key of await store.keys(MODEL)) {
      if (/_chunk_\d+$/.test(key)) bytes += await store.size(key) ?? 0;
    }
    store.close();
    return bytes;
  }

  test(`${KILLS} times`, async () => {
    const random = randomSource(Number(process.env.TAM_SEED ?? 1));
    for (let kills = 0; kills < KILLS; kills += 1) {
      const from = disk.hub.requests.length;
      const before = await chunkBytes();
      const { child, lines, exited } = disk.start();
      const atBytes = random(SIZE);
      const atMs = random(400);
      // After some time, or where so much is there, whatever that is good for.
      const timer = kills % 3 === 0
        ? setTimeout(() => child.kill('SIGKILL'), atMs) : undefined;
      let isOver = false;
      for await (const line of lines) {
        const { loaded, fetchedBytes } = JSON.parse(line);
        if (loaded >= atBytes && !timer) child.kill('SIGKILL');
        isOver ||= fetchedBytes !== undefined;
      }
      clearTimeout(timer);
      await exited;
      const stored = await assertNothingWrong();
      const bytes = await chunkBytes();
      // What was sent and is not there were the chunks in flight.
      assert.ok(contentBytes(disk.hub, from) - (bytes - before)
        <= SLOTS * CHUNK);
      if (!isOver && stored < Object.keys(FILES).length && random(4) > 0) {
        continue;
      }
      // Some download has to end.
      const { resumedBytes, fetchedBytes, code } = await disk.run();
      assert.equal(code, undefined);
      assert.deepEqual([resumedBytes, fetchedBytes], [bytes, SIZE - bytes]);
      assert.equal(await assertNothingWrong(), Object.keys(FILES).length);
      assert.equal((await disk.contents()).length, 5 + 4, 'nothing left over');
      await disk.clear();
    }
  });
});
