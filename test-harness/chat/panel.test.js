// SPDX-License-Identifier: Apache-2.0
// TabAgent's messages through `handleMessage`, with a real engine: what the
// listener gives to `sendResponse`, and what pages hear.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  RuntimeMessageTypes, UIEventNames, WorkerEventNames,
} from '../../js-bindings/constants.js';
import { makeLlama } from '../models/llama.js';
import { assistant, saying, scriptedManager, user } from './script.js';
import { chatManager, MODEL, TEMPLATE } from './world.js';

const GOOD = { success: true };

/**
 * Collects what pages hear, by type.
 * @param {{ entry?: object }} [options]
 */
async function listen(options) {
  /** @type {{ type: string, payload: any, isForChannel: boolean }[]} */
  const heard = [];
  /** @type {Map<string, (payload: any) => void>} */
  const waiting = new Map();
  const { manager } = await chatManager(makeLlama({ vocab: 320 }), {
    ...options,
    onMessage: (
      /** @type {any} */ message, /** @type {boolean} */ isForChannel) => {
      heard.push({ ...message, isForChannel });
      waiting.get(message.type)?.(message.payload);
    },
  });
  return {
    manager, heard,
    of: (/** @type {string} */ name) => heard
      .filter(({ type }) => type === name).map(({ payload }) => payload),
    /** @returns {Promise<any>} the payload of the next one */
    next: (/** @type {string} */ name) => new Promise((resolve) => {
      waiting.set(name, resolve);
    }),
    send: (
      /** @type {string} */ type, /** @type {any} */ payload = undefined) => (
      manager.handleMessage(payload === undefined ? { type }
        : { type, payload })),
  };
}

test('a panel loads, asks, stops and leaves', async () => {
  const { manager, heard, of, send } = await listen();
  const { GET_MODEL_WORKER_STATE } = RuntimeMessageTypes;
  assert.deepEqual(await send(GET_MODEL_WORKER_STATE),
    { state: 'uninitialized', modelId: null, dtype: null });
  assert.deepEqual(await send(WorkerEventNames.INIT, {
    modelId: MODEL, dtype: 'onnx/model.onnx', task: 'text-generation',
    loadId: 'L',
  }), GOOD);
  const [ready] = of(WorkerEventNames.WORKER_READY);
  assert.deepEqual([ready.modelId, ready.dtype, ready.task],
    [MODEL, 'onnx/model.onnx', 'text-generation']);
  assert.deepEqual(await send(GET_MODEL_WORKER_STATE),
    { state: 'model_ready', modelId: MODEL, dtype: 'onnx/model.onnx' });
  assert.deepEqual(await send(WorkerEventNames.GENERATE, {
    chatId: 'c', messageId: 'm', messages: [user('Hello')],
    options: { max_new_tokens: 6, system_prompt: 'x' },
  }), GOOD);
  const [complete] = of(WorkerEventNames.GENERATION_COMPLETE);
  const updates = of(WorkerEventNames.GENERATION_UPDATE);
  assert.equal(updates.map(({ token }) => token).join(''), complete.output);
  assert.deepEqual([complete.chatId, complete.messageId], ['c', 'm']);
  assert.deepEqual(await send(WorkerEventNames.RESET), GOOD);
  assert.equal(heard.at(-1)?.type, WorkerEventNames.RESET_COMPLETE);
  // Nothing that pages hear lacks a name.
  assert.ok(heard.every((message) => message.type
    ?? /** @type {any} */ (message).action));
  await manager.dispose();
});

test('a model that is gated is loaded when the panel brings a token',
  async () => {
    const { manager, of, next, send } = await listen(
      { entry: { gated: 'manual' } });
    const wanted = { modelId: MODEL, task: 'text-generation', loadId: 'L' };
    const refused = await send(
      WorkerEventNames.INIT, { ...wanted, dtype: 'fp32' });
    assert.deepEqual([refused.success, refused.code], [false, 'unauthorized']);
    const asked = { ...wanted, modelPath: 'fp32' };
    assert.deepEqual(
      of(UIEventNames.SHOW_HUGGINGFACE_LOGIN_DIALOG), [asked]);
    const ready = next(WorkerEventNames.WORKER_READY);
    assert.deepEqual(await send(WorkerEventNames.HUGGINGFACE_LOGIN,
      { ...asked, token: 'hf_granted' }),
    { success: true, name: 'granted', role: 'read' });
    const { modelId, dtype } = await ready;
    assert.deepEqual([modelId, dtype], [MODEL, 'fp32']);
    await manager.dispose();
  });

test('TabAgent\'s own settings sample, ours do not', async () => {
  const { manager, of, send } = await listen();
  await send(WorkerEventNames.INIT, { modelId: MODEL });
  const settings = { max_new_tokens: 24, system_prompt: 'x' };
  const { output, effective } = await manager.generate(
    { messages: [user('Hello')], settings });
  assert.equal(effective.do_sample, false);
  const texts = new Set();
  for (let i = 0; i < 6; i += 1) {
    await send(WorkerEventNames.GENERATE,
      { messages: [user('Hello')], options: { ...settings, temperature: 2 } });
    texts.add(of(WorkerEventNames.GENERATION_COMPLETE).at(-1).output);
  }
  assert.ok(texts.size > 1, 'every answer is the same');
  await send(WorkerEventNames.GENERATE,
    { messages: [user('Hello')], options: { ...settings, temperature: 0 } });
  assert.equal(of(WorkerEventNames.GENERATION_COMPLETE).at(-1).output, output);
  await manager.dispose();
});

test('messages of others get no answer', async () => {
  const { manager, heard, send } = await listen();
  for (const type of ['DbGetSessionRequest', 'getLogEntries', 'memoryStats',
    'saveLastChatSession', 'uiPing']) {
    assert.equal(await send(type, {}), undefined, type);
  }
  assert.deepEqual(heard, []);
  assert.deepEqual(await manager.jobs(), []);
  await manager.dispose();
});

test('what is wrong has a code', async () => {
  const { manager, send } = await listen();
  for (const [type, payload, code] of /** @type {[string, any, string][]} */ ([
    ['makeTea', {}, 'unknown_message'],
    [WorkerEventNames.INIT, 'text', 'malformed_message'],
    [WorkerEventNames.INIT, {}, 'invalid_params'],
    [WorkerEventNames.INIT, { modelId: 'no/model' }, 'unauthorized'],
    [WorkerEventNames.GENERATE, { messages: [] }, 'no_model'],
    [WorkerEventNames.UI_PONG, {}, 'invalid_params'],
  ])) {
    const answer = await send(type, payload);
    assert.deepEqual(Object.keys(answer).sort(), ['code', 'error', 'success']);
    assert.equal(answer.success, false);
    assert.equal(answer.code, code, type);
    assert.match(answer.error, /\w/);
  }
  await manager.dispose();
});

test('the platform tells how much memory there is', async () => {
  const { manager, of, send } = await listen();
  assert.deepEqual(await send(WorkerEventNames.REQUEST_MEMORY_STATS), GOOD);
  const [stats] = of(WorkerEventNames.MEMORY_STATS);
  assert.equal(stats.wasmBytes, (await manager.memory()).wasmBytes);
  await manager.dispose();
});

test('pings are for the channel, other events for pages', async () => {
  const { manager, heard, send } = await listen();
  await send('tabagent:configure', {});
  assert.deepEqual(
    heard.map(({ type, isForChannel }) => [type, isForChannel]),
    [['uiPing', true], ['workerEnvReady', false]]);
  await manager.dispose();
});

test('a system prompt of blanks stands for none, an empty one for the usual one',
  async () => {
    const { manager, ort } = await scriptedManager(saying('Yes.'));
    for (const [system, roles] of /** @type {const} */ ([
      [' \n', ['user']], ['', ['system', 'user']],
    ])) {
      ort.takePasses();
      assert.deepEqual(await manager.handleMessage({ type: 'generate', payload: {
        messages: [user('Hi')], options: { system_prompt: system, max_new_tokens: 3 },
      } }), GOOD);
      const seen = ort.takePasses().flatMap(({ fresh }) => fresh[0]);
      const text = Buffer.from(seen.filter((id) => id < 256)).toString();
      assert.deepEqual([...text.matchAll(/(system|user)\n/g)].map(([, role]) => role),
        roles, text);
    }
    await manager.dispose();
  });

test('a long chat with odd characters arrives as it was', async () => {
  const { manager, ort } = await scriptedManager(saying('Yes.'));
  const odd = 'a\u0000b\ud800c';
  // Longer than an event; the panel's oldest turns go, ours are refused.
  const messages = [user('x'.repeat(100_000)), assistant('ok'), user(odd)];
  await assert.rejects(manager.generate({ messages }),
    { code: 'context_overflow' });
  ort.takePasses();
  assert.deepEqual(await manager.handleMessage({
    type: 'generate', payload: {
      messages, options: { system_prompt: 's', max_new_tokens: 3 },
    },
  }), GOOD);
  const seen = ort.takePasses().flatMap(({ fresh }) => fresh[0]);
  const text = Buffer.from(seen.filter((id) => id < 256)).toString();
  assert.ok(TEMPLATE.includes('m.content'));
  assert.match(text, /a\0b\ufffdc/);
  assert.doesNotMatch(text, /xx/);
  await manager.dispose();
});
