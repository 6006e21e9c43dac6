// SPDX-License-Identifier: Apache-2.0
// Which model is loaded: what is asked for, what is there already, and what
// takes its place.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { makeLlama } from '../models/llama.js';
import { makeT5 } from '../models/t5.js';
import { MemoryStore } from '../store/memory-store.js';
import { managerOf, quiet } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { generate, NO_MODEL, saying } from './script.js';
import { chatManager, MODEL, repositoryOf } from './world.js';

const OTHER = 'acme/other-chat';

test('a stored model is loaded without the Hub', async () => {
  const ort = new FakeOrt(saying('Yes.'));
  const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
    repositories: [{ id: MODEL, files: repositoryOf(NO_MODEL) }] });
  let isOffline = false;
  const manager = await managerOf(new MemoryStore(), {
    ort,
    fetch: (/** @type {Parameters<typeof fetch>} */ ...args) => {
      assert.ok(!isOffline, `${args[0]} was asked for`);
      return hub.fetch(...args);
    },
  });
  const { dtype } = await manager.load({ modelId: MODEL });
  await manager.reset();
  isOffline = true;
  assert.equal((await manager.load({ modelId: MODEL })).dtype, dtype);
  const { result } = await generate(manager, { message: 'Well?' });
  assert.equal(result.text, 'Yes.');
  await manager.dispose();
});

describe('loads', () => {
  const ort = new FakeOrt(saying('Yes.'));
  /** @type {import('./world.js').Manager} */
  let manager;

  before(async () => {
    const files = repositoryOf(NO_MODEL);
    for (const [path, data] of makeLlama({ dtype: 'q8' }).files) {
      files.set(path, data);
    }
    const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
      repositories: [{ id: MODEL, files },
        { id: OTHER, files: repositoryOf(NO_MODEL) }] });
    manager = await managerOf(new MemoryStore(), { fetch: hub.fetch, ort });
  });

  after(async () => {
    await manager.dispose();
    await quiet();
    assert.equal(ort.sessions.released, ort.sessions.made);
    assert.deepEqual(ort.mistakes, []);
  });

  for (const [what, request, loaded, isNew] of
    /** @type {[string, any, any, boolean][]} */ ([
      ['a dtype', { modelId: MODEL, dtype: 'q8' }, { dtype: 'q8' }, true],
      ['the same', { modelId: MODEL, dtype: 'q8' }, { dtype: 'q8' }, false],
      ['any dtype', { modelId: MODEL }, { dtype: 'q8' }, false],
      ['another dtype', { modelId: MODEL, dtype: 'fp32' }, { dtype: 'fp32' },
        true],
      ['a task', { modelId: MODEL, task: 'image-text-to-text' },
        { dtype: 'fp32', task: 'image-text-to-text' }, false],
      ['the device that it has', { modelId: MODEL, device: 'wasm' },
        { executionProvider: 'wasm' }, false],
      ['another model', { modelId: OTHER }, { modelId: OTHER }, true],
      ['the first one again', { modelId: MODEL, dtype: 'fp32' },
        { modelId: MODEL, task: 'text-generation' }, true],
    ])) {
    test(what, async () => {
      const { made } = ort.sessions;
      const result = await manager.load(request);
      for (const [name, value] of Object.entries(loaded)) {
        assert.equal(/** @type {any} */ (result)[name], value, name);
      }
      assert.equal(ort.sessions.made - made, Number(isNew));
      await quiet();
      assert.equal(ort.sessions.made - ort.sessions.released, 1);
      const { modelId, dtype, executionProvider } = result;
      assert.deepEqual(await manager.state(), { state: 'ready', modelId, dtype,
        executionProvider, busy: false });
      const answer = await generate(manager, { message: 'Hi' });
      assert.equal(answer.result.text, 'Yes.');
    });
  }

  test('the commit that it has', async () => {
    const { commit } = await manager.load({ modelId: MODEL });
    const { made } = ort.sessions;
    await manager.load({ modelId: MODEL, revision: commit });
    assert.equal(ort.sessions.made, made);
  });

  test('nothing at all', async () => {
    for (const request of [undefined, null, {}]) {
      await assert.rejects(manager.load(/** @type {any} */ (request)),
        { code: 'invalid_params', message: /modelId/ });
      await assert.rejects(manager.generate(/** @type {any} */ (request)),
        { code: 'invalid_params', message: /messages/ });
    }
  });
});

test('a model with an encoder is for text from text', async () => {
  const { manager } = await chatManager(makeT5());
  assert.equal((await manager.load({ modelId: MODEL })).task,
    'text2text-generation');
  assert.equal((await manager.load(
    { modelId: MODEL, task: 'text-generation' })).task, 'text-generation');
  await manager.dispose();
});
