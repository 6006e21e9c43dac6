// SPDX-License-Identifier: Apache-2.0
// What the store says besides its results: the bar and the notices of
// TabAgent's panel, requests as messages, and the findings of doctor.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { emptyData, MemoryStore } from './memory-store.js';
import {
  CHUNK, createModelHub, managerOf, MODEL, sizeOf, SMALL_FILES, virtualWorld,
} from './world.js';

/** @typedef {import('./world.js').Files} Files */

/** @type {Files} */
const FILES = { ...SMALL_FILES, 'onnx/model.onnx': { size: CHUNK, seed: 1 } };

/** @type {Files} */
const TINY = { ...SMALL_FILES, 'onnx/model.onnx': 'a graph' };

/** @param {Files} [files] */
async function listening(files = TINY) {
  const hub = createModelHub(files);
  const data = emptyData();
  /** @type {any[]} */
  const messages = [];
  const manager = await managerOf(new MemoryStore(data), {
    fetch: hub.fetch, onMessage: (message) => messages.push(message) });
  return {
    hub, data, manager, messages,
    /** @param {string} type */
    broadcasts: (type) => messages.filter((message) => message.type === type),
  };
}

const LOADING = 'modelWorkerLoadingProgress';

describe('the panel hears', () => {
  test('of a download from 0 to 100, and of its end once', async () => {
    const { manager, broadcasts } = await listening(FILES);
    await manager.download(MODEL);
    const all = broadcasts(LOADING).map(({ payload }) => payload);
    const statuses = all.map(({ status }) => status);
    assert.equal(statuses[0], 'initiate');
    assert.equal(statuses.at(-1), 'done');
    assert.ok(statuses.slice(1, -1).every((status) => status === 'progress'));
    const shares = all.map(({ progress }) => progress);
    assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
    assert.ok(shares.every((share) => (
      Number.isInteger(share) && share >= 0 && share <= 100)));
    assert.equal(shares.at(-1), 100);
    for (const payload of all) {
      assert.equal(payload.modelId, MODEL);
      assert.equal(payload.total, sizeOf(FILES));
      assert.ok(payload.loaded <= payload.total);
    }
    await manager.dispose();
  });

  test('that a model was there already', async () => {
    const { manager, broadcasts } = await listening();
    await manager.download(MODEL);
    const before = broadcasts(LOADING).length;
    await manager.download(MODEL);
    const all = broadcasts(LOADING).slice(before);
    assert.equal(all.at(-1).payload.status, 'cached');
    assert.equal(all.at(-1).payload.progress, 100);
    await manager.dispose();
  });

  test('what went wrong', async () => {
    const { manager, broadcasts, hub } = await listening();
    hub.faults.add({ match: 'config.json', status: 404 });
    await assert.rejects(manager.download(MODEL));
    const { payload } = broadcasts(LOADING).at(-1);
    assert.equal(payload.status, 'error');
    assert.equal(typeof payload.error, 'string');
    assert.ok(payload.progress < 100);
    await manager.dispose();
  });

  test('of a changed manifest once for each operation', async () => {
    const { manager, broadcasts, messages } = await listening();
    const count = () => broadcasts('manifestUpdated').length;
    await manager.plan(MODEL);
    await manager.models();
    assert.equal(count(), 0);
    await manager.download(MODEL);
    assert.equal(count(), 1);
    // It is said before the operation ends: who waits for that finds it so.
    const types = messages.map(({ action, type }) => action ?? type);
    assert.ok(types.indexOf('manifestUpdated')
      < types.indexOf('download:done'));
    await manager.deleteModel(MODEL);
    assert.equal(count(), 2);
    await manager.download(MODEL);
    await manager.clearStore();
    assert.equal(count(), 4);
    await manager.clearStore();
    assert.equal(count(), 4);
    await manager.dispose();
  });

  test('nothing more than ten times a second', async () => {
    /** @type {number[]} */
    const times = [];
    const world = await virtualWorld(new MemoryStore(), {
      files: FILES,
      faults: [{ match: 'xet-bridge', content: true,
        slow: { bytes: 100_000, everyMs: 10 } }],
    });
    const { durationMs } = await world.download({
      onProgress: () => times.push(world.clock.now()) });
    assert.ok(durationMs > 1500);
    assert.ok(times.length >= 10);
    assert.ok(times.length <= durationMs / 100 + 2, `${times.length} times`);
    await world.manager.dispose();
  });
});

describe('TabAgent\'s manifest', () => {
  const GRAPH = 'onnx/model.onnx';

  test('says what is there, and keeps what it had', async () => {
    const { manager, data } = await listening();
    data.manifest.set(MODEL, { repo: MODEL, manifestVersion: 1, mine: 7,
      quants: { other: { status: 'failed', dtype: 'bnb4' } } });
    await manager.download(MODEL);
    const quant = { files: ['config.json', GRAPH, 'tokenizer.json', 'vocab.txt'],
      status: 'downloaded', dtype: 'fp32', hasExternalData: false };
    const sorted = () => {
      const entry = /** @type {any} */ (
        structuredClone(data.manifest.get(MODEL)));
      entry.quants[GRAPH].files.sort();
      delete entry.task;
      return entry;
    };
    const wanted = { repo: MODEL, manifestVersion: 1, mine: 7, quants: {
      other: { status: 'failed', dtype: 'bnb4' }, [GRAPH]: quant } };
    assert.deepEqual(sorted(), wanted);
    await manager.deleteModel(MODEL);
    // Of nothing that is gone it is known whether it could be loaded.
    wanted.quants[GRAPH].status = 'available';
    wanted.quants.other.status = 'available';
    assert.deepEqual(sorted(), wanted);
    await manager.dispose();
  });

  test('does not call a model downloaded that is not', async () => {
    const { manager, data, hub } = await listening();
    hub.faults.add({ match: 'config.json', status: 404 });
    await assert.rejects(manager.download(MODEL));
    const entry = /** @type {any} */ (data.manifest.get(MODEL));
    assert.equal(entry.quants[GRAPH].status, 'available');
    await manager.dispose();
  });
});

describe('requests as messages', () => {
  for (const style of /** @type {const} */ (['action', 'type'])) {
    test(`in the style of "${style}"`, async () => {
      const { manager, messages } = await listening();
      /** @param {string} name @param {string} id @param {object} [params] */
      const ask = (name, id, params) => manager.handleMessage(style === 'action'
        ? { action: name, id, params }
        : { type: name, id, ...params });
      const plan = await ask('plan', 'p1', { modelId: MODEL });
      const planned = plan.result ?? plan;
      assert.equal(planned.totalBytes, sizeOf(TINY));
      const end = await ask('download', 'd1', { modelId: MODEL, dtype: 'fp32' });
      const result = end.result ?? end;
      assert.equal(result.bytes, sizeOf(TINY));
      assert.equal(result.fetchedBytes, sizeOf(TINY));
      const own = messages.filter((message) => message.id === 'd1');
      assert.equal(own.filter((message) => message === end).length, 1);
      assert.equal(own.at(-1), end);
      const again = await ask('models', 'm1');
      assert.equal((again.result ?? again).models[0].modelId, MODEL);
      const bad = await ask('download', 'b1', { modelId: '../x' });
      assert.match(JSON.stringify(bad), /invalid_params/);
      assert.match(JSON.stringify(bad), /modelId/);
      assert.deepEqual(await manager.jobs(), []);
      await manager.dispose();
    });
  }
});

test('a number is the id of a request, whatever stands beside it', async () => {
  const { manager } = await listening();
  const plan = await manager.handleMessage(
    { action: 'plan', id: 7, modelId: MODEL });
  assert.deepEqual([plan.action, plan.id], ['plan:done', 7]);
  const older = await manager.handleMessage(
    { type: 'plan', id: 8, modelId: MODEL });
  assert.deepEqual([older.type, older.id], ['response', 8]);
  await manager.dispose();
});

describe('doctor', () => {
  /** @param {Awaited<ReturnType<typeof listening>>['manager']} manager */
  const checked = async (manager) => Object.fromEntries(
    (await manager.doctor()).map(({ check, ...rest }) => [check, rest]));

  test('has nothing to say about a sound store', async () => {
    const store = new MemoryStore();
    store.room = { usage: 0, quota: 100e9 };
    const manager = await managerOf(store);
    const { storage, room } = await checked(manager);
    assert.deepEqual([storage.ok, storage.fix], [true, null]);
    assert.deepEqual([room.ok, room.fix], [true, null]);
    assert.equal(store.data.files.size, 0, 'it leaves nothing behind');
    await manager.dispose();
  });

  test('says that there is little room', async () => {
    const store = new MemoryStore();
    store.room = { usage: 100e9 - 1000, quota: 100e9 };
    const manager = await managerOf(store);
    const { room } = await checked(manager);
    assert.equal(room.ok, false);
    assert.equal(typeof room.fix, 'string');
    await manager.dispose();
  });

  test('says that nothing can be stored', async () => {
    const store = new MemoryStore(emptyData(), { before(name) {
      if (name === 'write') throw new DOMException('no', 'InvalidStateError');
    } });
    const manager = await managerOf(store);
    const { storage } = await checked(manager);
    assert.equal(storage.ok, false);
    assert.equal(typeof storage.fix, 'string');
    await manager.dispose();
  });

  test('says whether the permission for it is there, where one is needed',
    async () => {
      const manager = await managerOf(new MemoryStore());
      for (const isThere of [true, false, undefined]) {
        const { checks } = await manager.handleMessage({ action: 'doctor',
          id: 1, params: { unlimitedStorage: isThere } });
        assert.equal(checks.find((/** @type {any} */ { check }) => (
          check === 'unlimitedStorage'))?.ok, isThere);
      }
      await manager.dispose();
    });
});
