// SPDX-License-Identifier: Apache-2.0
// What goes wrong: each failure has its code, leaves nothing behind, and the
// next request works.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import * as realOrt from 'onnxruntime-web';

import { createHub } from '../hub/index.js';
import { emptyData, MemoryStore } from '../store/memory-store.js';
import { HUB_URL, managerOf, offline, quiet } from '../store/world.js';
import { FakeOrt, favouring, METADATA, VOCAB } from './fake-ort.js';
import { answerOf, generate, NO_MODEL, saying, scriptedManager } from './script.js';
import { chatManager, MODEL, repositoryOf } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const SAID = 'All is well.';

/** @param {Manager} manager */
async function assertAnswers(manager) {
  const { result } = await generate(manager, { message: 'Hi' });
  assert.equal(result.text, SAID);
  assert.equal(result.stopReason, 'eos');
}

/** @param {FakeOrt} ort */
function assertReleased(ort) {
  assert.deepEqual(ort.mistakes, []);
  assert.equal(ort.sessions.released, ort.sessions.made, 'sessions');
}

/** A Hub with these files, and managers of one store. */
function world(/** @type {Map<string, string | Uint8Array>} */ files) {
  const hub = createHub({
    catalogue: [], rateLimits: false, latency: false,
    repositories: [{ id: MODEL, files }],
  });
  const data = emptyData();
  const ort = new FakeOrt(saying(SAID));
  return {
    hub, data, ort,
    open: (options = {}) => managerOf(
      new MemoryStore(data), { fetch: hub.fetch, ort, ...options }),
  };
}

describe('without what is needed', () => {
  test('a model', async () => {
    const { manager } = await chatManager(NO_MODEL);
    await assert.rejects(manager.generate({ message: 'Hi' }),
      { code: 'no_model', userAction: /[Ll]oad/ });
    assert.deepEqual(await manager.state(), { state: 'unloaded', modelId: null,
      dtype: null, executionProvider: null, busy: false });
    await manager.dispose();
  });

  test('a task that it is for', async () => {
    const { manager } = await chatManager(NO_MODEL);
    await assert.rejects(
      manager.load({ modelId: MODEL, task: 'image-classification' }),
      { code: 'unsupported_task', message: /text2text-generation/ });
    await manager.dispose();
  });

  for (const [request, code] of /** @type {[any, string][]} */ ([
    [{}, 'invalid_params'], [{ modelId: 5 }, 'invalid_params'],
    [{ modelId: '../x' }, 'invalid_params'],
    [{ modelId: MODEL, device: 'abacus' }, 'invalid_params'],
    [{ modelId: MODEL, dtype: 7 }, 'invalid_params'],
    // The Hub does not tell strangers whether it exists.
    [{ modelId: 'acme/nothing' }, 'unauthorized'],
    [{ modelId: MODEL, revision: 'nowhere' }, 'not_found'],
    [{ modelId: MODEL, dtype: 'q4' }, 'dtype_unavailable'],
    [{ modelId: MODEL, device: 'webgpu' }, 'runtime_failed'],
  ])) {
    test(`what is right: ${JSON.stringify(request)}`, async () => {
      const ort = new FakeOrt(saying(SAID));
      const { manager } = await chatManager(NO_MODEL, { ort });
      await assert.rejects(manager.load(request), { code });
      await quiet();
      assertReleased(ort);
      await manager.load({ modelId: MODEL });
      await assertAnswers(manager);
      await manager.dispose();
    });
  }

  for (const ort of [{}, () => null, async () => ({ default: {} })]) {
    test(`a runtime that is none: ${ort}`, async () => {
      const { manager } = await chatManager(NO_MODEL, { ort });
      await assert.rejects(manager.load({ modelId: MODEL }),
        { code: 'invalid_argument', message: /^option ort: .*onnxruntime-web$/ });
      assert.equal((await manager.state()).state, 'unloaded');
      await manager.dispose();
    });
  }

  for (const [missing, codes] of /** @type {[string, RegExp][]} */ ([
    ['tokenizer.json', /not_found/],
    ['onnx/model.onnx', /dtype_unavailable|not_found|unsupported_graph/],
  ])) {
    test(missing, async () => {
      const files = repositoryOf(NO_MODEL);
      files.delete(missing);
      const { ort, open } = world(files);
      const manager = await open();
      await assert.rejects(manager.load({ modelId: MODEL }), { code: codes });
      await quiet();
      assertReleased(ort);
      assert.equal((await manager.state()).state, 'unloaded');
      await manager.dispose();
    });
  }

  for (const missing of ['config.json', 'generation_config.json',
    'tokenizer_config.json']) {
    test(`${missing} need not be`, async () => {
      const files = repositoryOf(NO_MODEL);
      files.delete(missing);
      files.set('chat_template.jinja', '{{ messages[0].content }}');
      const { open } = world(files);
      const manager = await open();
      await manager.load({ modelId: MODEL });
      const { result } = await generate(manager,
        { message: 'Hi', settings: { max_new_tokens: 3 } });
      assert.equal(result.newTokens, 3);
      await manager.dispose();
    });
  }

  test('generation_config.json that cannot be had is not missing', async () => {
    const { hub, open } = world(repositoryOf(NO_MODEL));
    hub.faults.add({ match: 'generation_config.json', status: 500 });
    let now = 0;
    const manager = await open({ clock: {
      now: () => now,
      setTimeout: (/** @type {() => void} */ callback, /** @type {number} */ ms) => (
        setImmediate(() => {
          now += ms;
          callback();
        })),
      clearTimeout: clearImmediate,
    } });
    await assert.rejects(manager.load({ modelId: MODEL }),
      { code: 'http_status' });
    await manager.dispose();
  });

  for (const [path, text] of [
    ['config.json', '{"a":'], ['config.json', 'no JSON'],
    ['tokenizer.json', '{}'], ['tokenizer.json', '{'],
    ['tokenizer_config.json', ']'], ['onnx/model.onnx', 'no graph'],
    ['onnx/model.onnx', ''], ['generation_config.json', '[1'],
  ]) {
    test(`${path} that is ${JSON.stringify(text)}`, async () => {
      const ort = new FakeOrt(saying(SAID));
      const { manager } = await chatManager(
        NO_MODEL, { ort, files: { [path]: text } });
      await assert.rejects(manager.load({ modelId: MODEL }), (error) => {
        const { code, message, stage } = /** @type {any} */ (error);
        assert.match(code, /^[a-z_]+$/);
        assert.notEqual(code, 'internal');
        assert.ok(message.length > 10 && stage.length > 0);
        return true;
      });
      await quiet();
      assertReleased(ort);
      await manager.dispose();
    });
  }

  test('the network, once it is stored', async () => {
    const { open } = world(repositoryOf(NO_MODEL));
    const online = await open();
    await online.load({ modelId: MODEL });
    await online.dispose();
    const alone = await open({ fetch: offline });
    await alone.load({ modelId: MODEL });
    await assertAnswers(alone);
    await alone.dispose();
  });
});

test('a model whose files were fetched one by one needs no Hub', async () => {
  const files = repositoryOf(NO_MODEL);
  const { open, hub } = world(files);
  const online = await open();
  for (const path of files.keys()) {
    const address = `${HUB_URL}/${MODEL}/resolve/main/${path}`;
    await (await online.fetch(address)).arrayBuffer();
  }
  const from = hub.requests.length;
  await online.load({ modelId: MODEL });
  assert.equal(hub.requests.length, from);
  await online.dispose();
});

describe('a damaged file', () => {
  /** Turns a bit of the largest thing that is stored. */
  function damage(/** @type {import('../store/memory-store.js').Data} */ data) {
    const chunks = [...data.files].filter(([, entry]) => entry instanceof Blob
      || entry instanceof Uint8Array);
    assert.ok(chunks.length > 0);
    const sizeOf = (/** @type {any} */ entry) => entry.size ?? entry.length;
    const [key, entry] = chunks.reduce(
      (a, b) => (sizeOf(b[1]) > sizeOf(a[1]) ? b : a));
    return { key, entry: /** @type {any} */ (entry) };
  }

  for (const isOnline of [true, false]) {
    test(`is ${isOnline ? 'repaired' : 'an error without a network'}`,
      async () => {
        const { data, open, ort } = world(repositoryOf(NO_MODEL));
        const first = await open();
        await first.load({ modelId: MODEL });
        await first.dispose();
        const { key, entry } = damage(data);
        const bytes = new Uint8Array(
          entry instanceof Blob ? await entry.arrayBuffer() : entry.slice());
        bytes[bytes.length >> 1] ^= 1;
        data.files.set(key, entry instanceof Blob ? new Blob([bytes]) : bytes);
        const manager = await open(isOnline ? {} : { fetch: undefined });
        if (isOnline) {
          await manager.load({ modelId: MODEL });
          await assertAnswers(manager);
        } else {
          await assert.rejects(manager.load({ modelId: MODEL }),
            { code: /store_damaged|network|timeout/ });
          assert.equal((await manager.state()).state, 'unloaded');
        }
        await manager.dispose();
        await quiet();
        assertReleased(ort);
      });
  }
});

describe('a runtime', () => {
  /** @type {FakeOrt} */
  let ort;
  /** @type {Manager} */
  let manager;

  beforeEach(async () => {
    await manager?.dispose();
    ort = new FakeOrt(saying(SAID));
    ({ manager } = await chatManager(NO_MODEL, { ort }));
  });
  after(() => manager.dispose());

  /** @param {string | RegExp} code */
  async function assertLoadFails(code) {
    await assert.rejects(manager.load({ modelId: MODEL }), (error) => {
      const given = /** @type {any} */ (error);
      assert.match(given.code, new RegExp(code));
      assert.ok(given.stage.length > 0);
      return true;
    });
    assert.equal((await manager.state()).state, 'unloaded');
    await quiet();
    assertReleased(ort);
  }

  async function assertLoads() {
    await manager.load({ modelId: MODEL });
    await assertAnswers(manager);
  }

  for (const [thrown, code] of /** @type {[unknown, string][]} */ ([
    [new Error('no such operator: Frobnicate'), 'runtime_failed'],
    [new RangeError('WebAssembly.Memory.grow(): out of memory'),
      'out_of_memory'],
    [new RangeError('Array buffer allocation failed'), 'out_of_memory'],
    [new Error('failed to allocate: std::bad_alloc'), 'out_of_memory'],
    ['only a text', 'runtime_failed'], [12345678, 'runtime_failed'],
    [undefined, 'runtime_failed'], [null, 'runtime_failed'],
    [new Error('ünïcode 👋 \u0000 "quoted" '.repeat(90)), 'runtime_failed'],
  ])) {
    const words = String(thrown).slice(0, 40);
    test(`whose session cannot be made once: ${words}`, async () => {
      ort.beforeCreate = () => {
        ort.beforeCreate = () => {};
        throw thrown;
      };
      await assertLoadFails(code);
      await assertLoads();
    });

    test(`whose pass fails once: ${words}`, async () => {
      await manager.load({ modelId: MODEL });
      ort.beforeRun = () => {
        ort.beforeRun = () => {};
        throw thrown;
      };
      await assert.rejects(manager.generate({ message: 'Hi' }), { code });
      await assertAnswers(manager);
    });
  }

  test('whose trial fails once', async () => {
    ort.beforeRun = () => {
      ort.beforeRun = () => {};
      throw new Error('not today');
    };
    await assertLoadFails('runtime_failed');
    await assertLoads();
  });

  for (const [what, logits] of /** @type {[string, Float32Array][]} */ ([
    ['NaN', new Float32Array(VOCAB).fill(NaN)],
    ['infinity', favouring(3).map((x, i) => (i === 9 ? Infinity : x))],
    ['a single NaN', favouring(3).map((x, i) => (i === 9 ? NaN : x))],
    ['the same number', new Float32Array(VOCAB).fill(0.5)],
  ])) {
    test(`whose first logits are ${what}`, async () => {
      ort.next = () => logits;
      await assertLoadFails('runtime_failed');
      ort.next = saying(SAID);
      await assertLoads();
    });
  }

  test('whose logits become NaN', async () => {
    await manager.load({ modelId: MODEL });
    ort.next = (tokens) => ((answerOf(tokens)?.length ?? 0) < 3
      ? saying(SAID)(tokens) : new Float32Array(VOCAB).fill(NaN));
    await assert.rejects(manager.generate({ message: 'Hi' }),
      { code: 'unexpected_shape', message: /logits/ });
    ort.next = saying(SAID);
    await assertAnswers(manager);
  });

  test('with remove_invalid_values, single NaN are nothing', async () => {
    await manager.load({ modelId: MODEL });
    ort.next = (tokens) => {
      const next = saying(SAID)(tokens);
      return typeof next === 'number' ? favouring(next).with(9, NaN) : next;
    };
    const { result } = await generate(manager, { message: 'Hi',
      settings: { remove_invalid_values: true } });
    assert.equal(result.text, SAID);
  });

  test('whose graph has an input that nobody understands', async () => {
    ort.metadata = { ...METADATA, inputs: [...METADATA.inputs,
      { name: 'pixel_values', type: 'float32', shape: [1, 3, 224, 224] }] };
    await assertLoadFails('unsupported_graph');
    await assert.rejects(manager.load({ modelId: MODEL }),
      { message: /pixel_values/ });
    ort.metadata = METADATA;
    await assertLoads();
  });

  test('that cannot be imported at first', async () => {
    let isGone = true;
    const late = await chatManager(NO_MODEL, { ort: async () => {
      if (isGone) throw new Error('the chunk is gone');
      return { default: ort };
    } });
    await assert.rejects(late.manager.load({ modelId: MODEL }),
      { code: 'runtime_failed', message: /the chunk is gone/ });
    isGone = false;
    await late.manager.load({ modelId: MODEL });
    await assertAnswers(late.manager);
    await late.manager.dispose();
  });

  test('that loses its device: it is loaded anew', async () => {
    await manager.load({ modelId: MODEL });
    ort.beforeRun = () => {
      throw new Error('failed to call OrtRun(): the GPUDevice was lost');
    };
    await assert.rejects(manager.generate({ message: 'Hi' }),
      { code: 'device_lost', retryable: true, userAction: /[Ll]oad/ });
    ort.beforeRun = () => {};
    assert.equal((await manager.state()).state, 'unloaded');
    await quiet();
    assertReleased(ort);
    await assertLoads();
  });

  test('a failed load is not in the way of the one that waits', async () => {
    ort.beforeCreate = () => {
      ort.beforeCreate = () => {};
      throw new Error('not today');
    };
    const first = manager.load({ modelId: MODEL });
    const second = manager.load({ modelId: MODEL });
    await assert.rejects(first, { code: 'runtime_failed' });
    assert.equal((await second).modelId, MODEL);
    await assertAnswers(manager);
  });

  test('the same model again is there at once', async () => {
    const first = await manager.load({ modelId: MODEL });
    assert.deepEqual(await manager.load({ modelId: MODEL }), first);
    assert.deepEqual(ort.sessions, { made: 1, released: 0 });
  });
});

describe('WebGPU', () => {
  const { navigator } = globalThis;
  before(() => Object.defineProperty(globalThis, 'navigator', {
    configurable: true, value: { gpu: { requestAdapter: async () => ({}) } } }));
  after(() => Object.defineProperty(globalThis, 'navigator', {
    configurable: true, value: navigator }));

  test('is preferred', async () => {
    const { manager, ort, loaded } = await scriptedManager(saying(SAID));
    assert.equal(loaded.executionProvider, 'webgpu');
    assert.equal(loaded.warning, undefined);
    assert.deepEqual(ort.providers, [['webgpu']]);
    await manager.dispose();
  });

  test('is not used when it is not wanted', async () => {
    const ort = new FakeOrt(saying(SAID));
    const { manager } = await chatManager(NO_MODEL, { ort });
    const { executionProvider } = await manager.load(
      { modelId: MODEL, device: 'wasm' });
    assert.equal(executionProvider, 'wasm');
    await manager.dispose();
  });

  for (const [what, spoil] of
    /** @type {[string, (ort: FakeOrt) => void][]} */ ([
      ['makes no session', (ort) => {
        ort.beforeCreate = () => {
          if (ort.providers.at(-1)?.[0] === 'webgpu') throw new Error('no shader');
        };
      }],
      ['has no memory', (ort) => {
        ort.beforeCreate = () => {
          if (ort.providers.at(-1)?.[0] === 'webgpu') {
            throw new RangeError('Out of memory: buffer');
          }
        };
      }],
      ['computes nothing of use', (ort) => {
        ort.next = (tokens) => (ort.providers.at(-1)?.[0] === 'webgpu'
          ? new Float32Array(VOCAB) : saying(SAID)(tokens));
      }],
      ['is lost', (ort) => {
        ort.beforeRun = () => {
          if (ort.providers.at(-1)?.[0] === 'webgpu') {
            throw new Error('Device is lost');
          }
        };
      }],
    ])) {
    test(`that ${what} gives way, and the result says so`, async () => {
      const ort = new FakeOrt(saying(SAID));
      spoil(ort);
      const { manager } = await chatManager(NO_MODEL, { ort });
      const loaded = await manager.load({ modelId: MODEL });
      assert.equal(loaded.executionProvider, 'wasm');
      assert.match(loaded.warning ?? '', /webgpu/);
      assert.deepEqual(ort.providers, [['webgpu'], ['wasm']]);
      await assertAnswers(manager);
      await manager.dispose();
      await quiet();
      assertReleased(ort);
    });
  }
});

test('what a platform says in other languages is told as it is', async () => {
  const ort = new FakeOrt(saying(SAID));
  ort.beforeCreate = () => { throw new Error('Gerät überlastet: 内存 \u0007'); };
  const { manager } = await chatManager(NO_MODEL, { ort });
  await assert.rejects(manager.load({ modelId: MODEL }),
    { code: 'runtime_failed', message: /Gerät überlastet: 内存 \?$/ });
  await manager.dispose();
});

test('the real runtime says what is wrong with a graph', async () => {
  const files = repositoryOf(NO_MODEL);
  const graph = /** @type {Uint8Array} */ (files.get('onnx/model.onnx')).slice();
  // The name of an operator is no longer one.
  const at = Buffer.from(graph).indexOf('MatMul');
  graph.set(Buffer.from('Foomul'), at);
  files.set('onnx/model.onnx', graph);
  const { open } = world(files);
  const manager = await open({ ort: realOrt });
  await assert.rejects(manager.load({ modelId: MODEL }),
    { code: 'runtime_failed', message: /Foomul/ });
  await manager.dispose();
});
