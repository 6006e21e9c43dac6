// SPDX-License-Identifier: Apache-2.0
// What TabAgent's panel hears while a model is loaded and answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WorkerEventNames } from '../../js-bindings/constants.js';
import { makeLlama } from '../models/llama.js';
import { chatManager, MODEL } from './world.js';

/**
 * Collects the messages for all, by type.
 * @param {import('./world.js').ChatOptions} [options]
 */
async function listen(options) {
  /** @type {{ type: string, payload: any }[]} */
  const heard = [];
  const { manager } = await chatManager(makeLlama({ vocab: 320 }), {
    ...options,
    onMessage: ({ type, payload }) => {
      if (type !== undefined) heard.push({ type, payload });
    },
  });
  return {
    manager, heard,
    of: (/** @type {string} */ name) => heard
      .filter(({ type }) => type === name).map(({ payload }) => payload),
  };
}

test('a load ends with workerReady', async () => {
  const { manager, heard, of } = await listen();
  const loaded = await manager.load({ modelId: MODEL, loadId: 'L1' });
  const { modelId, dtype, task, executionProvider } = loaded;
  assert.deepEqual(of(WorkerEventNames.WORKER_READY),
    [{ modelId, dtype, task, executionProvider }]);
  const progress = of('modelWorkerLoadingProgress')
    .filter(({ loadId }) => loadId === 'L1');
  assert.equal(progress[0].status, 'initiate');
  assert.equal(progress.at(-1).status, 'done');
  assert.equal(progress.at(-1).progress, 100);
  assert.equal(heard.at(-1)?.type, WorkerEventNames.WORKER_READY);
  await manager.dispose();
});

test('a load tells its progress once, with its download in it', async () => {
  const { manager, of } = await listen();
  await manager.load({ modelId: MODEL, loadId: 'L1' });
  const all = of('modelWorkerLoadingProgress');
  assert.deepEqual(all.filter(({ loadId }) => loadId !== 'L1'), []);
  const shares = all.map(({ progress }) => progress);
  assert.deepEqual(shares, [...shares].sort((a, b) => a - b));
  const ends = all.map(({ status }) => status)
    .filter((status) => status !== 'progress');
  assert.deepEqual(ends, ['initiate', 'done']);
  assert.equal(of(WorkerEventNames.MANIFEST_UPDATED).length, 1);
  await manager.dispose();
});

test('what a load asks of the store is no job of anybody', async () => {
  /** @type {Set<string>} */
  const heard = new Set();
  const { manager } = await chatManager(makeLlama({ vocab: 320 }), {
    onMessage: ({ action }) => {
      if (action !== undefined) heard.add(action);
    },
  });
  /** @type {Set<string>} */
  const kinds = new Set();
  await manager.load({ modelId: MODEL }, {
    onProgress: async () => {
      for (const { kind } of await manager.jobs()) kinds.add(kind);
    },
  });
  await manager.generate({ message: 'Hello', settings: { max_new_tokens: 2 } });
  for (const { kind } of await manager.jobs({ ended: true })) kinds.add(kind);
  assert.deepEqual([...kinds].sort(), ['generate', 'load']);
  assert.deepEqual([...heard].filter((action) => !/^(load|generate):/.test(action)),
    []);
  await manager.dispose();
});

test('a load that fails says why, and is not ready', async () => {
  const { manager, of } = await listen({ files: { 'tokenizer.json': 'x' } });
  await assert.rejects(manager.load({ modelId: MODEL, loadId: 'L1' }));
  assert.deepEqual(of(WorkerEventNames.WORKER_READY), []);
  const [failure, ...more] = of('modelWorkerLoadingProgress')
    .filter(({ status }) => status === 'error');
  assert.deepEqual(more, []);
  assert.equal(failure.loadId, 'L1');
  assert.match(failure.error, /\w/);
  await manager.dispose();
});

test('an answer comes in updates and ends once', async () => {
  const { manager, of } = await listen();
  await manager.load({ modelId: MODEL });
  const { text, output, newTokens } = await manager.generate({
    message: 'Hello', chatId: 'c', messageId: 'm',
    settings: { max_new_tokens: 8 },
  });
  const updates = of(WorkerEventNames.GENERATION_UPDATE);
  assert.equal(updates.map(({ token }) => token).join(''), output);
  const [complete, ...more] = of(WorkerEventNames.GENERATION_COMPLETE);
  assert.deepEqual(more, []);
  for (const payload of [...updates, complete]) {
    assert.deepEqual([payload.chatId, payload.messageId], ['c', 'm']);
  }
  assert.deepEqual(
    [complete.generatedText, complete.output, complete.numTokens],
    [text, output, newTokens]);
  await manager.dispose();
});

test('an answer without a model is an error for all, too', async () => {
  const { manager, of } = await listen();
  await assert.rejects(
    manager.generate({ message: 'Hello', chatId: 'c', messageId: 'm' }),
    { code: 'no_model' });
  const [{ chatId, messageId, error }]
    = of(WorkerEventNames.GENERATION_ERROR);
  assert.deepEqual([chatId, messageId, error],
    ['c', 'm', 'no model is loaded']);
  await manager.dispose();
});
