// SPDX-License-Identifier: Apache-2.0
// A file larger than memory should ever hold, over HTTP into a directory: the
// process stays small, and goes on after it was killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startDisk } from './on-disk.js';
import {
  assertBytes, CHUNK, contentBytes, MODEL, sizeOf, SLOTS, SMALL_FILES,
} from './world.js';

const MIB = 1 << 20;

/** 3 GB by hand; always so much that it would be seen in memory. */
const SIZE = Number(process.env.TAM_LARGE_MB ?? 256) * MIB + 12_345;

/**
 * What a process may need besides: the chunks in flight, each of them three
 * times for a moment (the pieces that came, joined, and as a Blob), and a
 * chunk's worth for each of what the system and the collector hold back. The
 * size of the file is not in it.
 */
const PEAK_BYTES = 4 * SLOTS * CHUNK;

const FILES = {
  ...SMALL_FILES, 'onnx/model.onnx': { size: SIZE, seed: 'large' },
};

test(`${Math.round(SIZE / MIB)} MB, killed and gone on with`, {
  timeout: 600_000,
}, async (t) => {
  const disk = await startDisk(FILES);
  t.after(() => disk.close());
  const first = disk.start();
  for await (const line of first.lines) {
    if (JSON.parse(line).loaded > SIZE / 3) first.child.kill('SIGKILL');
  }
  assert.deepEqual(await first.exited, [null, 'SIGKILL']);

  const from = disk.hub.requests.length;
  const { resumedBytes, fetchedBytes, idleBytes, peakBytes }
    = await disk.run(['--expose-gc']);
  assert.equal(resumedBytes + fetchedBytes, sizeOf(FILES));
  assert.ok(resumedBytes > SIZE / 3 - SLOTS * CHUNK, `${resumedBytes}`);
  assert.equal(contentBytes(disk.hub, from), fetchedBytes);
  const needed = peakBytes - idleBytes;
  assert.ok(needed <= PEAK_BYTES, `${needed / MIB} MiB above idle`);
  if (process.env.TAM_LARGE_MB) console.log(`${needed / MIB} MiB above idle`);

  await checkBytes(disk);
});

/**
 * Reads a piece at either side of every border between two chunks.
 * @param {Awaited<ReturnType<typeof startDisk>>} disk
 */
async function checkBytes(disk) {
  const { uploadedContent } = await import('../hub/content.js');
  const content = uploadedContent(FILES['onnx/model.onnx']);
  const manager = await disk.open();
  for (let at = 0; at < SIZE; at += CHUNK) {
    const [start, end] = [Math.max(0, at - 1000), Math.min(SIZE, at + 1000)];
    const response = await manager.fetch(
      `${disk.server.url}/${MODEL}/resolve/main/onnx/model.onnx`,
      { headers: { range: `bytes=${start}-${end - 1}` } });
    assert.equal(response.status, 206);
    assertBytes(await response.arrayBuffer(), content.read(start, end));
  }
  await manager.dispose();
}
