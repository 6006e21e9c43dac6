// SPDX-License-Identifier: Apache-2.0
// Several at once: managers in one process and in two on one directory,
// callers of fetch, and those who delete what another one reads.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createVirtualClock } from '../hub/virtual-clock.js';
import { emptyData, MemoryStore } from './memory-store.js';
import { startDisk } from './on-disk.js';
import {
  assertBytes, assertStored, CHUNK, contentBytes, createModelHub, FILES,
  managerOf, MODEL, pass, quiet, readFile, sizeOf, SMALL_FILES, urlOf,
} from './world.js';

const GRAPH = 'onnx/model.onnx';
const SIZE = sizeOf(FILES);

/** @typedef {keyof typeof FILES} Path */

/** A Hub, and managers in one process that share a store. */
async function shared(count = 2, files = FILES) {
  const hub = createModelHub(files);
  const data = emptyData();
  const managers = await Promise.all(Array.from({ length: count }, () => (
    managerOf(new MemoryStore(data), { fetch: hub.fetch }))));
  const dispose = () => Promise.all(managers.map((one) => one.dispose()));
  return { hub, data, managers, dispose };
}

test('two managers of a process fetch a model once', async () => {
  const { hub, data, managers, dispose } = await shared();
  const ends = await Promise.all(managers.map((one) => one.download(MODEL)));
  assert.deepEqual(ends.map(({ fetchedBytes }) => fetchedBytes).sort(),
    [0, SIZE].sort());
  assert.equal(contentBytes(hub), SIZE);
  await dispose();
  await assertStored(data);
});

test('two processes fetch a model once', async (t) => {
  const disk = await startDisk(FILES);
  t.after(() => disk.close());
  const ends = await Promise.all([disk.run(), disk.run()]);
  assert.deepEqual(ends.map(({ fetchedBytes }) => fetchedBytes)
    .sort((a, b) => a - b), [0, SIZE]);
  assert.equal(contentBytes(disk.hub), SIZE);
  assert.deepEqual(new Set(await disk.look()), new Set(['right']));
});

test('the one goes on when the other is killed', async (t) => {
  const disk = await startDisk(FILES);
  t.after(() => disk.close());
  disk.hub.faults.add({ content: true, slow: { bytes: 1 << 20, everyMs: 4 } });
  const first = disk.start();
  const [line] = await new Promise((resolve) => {
    first.lines.on('line', function listen(text) {
      if (JSON.parse(text).loaded > 1e6) resolve([text]);
    });
  });
  assert.ok(line);
  const second = disk.run();
  first.child.kill('SIGKILL');
  const { resumedBytes, fetchedBytes } = await second;
  assert.equal(resumedBytes + fetchedBytes, SIZE);
  assert.deepEqual(new Set(await disk.look()), new Set(['right']));
});

test('five callers of fetch share one download', async () => {
  const { hub, data, managers, dispose } = await shared(2);
  const callers = [0, 0, 0, 1, 1].map((i) => managers[i]);
  const ends = await Promise.all(callers.map((one) => (
    readFile(one, GRAPH, FILES[GRAPH]))));
  assert.deepEqual(ends, Array(5).fill('right'));
  assert.equal(contentBytes(hub), CHUNK + 5);
  await dispose();
  await assertStored(data, { [GRAPH]: FILES[GRAPH] });
});

test('a fetch does not wait for the download of other files', async () => {
  const files = { ...FILES, 'notes.md': 'Notes.' };
  const { hub, data, managers: [manager], dispose } = await shared(1, files);
  hub.faults.add({ match: 'xet-bridge', content: true, stallAfter: 1000 });
  const downloading = assert.rejects(manager.download(MODEL),
    { code: 'cancelled' });
  // Files of the download are waited for, as long as they take, and stored.
  const config = manager.fetch(urlOf('config.json'));
  assert.equal(await (await config).text(), FILES['config.json']);
  const from = hub.requests.length;
  const notes = await manager.fetch(urlOf('notes.md'));
  assert.equal(await notes.text(), 'Notes.');
  const again = await manager.fetch(urlOf('tokenizer.json'));
  assert.equal(await again.text(), FILES['tokenizer.json']);
  // Only the notes came from the Hub, and are not stored.
  assert.ok(hub.requests.slice(from).every(({ url }) => (
    /notes\.md|model\.onnx|xet-bridge/.test(url))));
  assert.ok(![...data.files.keys()].some((key) => key.includes('notes.md')));
  await dispose();
  await downloading;
});

test('a caller who leaves takes nothing from the others', async () => {
  const { hub, data, managers: [one, other], dispose } = await shared();
  hub.faults.add({ content: true, slow: { bytes: 1 << 20, everyMs: 2 } });
  const controller = new AbortController();
  const left = one.fetch(urlOf(GRAPH), { signal: controller.signal });
  const stays = [readFile(one, GRAPH, FILES[GRAPH]),
    readFile(other, GRAPH, FILES[GRAPH])];
  while (contentBytes(hub) < 5 << 20) await quiet();
  controller.abort();
  await assert.rejects(left, { name: 'AbortError' });
  assert.deepEqual(await Promise.all(stays), ['right', 'right']);
  // Whoever reads on is not disturbed by one who does not.
  const response = await one.fetch(urlOf(GRAPH));
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  assert.equal(await readFile(one, GRAPH, FILES[GRAPH]), 'right');
  assert.deepEqual(await one.jobs(), []);
  await dispose();
  await assertStored(data, { [GRAPH]: FILES[GRAPH] });
});

test('a fetch takes what the download under way brings', async () => {
  const { hub, managers, dispose } = await shared(2);
  const downloading = managers[0].download(MODEL);
  const ends = await Promise.all(Object.keys(FILES).flatMap((path) => (
    managers.map((one) => readFile(one, path, FILES[/** @type {Path} */ (path)]))
  )));
  await downloading;
  assert.deepEqual(new Set(ends), new Set(['right']));
  assert.equal(contentBytes(hub), SIZE);
  await dispose();
});

test('a fetch takes what a download elsewhere has stored', async () => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const hub = createModelHub(FILES, { clock });
  hub.faults.add({ match: 'tokenizer.json', delayHeadMs: 3000 });
  hub.faults.add({ match: 'xet-bridge', content: true, stallAfter: 1000 });
  const data = emptyData();
  const [one, other] = await Promise.all([0, 0].map(() => (
    managerOf(new MemoryStore(data), { fetch: hub.fetch, clock }))));
  const downloading = assert.rejects(one.download(MODEL), { code: 'cancelled' });
  await quiet();
  const fetching = other.fetch(urlOf('tokenizer.json'))
    .then((response) => response.text());
  assert.equal(await pass(clock, fetching, 10_000), FILES['tokenizer.json']);
  // The download goes on, and nothing was asked for twice.
  assert.equal((await one.downloads()).length, 1);
  assert.equal(hub.requests.filter(({ url }) => (
    /\/resolve\/[^/]+\/tokenizer\.json$/.test(url))).length, 1);
  await one.dispose();
  await other.dispose();
  await downloading;
  assert.equal(clock.pendingTimers, 0);
});

for (const where of ['here', 'elsewhere']) {
  test(`a repair waits for a download ${where}`, async () => {
    const clock = createVirtualClock(Date.UTC(2026, 0, 1));
    const files = { ...FILES, [GRAPH]: { size: 1000, seed: 'r' },
      'onnx/model_q4.onnx': { size: 2000, seed: 'q4' } };
    const hub = createModelHub(files, { clock });
    const data = emptyData();
    const [one, other] = await Promise.all([0, 0].map(() => (
      managerOf(new MemoryStore(data), { fetch: hub.fetch, clock }))));
    await pass(clock, one.download(MODEL, { dtype: 'fp32' }));
    data.files.set(`${MODEL}/${GRAPH}_chunk_0`, new Blob([new Uint8Array(1000)]));
    hub.faults.add({ match: 'model_q4', delayHeadMs: 3_600_000 });
    const loader = where === 'here' ? one : other;
    const downloading = assert.rejects(
      loader.download(MODEL, { dtype: 'q4' }), { code: 'cancelled' });
    await quiet();
    const reading = readFile(one, GRAPH, files[GRAPH]);
    await pass(clock,
      new Promise((resolve) => { clock.setTimeout(resolve, 10_000); }));
    await loader.cancelDownload((await loader.downloads())[0].id);
    await downloading;
    assert.equal(await pass(clock, reading), 'right');
    await Promise.all([one.dispose(), other.dispose()]);
  });
}

test('two repair one chunk', async () => {
  const { hub, data, managers, dispose } = await shared(2);
  await managers[0].download(MODEL);
  data.files.delete(`${MODEL}/${GRAPH}_chunk_0`);
  const from = hub.requests.length;
  const ends = await Promise.all([
    readFile(managers[0], GRAPH, FILES[GRAPH]),
    readFile(managers[1], GRAPH, FILES[GRAPH]),
    managers[0].verifyModel(MODEL), managers[1].verifyModel(MODEL),
    managers[1].download(MODEL),
  ]);
  assert.deepEqual(ends.slice(0, 2), ['right', 'right']);
  assert.ok(contentBytes(hub, from) <= 2 * CHUNK,
    `${contentBytes(hub, from)} bytes`);
  await dispose();
  await assertStored(data);
});

describe('a model that is deleted', () => {
  /**
   * Reads the graph to its end, deleting the model after the first piece.
   * @param {boolean} isAgain it is downloaded again at once
   */
  async function readWhileDeleted(isAgain) {
    const files = { ...SMALL_FILES, [GRAPH]: { size: 2 * CHUNK + 5, seed: 'r' } };
    const world = await shared(2, files);
    const [reader, other] = world.managers;
    await reader.download(MODEL);
    const response = await reader.fetch(urlOf(GRAPH));
    const body = /** @type {ReadableStream<Uint8Array>} */ (response.body)
      .getReader();
    const pieces = [];
    let error;
    try {
      for (;;) {
        const { done, value } = await body.read();
        if (done) break;
        pieces.push(value);
        if (pieces.length === 1) {
          await other.deleteModel(MODEL);
          if (isAgain) await other.download(MODEL);
        }
      }
    } catch (reason) {
      error = /** @type {any} */ (reason);
    }
    await world.dispose();
    return { ...world, files, bytes: Buffer.concat(pieces), error };
  }

  test('while another one reads it stays deleted', async () => {
    const { data, files, bytes, error } = await readWhileDeleted(false);
    if (error) assert.equal(error.code, 'not_stored');
    else assertBytes(bytes, files[GRAPH]);
    assert.deepEqual([...data.files.keys()]
      .filter((key) => !key.startsWith('tabagent:used/')), []);
  });

  test('and downloaded again while another one reads', async () => {
    const { data, files, bytes, error } = await readWhileDeleted(true);
    assert.equal(error, undefined);
    assertBytes(bytes, files[GRAPH]);
    await assertStored(data, files);
  });

  test('while it is downloaded', async () => {
    const { data, managers, dispose } = await shared(2);
    const downloading = managers[0].download(MODEL);
    await managers[1].deleteModel(MODEL);
    const { bytes } = await downloading;
    assert.equal(bytes, SIZE);
    await dispose();
    // Whichever was first, it is there as a whole or not at all.
    if (data.files.size > 0) await assertStored(data);
  });
});
