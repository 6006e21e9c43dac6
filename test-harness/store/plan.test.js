// SPDX-License-Identifier: Apache-2.0
// What a plan says before the first byte, and that a download keeps to it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  contentBytes, createModelHub, managerOf, MODEL, sizeOf,
} from './world.js';

/**
 * @typedef {import('./world.js').Files} Files
 * @typedef {import('./world.js').Hub} Hub
 */

const CONFIG = '{"model_type":"llama","architectures":["LlamaForCausalLM"]}';

/** @type {Files} */
const COMMON = { 'config.json': CONFIG, 'tokenizer.json': '{"version":"1.0"}' };

/** @type {Files} */
const FILES = {
  ...COMMON,
  'README.md': '# not needed',
  'onnx/model_q4.onnx': 'q4 graph',
  'onnx/model_q4.onnx_data': { size: 70_000, seed: 1 },
  'onnx/model_q4.onnx_data_1': { size: 80_000, seed: 2 },
  'onnx/model_quantized.onnx': { size: 90_000, seed: 3 },
  'onnx/model.onnx': { size: 200_000, seed: 4 },
};

/** @param {...string} paths */
function pick(...paths) {
  return Object.fromEntries(Object.entries(FILES)
    .filter(([path]) => path in COMMON || paths.includes(path)));
}

const Q4 = pick('onnx/model_q4.onnx', 'onnx/model_q4.onnx_data',
  'onnx/model_q4.onnx_data_1');
const Q8 = pick('onnx/model_quantized.onnx');
const FP32 = pick('onnx/model.onnx');

/**
 * @param {Files} [files]
 * @param {{ store?: MemoryStore, hub?: object }} [options]
 */
async function worldOf(files = FILES, { store, hub: more } = {}) {
  const hub = createModelHub(files, more);
  const own = store ?? new MemoryStore();
  return {
    hub, store: own, manager: await managerOf(own, { fetch: hub.fetch }),
  };
}

/** @param {{ path: string }[]} rows */
function pathsOf(rows) {
  return rows.map(({ path }) => path).sort();
}

describe('a plan', () => {
  /** @type {[string | undefined, string, Files][]} */
  const dtypes = [
    ['q4', 'q4', Q4], ['q8', 'q8', Q8], ['quantized', 'q8', Q8],
    ['fp32', 'fp32', FP32], [undefined, 'q8', Q8], ['auto', 'q8', Q8],
  ];
  for (const [asked, dtype, files] of dtypes) {
    test(`has the files of dtype ${asked}`, async () => {
      const { manager, hub, store } = await worldOf();
      const plan = await manager.plan(MODEL, { dtype: asked });
      assert.equal(plan.dtype, dtype);
      assert.deepEqual(pathsOf(plan.files), Object.keys(files).sort());
      assert.equal(plan.totalBytes, sizeOf(files));
      assert.equal(plan.neededBytes, sizeOf(files));
      assert.equal(plan.fits, true);
      assert.deepEqual(plan.evict, []);
      assert.equal(contentBytes(hub), 0);
      assert.equal(store.data.files.size, 0);
      await manager.dispose();
    });
  }

  test('names sizes and hashes', async () => {
    const graph = 'a graph';
    const { manager } = await worldOf({ ...COMMON,
      'onnx/model.onnx': { size: 70_000, seed: 1 }, 'onnx/model_q4.onnx': graph });
    const { files } = await manager.plan(MODEL, { dtype: 'q4' });
    const { bytes, sha256, cachedBytes } = /** @type {any} */ (
      files.find(({ path }) => path === 'onnx/model_q4.onnx'));
    assert.deepEqual([bytes, cachedBytes], [graph.length, 0]);
    assert.equal(sha256, createHash('sha256').update(graph).digest('hex'));
    const config = files.find(({ path }) => path === 'config.json');
    assert.equal(config?.sha256, undefined);
    await manager.dispose();
  });

  test('counts what is there, also of another dtype', async () => {
    const { manager, hub } = await worldOf();
    await manager.download(MODEL, { dtype: 'q8' });
    const plan = await manager.plan(MODEL, { dtype: 'q4' });
    const needed = sizeOf(Q4) - sizeOf(COMMON);
    assert.equal(plan.neededBytes, needed);
    assert.deepEqual(pathsOf(plan.files.filter(
      ({ cachedBytes, bytes }) => cachedBytes === bytes)),
    Object.keys(COMMON).sort());
    const from = hub.requests.length;
    const { fetchedBytes, resumedBytes } = await manager.download(
      MODEL, { dtype: 'q4' });
    assert.deepEqual([fetchedBytes, resumedBytes], [needed, sizeOf(COMMON)]);
    assert.equal(contentBytes(hub, from), needed);
    assert.equal((await manager.plan(MODEL, { dtype: 'q4' })).neededBytes, 0);
    await manager.dispose();
  });

  test('is the same by branch and by commit', async () => {
    const { manager } = await worldOf();
    const main = await manager.plan(MODEL, { dtype: 'q4' });
    assert.match(main.commit, /^[0-9a-f]{40}$/);
    assert.deepEqual(
      await manager.plan(MODEL, { dtype: 'q4', revision: main.commit }), main);
    assert.deepEqual(
      await manager.plan(MODEL, { dtype: 'q4', revision: 'main' }), main);
    await manager.dispose();
  });

  const secret = { entry: { private: true } };
  /** @type {[string, object, string, RegExp, Files?, object?][]} */
  const refusals = [
    ['an unknown dtype', { dtype: 'int4' }, 'dtype_unavailable', /fp32, q8, q4/],
    ['a dtype that it does not have', { dtype: 'fp16' }, 'dtype_unavailable',
      /fp32, q8, q4/],
    ['a repository without graphs', {}, 'dtype_unavailable', /no ONNX/, COMMON],
    ['a revision that does not exist', { revision: 'v9' }, 'not_found',
      /404: the model has no such revision$/],
    ['a private one', {}, 'unauthorized',
      /401: there is no such model, or it is private$/, FILES, secret],
    ['one that others may read', { hfToken: 'hf_reader' }, 'not_found',
      /404: there is no such model$/, FILES, secret],
    ['a wrong token', { hfToken: 'hf_nobody' }, 'unauthorized',
      /401: .* the token may not read it$/],
  ];
  for (const [name, options, code, message, files, hub] of refusals) {
    test(`of ${name} is refused`, async () => {
      const world = await worldOf(files, { hub });
      for (const verb of /** @type {const} */ (['plan', 'download'])) {
        const error = await world.manager[verb](MODEL, options)
          .then(() => null, (reason) => reason);
        assert.equal(error?.code, code, error?.message);
        assert.equal(error.modelId, MODEL);
        assert.match(error.message, message);
      }
      assert.equal(world.store.data.files.size, 0);
      await world.manager.dispose();
    });
  }

  test('of a gated repository is open; its files are not', async () => {
    const { manager } = await worldOf(
      FILES, { hub: { entry: { gated: 'auto' } } });
    const plan = await manager.plan(MODEL, { dtype: 'q4' });
    assert.equal(plan.totalBytes, sizeOf(Q4));
    await assert.rejects(manager.download(MODEL, { dtype: 'q4' }),
      { code: 'unauthorized', status: 401, message: /gated.* logged in/ });
    await assert.rejects(
      manager.download(MODEL, { dtype: 'q4', hfToken: 'hf_reader' }),
      { code: 'unauthorized', status: 403, message: /gated.* token/ });
    const { bytes } = await manager.download(
      MODEL, { dtype: 'q4', hfToken: 'hf_granted' });
    assert.equal(bytes, sizeOf(Q4));
    await manager.dispose();
  });

  test('of nonsense is refused by name', async () => {
    const { manager } = await worldOf();
    /** @type {[any, any, RegExp][]} */
    const cases = [
      ['no slash/too/many', {}, /modelId/], [7, {}, /modelId/],
      [MODEL, { revision: 'a/../b' }, /revision/], [MODEL, { dtype: 4 }, /dtype/],
      [MODEL, { hfToken: 'with space' }, /hfToken/],
    ];
    for (const [id, options, message] of cases) {
      await assert.rejects(manager.plan(id, options),
        { code: 'invalid_params', message });
    }
    await manager.dispose();
  });
});

describe('room', () => {
  const OTHERS = ['acme/a', 'acme/b', 'acme/c', 'acme/d'];
  const SIZE = 100_000;

  /** Models, stored one after the other, the third one pinned. */
  async function crowd() {
    const hub = createHub({
      catalogue: [], rateLimits: false, latency: false,
      repositories: [
        ...OTHERS.map((id, seed) => ({ id, files: new Map(Object.entries({
          ...COMMON, 'onnx/model.onnx': { size: SIZE, seed } })) })),
        { id: MODEL, files: new Map(Object.entries(FILES)) },
      ],
    });
    let now = Date.UTC(2026, 0, 1);
    const clock = { setTimeout, clearTimeout, now: () => now };
    const store = new MemoryStore();
    const manager = await managerOf(
      store, { fetch: hub.fetch, clock: /** @type {any} */ (clock) });
    for (const id of OTHERS) {
      await manager.download(id);
      now += 3_600_000;
    }
    await manager.pinModel('acme/c', true);
    // Read after the others were stored.
    const response = await manager.fetch(
      'https://huggingface.co/acme/a/resolve/main/config.json');
    await response.text();
    now += 3_600_000;
    return { hub, store, manager, later: () => { now += 3_600_000; } };
  }

  test('is made by the least recently used, never a pinned one', async () => {
    const { hub, store, manager } = await crowd();
    const each = SIZE + sizeOf(COMMON);
    /** @type {[number, string[]][]} */
    const cases = [
      [0, []], [1, ['acme/b']], [each, ['acme/b']],
      [each + 1, ['acme/b', 'acme/d']],
      [2 * each + 1, ['acme/b', 'acme/d', 'acme/a']],
    ];
    for (const [missing, evict] of cases) {
      const needed = sizeOf(FP32);
      store.room = { usage: 1e6, quota: 1e6 + needed - missing };
      const plan = await manager.plan(MODEL, { dtype: 'fp32' });
      const free = Math.max(0, needed - missing);
      assert.deepEqual(
        [plan.fits, plan.freeBytes, plan.quotaBytes, plan.neededBytes],
        [missing === 0, free, 1e6 + needed - missing, needed]);
      if (missing <= needed) assert.deepEqual(plan.evict, evict);
    }
    const from = hub.requests.length;
    store.room = { usage: 1e6, quota: 1e6 + 5 };
    const writes = [...store.data.files.keys()];
    const error = await manager.download(MODEL, { dtype: 'fp32' })
      .then(() => null, (reason) => reason);
    assert.equal(error?.code, 'quota_exceeded');
    assert.equal(error.neededBytes, sizeOf(FP32));
    assert.equal(error.freeBytes, 5);
    assert.equal(error.quotaBytes, 1e6 + 5);
    assert.equal(error.totalBytes, sizeOf(FP32));
    assert.deepEqual(error.evict, ['acme/b', 'acme/d']);
    assert.equal(contentBytes(hub, from), 0);
    assert.deepEqual([...store.data.files.keys()], writes);
    await manager.dispose();
  });

  test('is counted once where two revisions share a content', async () => {
    const { hub, store, manager, later } = await crowd();
    // acme/b has a second revision, of which only the configuration is new. It
    // goes first, for the others were used after it.
    hub.commit('acme/b', { files: { 'config.json': '{"a":1}' } });
    await manager.updateModel('acme/b');
    later();
    for (const id of ['acme/a', 'acme/d']) {
      const used = await manager.fetch(
        `https://huggingface.co/${id}/resolve/main/config.json`);
      await used.text();
    }
    const each = SIZE + sizeOf(COMMON) + '{"a":1}'.length;
    const needed = sizeOf(FP32);
    for (const [missing, evict] of [[each, 1], [each + 1, 2]]) {
      store.room = { usage: 1e6, quota: 1e6 + needed - missing };
      const plan = await manager.plan(MODEL, { dtype: 'fp32' });
      assert.equal(plan.evict.length, evict, `${missing}: ${plan.evict}`);
    }
    await manager.dispose();
  });

  test('for more of a model is not made by deleting it', async () => {
    const { store, manager } = await crowd();
    await manager.download(MODEL, { dtype: 'q8' });
    for (const id of ['acme/a', 'acme/b', 'acme/d']) {
      await manager.pinModel(id, true);
    }
    store.room = { usage: 10, quota: 11 };
    const { evict, fits } = await manager.plan(MODEL, { dtype: 'fp32' });
    assert.deepEqual([evict, fits], [[], false]);
    await manager.pinModel('acme/d', false);
    assert.deepEqual((await manager.plan(MODEL, { dtype: 'fp32' })).evict,
      ['acme/d']);
    await manager.dispose();
  });

  test('is not judged when the platform does not tell', async () => {
    const { manager, store } = await worldOf();
    store.room = { usage: null, quota: null };
    const { fits, freeBytes, quotaBytes } = await manager.plan(MODEL);
    assert.deepEqual([fits, freeBytes, quotaBytes], [true, null, null]);
    await manager.dispose();
  });

  test('that ends in the middle keeps what is stored', async () => {
    const data = emptyData();
    let left = 2;
    const store = new MemoryStore(data, { before(name, batch) {
      if (name !== 'write' || !batch?.some(({ kind }) => kind === 'content')) {
        return;
      }
      left -= 1;
      if (left < 0) throw new DOMException('full', 'QuotaExceededError');
    } });
    const { manager } = await worldOf(FILES, { store });
    const error = await manager.download(MODEL, { dtype: 'q4' })
      .then(() => null, (reason) => reason);
    assert.equal(error?.code, 'quota_exceeded');
    assert.deepEqual(error.evict, []);
    left = Infinity;
    const { resumedBytes, fetchedBytes } = await manager.download(
      MODEL, { dtype: 'q4' });
    assert.ok(resumedBytes > 0);
    assert.equal(resumedBytes + fetchedBytes, sizeOf(Q4));
    await manager.dispose();
  });
});
