// SPDX-License-Identifier: Apache-2.0
// The queue of downloads, in virtual time: who goes first, what a pause and
// the end of one leave behind.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { createHub, createVirtualClock } from '../hub/index.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, CHUNK, contentBytes, managerOf, pass, quiet, sizeOf,
} from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const MODELS = ['acme/a', 'acme/b', 'acme/c'];
const GRAPH = 'onnx/model.onnx';

/** Of the second chunk of the first model, which is stored before the first. */
const TAIL = 3 << 20;

/**
 * The first model is large, so that it can be met on the way.
 * @param {string} id
 */
function filesOf(id) {
  return {
    'config.json': `{"model_type":"llama","name":"${id}"}`,
    [GRAPH]: { size: id === MODELS[0] ? CHUNK + TAIL : TAIL, seed: id },
  };
}

const BYTES = sizeOf(filesOf(MODELS[0]));
const SMALL = sizeOf(filesOf(MODELS[1]));

/** So long nothing may happen; see wasm/store/transfer_phase.c. */
const PATIENCE_MS = 60_000;

async function world() {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const hub = createHub({
    clock, catalogue: [], rateLimits: false, latency: false,
    repositories: MODELS.map((id) => (
      { id, files: new Map(Object.entries(filesOf(id))) })),
  });
  // A second for each chunk.
  hub.faults.add({ match: 'xet-bridge', content: true,
    slow: { bytes: 1 << 20, everyMs: 60 } });
  const data = emptyData();
  /** @type {any[]} */
  const messages = [];
  const manager = await managerOf(new MemoryStore(data), {
    fetch: hub.fetch, clock, onMessage: (message) => messages.push(message) });
  /** @type {string[]} */
  const ends = [];
  return {
    clock, hub, data, manager, messages, ends,
    /** @param {string} id @param {object} [options] */
    begin(id, options) {
      const end = manager.download(id, options);
      end.then(() => ends.push(id), (error) => ends.push(`${id} ${error.code}`));
      return end;
    },
    /** Until something is stored of the download. */
    async untilBegun(commit = '') {
      const key = `${MODELS[0]}${commit}/${GRAPH}_chunk_1`;
      while (!data.files.has(key)) {
        await quiet();
        await clock.advance(50);
      }
    },
    async idOf(/** @type {string} */ modelId) {
      const rows = await manager.downloads();
      return rows.find((row) => row.modelId === modelId)?.id ?? 'none';
    },
  };
}

/** @param {Manager} manager */
async function statesOf(manager) {
  return (await manager.downloads())
    .map(({ modelId, state }) => `${modelId} ${state}`);
}

describe('the queue', () => {
  test('runs one after the other, those of higher priority first', async () => {
    const { manager, begin, ends, clock } = await world();
    const all = [begin('acme/b'), begin('acme/a'),
      begin('acme/c', { priority: 5 })];
    await quiet();
    assert.deepEqual(await statesOf(manager),
      ['acme/b running', 'acme/a queued', 'acme/c queued']);
    const [, , third] = await manager.downloads();
    assert.deepEqual([third.priority, third.dtype, third.loaded], [5, null, 0]);
    await pass(clock, Promise.all(all));
    assert.deepEqual(ends, ['acme/b', 'acme/c', 'acme/a']);
    assert.deepEqual(await manager.downloads(), []);
    await manager.dispose();
  });

  test('says how far they are', async () => {
    const { manager, begin, clock, untilBegun } = await world();
    const end = begin('acme/a', { dtype: 'fp32' });
    await untilBegun();
    const [{ loaded, total, dtype, state }] = await manager.downloads();
    assert.ok(loaded >= TAIL && loaded < BYTES, `${loaded} bytes`);
    assert.deepEqual([total, dtype, state], [BYTES, 'fp32', 'running']);
    await pass(clock, end);
    await manager.dispose();
  });

  test('forgets one that is aborted while it waits', async () => {
    const { manager, begin, ends, clock, hub } = await world();
    const controller = new AbortController();
    const first = begin('acme/a');
    const second = begin('acme/b', { signal: controller.signal });
    const third = begin('acme/c');
    controller.abort();
    await assert.rejects(second, { code: 'cancelled' });
    assert.deepEqual(await statesOf(manager),
      ['acme/a running', 'acme/c queued']);
    await pass(clock, Promise.all([first, third]));
    assert.deepEqual(ends, ['acme/b cancelled', 'acme/a', 'acme/c']);
    assert.ok(!hub.requests.some(({ url }) => url.includes('acme/b')));
    await manager.dispose();
  });

  test('goes on when the running one fails', async () => {
    const { manager, begin, ends, clock, hub } = await world();
    hub.faults.add({ match: 'acme/a/resolve', status: 404 });
    const all = Promise.allSettled([begin('acme/a'), begin('acme/b')]);
    await pass(clock, all);
    assert.deepEqual(ends, ['acme/a not_found', 'acme/b']);
    await manager.dispose();
  });

  test('takes the same model twice, and fetches it once', async () => {
    const { manager, begin, clock, hub } = await world();
    const [one, two] = await pass(
      clock, Promise.all([begin('acme/b'), begin('acme/b')]));
    assert.deepEqual([one.fetchedBytes, two.fetchedBytes], [SMALL, 0]);
    assert.equal(contentBytes(hub), SMALL);
    await manager.dispose();
  });
});

describe('a pause', () => {
  test('stops the requests, and lets others go first', async () => {
    const { manager, begin, ends, clock, hub, untilBegun, idOf } = await world();
    const first = begin('acme/a');
    const second = begin('acme/b');
    await untilBegun();
    const id = await idOf('acme/a');
    await manager.pauseDownload(id);
    await quiet();
    assert.equal((await manager.downloads())[0].state, 'paused');
    await pass(clock, second);
    assert.deepEqual(ends, ['acme/b']);
    const before = contentBytes(hub);
    await clock.advance(1000);
    assert.equal(contentBytes(hub), before);
    await manager.resumeDownload(id);
    assert.equal((await manager.downloads())[0].state, 'running');
    await pass(clock, first);
    assert.deepEqual(ends, ['acme/b', 'acme/a']);
    await manager.dispose();
  });

  test('costs no patience, and nothing that is stored', async () => {
    const { manager, begin, clock, hub, untilBegun, idOf, data } = await world();
    const end = begin('acme/a');
    await untilBegun();
    const id = await idOf('acme/a');
    await manager.pauseDownload(id);
    await quiet();
    const stored = [...data.files].filter(([key]) => /_chunk_\d+$/.test(key))
      .reduce((sum, [, blob]) => sum + /** @type {Blob} */ (blob).size, 0);
    const from = hub.requests.length;
    await clock.advance(100 * PATIENCE_MS);
    await quiet();
    assert.equal(hub.requests.length, from);
    // And the Hub is away for a moment when it goes on.
    hub.faults.add({ resetAfter: 0, times: 3 });
    await manager.resumeDownload(id);
    const { bytes } = await pass(clock, end);
    assert.equal(bytes, BYTES);
    assert.equal(contentBytes(hub, from), BYTES - stored);
    const response = await manager.fetch(
      `https://huggingface.co/acme/a/resolve/main/${GRAPH}`);
    assertBytes(await response.arrayBuffer(), filesOf('acme/a')[GRAPH]);
    await manager.dispose();
  });

  test('of one that waits keeps it waiting', async () => {
    const { manager, begin, ends, clock, idOf } = await world();
    const first = begin('acme/a');
    const second = begin('acme/b');
    const third = begin('acme/c');
    const id = await idOf('acme/b');
    await manager.pauseDownload(id);
    await pass(clock, Promise.all([first, third]));
    assert.deepEqual(await statesOf(manager), ['acme/b paused']);
    await manager.resumeDownload(id);
    await pass(clock, second);
    assert.deepEqual(ends, ['acme/a', 'acme/c', 'acme/b']);
    await manager.dispose();
  });

  test('before the first byte', async () => {
    const { manager, begin, clock, hub, idOf } = await world();
    const end = begin('acme/a');
    await manager.pauseDownload(await idOf('acme/a'));
    await clock.advance(10 * PATIENCE_MS);
    await quiet();
    assert.equal(contentBytes(hub), 0);
    await manager.resumeDownload(await idOf('acme/a'));
    await pass(clock, end);
    await manager.dispose();
  });

  test('ends by an abort, or with the manager', async () => {
    for (const how of ['abort', 'dispose', 'cancel']) {
      const { manager, begin, untilBegun, idOf, clock } = await world();
      const controller = new AbortController();
      const end = begin('acme/a', { signal: controller.signal });
      await untilBegun();
      const id = await idOf('acme/a');
      await manager.pauseDownload(id);
      if (how === 'abort') controller.abort();
      else if (how === 'cancel') await manager.cancelDownload(id);
      else await manager.dispose();
      await assert.rejects(end, { code: 'cancelled' });
      if (how !== 'dispose') {
        assert.deepEqual(await manager.downloads(), []);
        const { resumedBytes } = await pass(clock, begin('acme/a'));
        assert.ok(resumedBytes >= TAIL);
      }
      await manager.dispose();
      assert.equal(clock.pendingTimers, 0);
    }
  });
});

describe('cancelling', () => {
  test('keeps what is stored', async () => {
    const { manager, begin, untilBegun, idOf, clock, hub } = await world();
    const end = begin('acme/a');
    await untilBegun();
    await manager.cancelDownload(await idOf('acme/a'));
    await assert.rejects(end, { code: 'cancelled' });
    const from = hub.requests.length;
    const { resumedBytes, fetchedBytes } = await pass(clock, begin('acme/a'));
    assert.ok(resumedBytes >= TAIL);
    assert.equal(contentBytes(hub, from), fetchedBytes);
    assert.equal(resumedBytes + fetchedBytes, BYTES);
    await manager.dispose();
  });

  test('deletes what is not complete, when that is wanted', async () => {
    const { manager, begin, untilBegun, idOf, clock, data } = await world();
    const end = begin('acme/a');
    await untilBegun();
    await manager.cancelDownload(await idOf('acme/a'), { keepPartial: false });
    await assert.rejects(end, { code: 'cancelled' });
    assert.deepEqual([...data.files.keys()].filter(
      (key) => key.includes(GRAPH)), []);
    const [model] = await manager.models();
    assert.deepEqual(model?.dtypes ?? [], []);
    // The next one is not kept from it, and not told otherwise.
    const { resumedBytes, bytes } = await pass(clock, begin('acme/a'));
    assert.ok(resumedBytes < 100);
    assert.equal(bytes, BYTES);
    await manager.dispose();
  });

  test('of one that waits deletes nothing', async () => {
    const { manager, begin, idOf, clock, data } = await world();
    await pass(clock, begin('acme/b'));
    const before = data.files.size;
    const first = begin('acme/a');
    const second = begin('acme/b');
    await manager.cancelDownload(await idOf('acme/b'), { keepPartial: false });
    await assert.rejects(second, { code: 'cancelled' });
    assert.ok(data.files.size >= before);
    await pass(clock, first);
    assert.equal((await manager.models()).length, 2);
    await manager.dispose();
  });

  test('lets the next one begin', async () => {
    const { manager, begin, untilBegun, idOf, clock, ends } = await world();
    const first = begin('acme/a');
    const second = begin('acme/b');
    await untilBegun();
    await manager.cancelDownload(await idOf('acme/a'), { keepPartial: false });
    await assert.rejects(first, { code: 'cancelled' });
    await pass(clock, second);
    assert.deepEqual(ends, ['acme/a cancelled', 'acme/b']);
    await manager.dispose();
  });

  test('an update leaves the revision that is there', async () => {
    const { manager, begin, idOf, clock, hub, untilBegun } = await world();
    await pass(clock, begin('acme/a'));
    const commit = hub.commit('acme/a', { files: {
      [GRAPH]: { size: CHUNK + TAIL, seed: 'new' } } });
    const update = manager.updateModel('acme/a');
    await untilBegun(`@${commit}`);
    await manager.cancelDownload(await idOf('acme/a'), { keepPartial: false });
    await assert.rejects(update, { code: 'cancelled' });
    const response = await manager.fetch(
      `https://huggingface.co/acme/a/resolve/main/${GRAPH}`);
    assertBytes(await response.arrayBuffer(), filesOf('acme/a')[GRAPH]);
    const [model] = await manager.models();
    assert.deepEqual([model.bytes, model.current], [BYTES, true]);
    const { bytes } = await pass(clock, manager.updateModel('acme/a'));
    assert.equal(bytes, BYTES);
    await manager.dispose();
  });
});

describe('the controls refuse', () => {
  test('an unknown id', async () => {
    const { manager } = await world();
    for (const verb of /** @type {const} */ (
      ['pauseDownload', 'resumeDownload', 'cancelDownload'])) {
      await assert.rejects(manager[verb]('nobody'),
        { code: 'invalid_params', message: /\bid\b/ });
    }
    await manager.dispose();
  });

  test('to clear the store while a download runs, waits or is paused',
    async () => {
      const { manager, begin, untilBegun, idOf, clock, data } = await world();
      const end = begin('acme/a');
      await untilBegun();
      const { size } = data.files;
      await assert.rejects(manager.clearStore(), { code: 'busy' });
      await manager.pauseDownload(await idOf('acme/a'));
      await assert.rejects(manager.clearStore(), { code: 'busy' });
      assert.ok(data.files.size >= size);
      await manager.resumeDownload(await idOf('acme/a'));
      await pass(clock, end);
      await manager.clearStore();
      assert.equal(data.files.size, 0);
      assert.deepEqual(await manager.models(), []);
      await manager.dispose();
    });
});

describe('who listens', () => {
  test('hears of one end for each, and of progress that only grows', async () => {
    const { manager, begin, clock, messages } = await world();
    await pass(clock, Promise.all([begin('acme/b'), begin('acme/c')]));
    const ids = new Set(messages.filter(({ action }) => (
      action?.startsWith('download'))).map(({ id }) => id));
    assert.equal(ids.size, 2);
    for (const id of ids) {
      const own = messages.filter((message) => message.id === id);
      assert.deepEqual(own.filter(({ action }) => (
        action !== 'download:progress')).map(({ action }) => action),
      ['download:done']);
      const loaded = own.slice(0, -1).map((message) => message.loaded);
      assert.ok(loaded.length > 2);
      assert.deepEqual(loaded, [...loaded].sort((a, b) => a - b));
      assert.equal(loaded.at(-1), SMALL);
      assert.ok(own.slice(0, -1)
      .every(({ phase, total }) => phase === 'waiting' || total === SMALL));
    }
    await manager.dispose();
  });
});
