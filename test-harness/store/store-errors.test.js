// SPDX-License-Identifier: Apache-2.0
// A store that refuses, in the middle and in every way: there is a code, what
// is stored stays, and the next call goes on.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { storeError } from '../../js-bindings/store/errors.js';
import { copyOf, emptyData, MemoryStore } from './memory-store.js';
import {
  assertStored, createModelHub, FILES, managerOf, MODEL, readFile, sizeOf,
} from './world.js';

const SIZE = sizeOf(FILES);

/** As many operations, and no time. */
const TINY = { ...FILES, 'onnx/model.onnx': 'a graph' };
const TINY_SIZE = sizeOf(TINY);

/** What platforms and executors throw, and what becomes of it. */
const ERRORS = /** @type {[string, () => Error, string][]} */ ([
  ['QuotaExceededError', () => new DOMException('full', 'QuotaExceededError'),
    'quota_exceeded'],
  ['ENOSPC', () => Object.assign(new Error('full'), { code: 'ENOSPC' }),
    'quota_exceeded'],
  ['EDQUOT', () => Object.assign(new Error('full'), { code: 'EDQUOT' }),
    'quota_exceeded'],
  ['EIO', () => Object.assign(new Error('broken'), { code: 'EIO' }),
    'store_failed'],
  ['BlockedError', () => storeError('BlockedError', 'wait'), 'store_blocked'],
  ['ClosedError', () => storeError('ClosedError', 'gone'), 'store_closed'],
  ['UnavailableError', () => storeError('UnavailableError', 'private'),
    'store_unavailable'],
  ['UnknownError', () => new DOMException('?', 'UnknownError'),
    'store_failed'],
  ['nothing at all', () => /** @type {any} */ (undefined), 'store_failed'],
]);

/**
 * @param {(name: string, count: number) => boolean} isRefused
 * @param {() => Error} makeError
 */
function refusing(isRefused, makeError) {
  const data = emptyData();
  let count = 0;
  let isOn = true;
  const store = new MemoryStore(data, {
    before(name) {
      count += 1;
      if (isOn && isRefused(name, count)) throw makeError();
    },
  });
  return { data, store, heal: () => { isOn = false; } };
}

/** @param {import('./memory-store.js').Data} data */
function chunkBytes(data) {
  return [...data.files].reduce((sum, [key, entry]) => (
    sum + (/_chunk_\d+$/.test(key) && entry instanceof Blob ? entry.size : 0)), 0);
}

describe('a store that fails', () => {
  for (const [name, makeError, code] of ERRORS) {
    test(`with ${name}, at its first use and in the middle`, async () => {
      const hub = createModelHub(TINY);
      let writes = 0;
      for (const isRefused of [
        () => true,
        (/** @type {string} */ what) => {
          writes += what === 'write' ? 1 : 0;
          return what === 'write' && writes > 6;
        },
        (/** @type {string} */ what) => what === 'blob',
      ]) {
        const { data, store, heal } = refusing(isRefused, makeError);
        const manager = await managerOf(store, { fetch: hub.fetch });
        const error = await manager.download(MODEL)
          .then(() => null, (reason) => reason);
        assert.equal(error?.code, code);
        assert.equal(error.modelId, MODEL);
        assert.equal(error.retryable, code !== 'store_unavailable');
        assert.deepEqual(await manager.jobs(), []);
        const stored = chunkBytes(data);
        heal();
        // The same manager goes on.
        const { resumedBytes, fetchedBytes } = await manager.download(MODEL);
        assert.deepEqual([resumedBytes, fetchedBytes],
          [stored, TINY_SIZE - stored]);
        await manager.dispose();
        await assertStored(data, TINY);
      }
    });
  }

  test('when it is opened, and then does not', async () => {
    const hub = createModelHub(FILES);
    const manager = await managerOf(new MemoryStore(), {
      fetch: hub.fetch,
      openStore: async () => { throw storeError('UnavailableError', 'no'); },
    });
    for (const call of [
      manager.download(MODEL), manager.plan(MODEL), manager.models(),
      manager.storage(), manager.deleteModel(MODEL),
      manager.verifyModel(MODEL), manager.pinModel(MODEL, true),
    ]) {
      await assert.rejects(call, { code: 'store_unavailable' });
    }
    await manager.dispose();
  });

  test('when it is opened once', async () => {
    const hub = createModelHub(FILES);
    let opened = 0;
    const store = new MemoryStore();
    const manager = await managerOf(store, {
      fetch: hub.fetch,
      openStore: async () => {
        opened += 1;
        if (opened === 1) throw storeError('BlockedError', 'another tab');
        return store;
      },
    });
    await assert.rejects(manager.models(), { code: 'store_blocked' });
    assert.deepEqual(await manager.models(), []);
    await manager.dispose();
  });

  test('never serves a wrong byte', async () => {
    const hub = createModelHub(TINY);
    const data = emptyData();
    const first = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await first.download(MODEL);
    await first.dispose();
    for (let at = 1; at < 12; at += 1) {
      let count = 0;
      const manager = await managerOf(new MemoryStore(copyOf(data), {
        before() {
          count += 1;
          if (count >= at) throw storeError('ClosedError', 'gone');
        },
      }));
      for (const [path, file] of Object.entries(TINY)) {
        const end = await readFile(manager, path, file);
        assert.ok(['right', 'store_closed'].includes(end), end);
      }
      await manager.dispose();
    }
  });
});

describe('room', () => {
  test('that is missing is said before the first byte', async () => {
    const hub = createModelHub(FILES);
    const store = new MemoryStore();
    store.room = { usage: 1000, quota: SIZE + 999 };
    const manager = await managerOf(store, { fetch: hub.fetch });
    const error = await manager.download(MODEL)
      .then(() => null, (reason) => reason);
    assert.equal(error?.code, 'quota_exceeded');
    assert.equal(hub.requests.some(({ url }) => url.includes('resolve')), false);
    assert.deepEqual([...store.data.files.keys()], []);
    const plan = await manager.plan(MODEL);
    assert.deepEqual(
      [plan.fits, plan.neededBytes, plan.freeBytes, plan.quotaBytes],
      [false, SIZE, SIZE - 1, SIZE + 999]);
    store.room = { usage: 1000, quota: SIZE + 1000 };
    await manager.download(MODEL);
    await manager.dispose();
  });

  test('that ends in the middle leaves what is there, and serves it',
    async () => {
      const hub = createModelHub(FILES);
      const { data, store, heal } = refusing(
        (name) => name === 'write' && data.files.has(
          `${MODEL}/onnx/model.onnx_chunk_1`),
        () => new DOMException('full', 'QuotaExceededError'));
      const manager = await managerOf(store, { fetch: hub.fetch });
      await assert.rejects(manager.download(MODEL),
        { code: 'quota_exceeded' });
      assert.equal(await readFile(manager, 'config.json',
        FILES['config.json']), 'right');
      heal();
      await manager.download(MODEL);
      await manager.dispose();
      await assertStored(data);
    });
});
