// SPDX-License-Identifier: Apache-2.0
// The ladder of devices as a user meets it: what failed is remembered until
// something changes, a dtype that is stored is taken, caches stay on the
// device, and the manifest knows what could not be loaded.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { makeLlama } from '../models/llama.js';
import { emptyData, MemoryStore } from '../store/memory-store.js';
import { managerOf, quiet } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { assistant, generate, NO_MODEL, saying, user } from './script.js';
import { MODEL, repositoryOf } from './world.js';

const MEMORY = 'tabagent:devices';

const files = repositoryOf(NO_MODEL); // in fp32
for (const dtype of /** @type {const} */ (['q8', 'fp16'])) {
  for (const [path, bytes] of makeLlama({ dtype }).files) files.set(path, bytes);
}
const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
  repositories: [{ id: MODEL, files }] });

/** @param {Record<string, any>} parts of globalThis */
function pretend(parts) {
  for (const [name, value] of Object.entries(parts)) {
    Object.defineProperty(globalThis, name,
      { configurable: true, writable: true, value });
  }
}

/**
 * @param {string[]} features
 * @param {string} [vendor]
 */
function adapter(features, vendor = 'acme') {
  return { hardwareConcurrency: 8, gpu: { requestAdapter: async () => ({
    features: new Set(features), info: { vendor, architecture: 'x' },
  }) } };
}

/** @param {FakeOrt} ort */
function withoutWebgpu(ort) {
  ort.beforeCreate = () => {
    if (ort.providers.at(-1)?.[0] === 'webgpu') throw new Error('no shader');
  };
}

describe('devices', () => {
  const { navigator, crossOriginIsolated } = globalThis;
  /** @type {import('../store/memory-store.js').Data} */
  let data;

  beforeEach(() => { data = emptyData(); });
  afterEach(() => pretend({ navigator, crossOriginIsolated }));

  /** @param {(ort: FakeOrt) => void} [spoil] */
  async function open(spoil) {
    const ort = new FakeOrt(saying('Yes.'));
    spoil?.(ort);
    /** @type {any[]} */
    const heard = [];
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch,
      ort, onMessage: (message) => heard.push(message) });
    return { manager, ort, heard };
  }

  /**
   * @param {(ort: FakeOrt) => void} [spoil]
   * @param {object} [request]
   */
  async function load(spoil, request) {
    const { manager, ort } = await open(spoil);
    const loaded = await manager.load({ modelId: MODEL, ...request });
    await manager.dispose();
    return { ...loaded, providers: ort.providers.map(([one]) => one),
      numThreads: /** @type {any} */ (ort.env.wasm).numThreads };
  }

  test('what failed is not tried again, until the driver is another one',
    async () => {
      pretend({ navigator: adapter(['shader-f16']) });
      const first = await load(withoutWebgpu);
      assert.deepEqual(first.providers, ['webgpu', 'wasm']);
      const second = await load();
      assert.deepEqual(second.providers, ['wasm']);
      assert.match(second.warning ?? '',
        /webgpu was not used: it failed before: .*no shader/);
      pretend({ navigator: adapter(['shader-f16'], 'other') });
      const third = await load();
      assert.deepEqual(third.providers, ['webgpu']);
      assert.equal(third.warning, undefined);
    });

  test('who asks for a device gets it, and it is forgiven', async () => {
    pretend({ navigator: adapter([]) });
    await load(withoutWebgpu, { dtype: 'q8' });
    const asked = await load(undefined, { dtype: 'q8', device: 'webgpu' });
    assert.deepEqual(asked.providers, ['webgpu']);
    const kept = /** @type {any} */ (data.inferenceSettings.get(MEMORY));
    assert.deepEqual(kept.failed, {});
    const again = await load(undefined, { dtype: 'q8' });
    assert.deepEqual(again.providers, ['webgpu']);
  });

  test('another dtype has another chance', async () => {
    pretend({ navigator: adapter([]) });
    await load(withoutWebgpu, { dtype: 'q8' });
    const other = await load(undefined, { dtype: 'fp32' });
    assert.deepEqual(other.providers, ['webgpu']);
  });

  for (const why of ['no available backend found. ERR: [webgpu] backend not '
    + 'found.', 'device was lost']) {
    test(`what is of this day only is not kept: ${why}`, async () => {
      pretend({ navigator: adapter([]) });
      const first = await load((ort) => {
        ort.beforeCreate = () => {
          if (ort.providers.at(-1)?.[0] === 'webgpu') throw new Error(why);
        };
      });
      assert.deepEqual(first.providers, ['webgpu', 'wasm']);
      assert.deepEqual((await load()).providers, ['webgpu']);
    });
  }

  test('a load that fails on every device is held against none', async () => {
    pretend({ navigator: adapter([]) });
    await assert.rejects(load((ort) => {
      ort.beforeCreate = () => { throw new Error('a bad graph'); };
    }), { code: 'runtime_failed' });
    assert.equal(data.inferenceSettings.size, 0);
    assert.deepEqual((await load()).providers, ['webgpu']);
  });

  test('numbers of 16 bits want an adapter that has them', async () => {
    pretend({ navigator: adapter([]) });
    const without = await load(undefined, { dtype: 'fp16' });
    assert.deepEqual(without.providers, ['wasm']);
    assert.match(without.warning ?? '', /shader-f16/);
    pretend({ navigator: adapter(['shader-f16']) });
    const withThem = await load(undefined, { dtype: 'fp16' });
    assert.deepEqual(withThem.providers, ['webgpu']);
  });

  test('the dtype that suits the device is the default', async () => {
    pretend({ navigator: adapter(['shader-f16']) });
    assert.equal((await load()).dtype, 'fp16');
    data = emptyData();
    pretend({ navigator: adapter([]) });
    assert.equal((await load()).dtype, 'q8');
    data = emptyData();
    pretend({ navigator: undefined });
    assert.equal((await load()).dtype, 'q8');
  });

  test('but what is stored is not fetched a second time', async () => {
    const { manager } = await open();
    await manager.download(MODEL, { dtype: 'fp32' });
    await manager.dispose();
    pretend({ navigator: adapter(['shader-f16']) });
    assert.equal((await load()).dtype, 'fp32');
  });

  test('threads where the page is isolated', async () => {
    pretend({ navigator: { hardwareConcurrency: 3 } });
    const alone = await load();
    assert.deepEqual([alone.threads, alone.numThreads], [1, 1]);
    pretend({ crossOriginIsolated: true });
    const isolated = await load();
    assert.deepEqual([isolated.threads, isolated.numThreads], [3, 3]);
    pretend({ navigator: { hardwareConcurrency: 32 } });
    assert.equal((await load()).threads, 4);
  });

  test('caches stay on WebGPU, and nothing else does', async () => {
    pretend({ navigator: adapter([]) });
    const { manager, ort } = await open();
    await manager.load({ modelId: MODEL });
    assert.equal(ort.onDevice.size, 0, 'the trial leaves nothing');
    const chat = [user('Hi')];
    for (let turn = 0; turn < 20; turn += 1) {
      const { result } = await generate(manager,
        { messages: chat, chatId: 'a', settings: { max_new_tokens: 8 } });
      assert.equal(result.text, 'Yes.');
      assert.equal(result.reusedTokens > 0, turn > 0);
      assert.equal(ort.onDevice.size, 2, 'a key and a value');
      assert.equal([...ort.onDevice].every(
        ({ location }) => location === 'gpu-buffer'), true);
      chat.push(assistant(turn % 2 ? 'Yes.' : 'No!'), user('And?'));
    }
    await manager.generate({ messages: chat,
      settings: { num_beams: 3, max_new_tokens: 3 } });
    await manager.reset();
    await quiet();
    assert.equal(ort.onDevice.size, 0);
    assert.deepEqual(ort.mistakes, []);
    await manager.dispose();
  });

  test('outputs of WebAssembly are where they are', async () => {
    const { manager, ort } = await open();
    await manager.load({ modelId: MODEL });
    await manager.generate({ message: 'Hi' });
    assert.equal(ort.onDevice.size, 0);
    await manager.dispose();
  });
});

describe('the status of a dtype', () => {
  test('is failed after a load that failed, and downloaded after another',
    async () => {
      const data = emptyData();
      let isBroken = true;
      const ort = new FakeOrt(saying('Yes.'));
      ort.beforeCreate = () => {
        if (isBroken) throw new Error('out of order');
      };
      /** @type {string[]} */
      const heard = [];
      const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch,
        ort, onMessage: ({ type, action }) => heard.push(type ?? action) });
      await manager.updateSettings({ top_k: 3 },
        { modelId: MODEL, dtype: 'q8' });
      const statuses = () => Object.fromEntries(
        Object.entries(/** @type {any} */ (data.manifest.get(MODEL)).quants)
          .map(([key, { status }]) => [key, status]));
      await assert.rejects(manager.load({ modelId: MODEL, dtype: 'q8' }),
        { code: 'runtime_failed', message: /out of order/ });
      assert.deepEqual(statuses(),
        { q8: 'failed', 'onnx/model_quantized.onnx': 'failed' });
      assert.ok(heard.lastIndexOf('manifestUpdated')
        < heard.indexOf('load:error'), 'it is heard before the end');
      assert.deepEqual(await manager.state(), { state: 'unloaded',
        modelId: null, dtype: null, executionProvider: null, busy: false });
      isBroken = false;
      await manager.load({ modelId: MODEL, dtype: 'quantized' });
      assert.deepEqual(statuses(),
        { q8: 'downloaded', 'onnx/model_quantized.onnx': 'downloaded' });
      await manager.dispose();
    });

  test('of others is left alone, and so is a manifest that is not there',
    async () => {
      const data = emptyData();
      const manager = await managerOf(new MemoryStore(data), {
        fetch: async () => new Response('', { status: 404 }),
        ort: new FakeOrt(saying('Yes.')) });
      const load = () => manager.load({ modelId: MODEL, dtype: 'q8' });
      await assert.rejects(load());
      assert.equal(data.manifest.size, 0);
      const entry = { repo: MODEL, manifestVersion: 1, quants: {
        a: { files: [], status: 'downloaded', dtype: 'q4' },
        b: { files: [], status: 'server_only', dtype: 'quantized' } } };
      data.manifest.set(MODEL, entry);
      await assert.rejects(load());
      assert.deepEqual(data.manifest.get(MODEL), { ...entry, quants: {
        ...entry.quants, b: { ...entry.quants.b, status: 'failed' } } });
      await manager.dispose();
    });
});
