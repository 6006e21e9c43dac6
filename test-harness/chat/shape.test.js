// SPDX-License-Identifier: Apache-2.0
// What the chat resolves with and reports has every member that is declared, no
// other one, and each is what it is declared to be.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { FakeOrt } from './fake-ort.js';
import { generate, NO_MODEL, saying, scriptedManager } from './script.js';
import { chatManager, MODEL } from './world.js';

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const text = (value) => typeof value === 'string';
/** @type {Check} */
const count = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
/** @type {Check} */
const number = (value) => Number.isFinite(value) && Number(value) >= 0;
/** @type {Check} */
const flag = (value) => typeof value === 'boolean';
/** @type {Check} */
const object = (value) => typeof value === 'object' && value !== null
  && !Array.isArray(value);
/** @type {(...values: unknown[]) => Check} */
const oneOf = (...values) => (value) => values.includes(value);
/** @type {(check: Check) => Check} */
const list = (check) => (value) => Array.isArray(value) && value.every(check);

/**
 * A member whose name ends with a question mark may be missing.
 * @param {any} value
 * @param {Record<string, Check>} shape
 */
function assertShape(value, shape) {
  const names = Object.keys(shape).map((name) => name.replace('?', ''));
  assert.deepEqual(Object.keys(value).filter((name) => !names.includes(name)),
    [], 'members that nobody knows');
  for (const [name, check] of Object.entries(shape)) {
    const plain = name.replace('?', '');
    if (name !== plain && !(plain in value)) continue;
    assert.ok(check(value[plain]), `${plain}: ${JSON.stringify(value[plain])}`);
  }
}

const RESULT = {
  text, output: text, 'reasoning?': text,
  'toolCalls?': list((call) => object(call)
    && text(/** @type {any} */ (call).name)
    && object(/** @type {any} */ (call).arguments)),
  stopReason: oneOf('eos', 'length', 'stop', 'stopped', 'time'),
  promptTokens: count, newTokens: count, reusedTokens: count,
  droppedMessages: count, timeToFirstTokenMs: number, tokensPerSecond: number,
  effective: object,
  ignored: list((one) => text(/** @type {any} */ (one).name)
    && text(/** @type {any} */ (one).reason)),
  'sequences?': list((one) => text(/** @type {any} */ (one).text)
    && Number.isFinite(/** @type {any} */ (one).score)),
};

const PART = {
  text, kind: oneOf('content', 'reasoning'), tokenIds: list(count),
  numTokens: count, tokensPerSecond: number,
};

const LOADED = {
  modelId: text, dtype: text, commit: text, task: text,
  executionProvider: oneOf('wasm', 'webgpu'), threads: count,
  contextLength: count,
  'warning?': text, 'loadId?': text,
};

const PROGRESS = {
  status: oneOf('initiate', 'progress', 'done'), progress: number, file: text,
  'loaded?': count, 'total?': count, modelId: text, 'loadId?': text,
};

const STATE = {
  state: oneOf('unloaded', 'loading', 'ready', 'generating'),
  modelId: (/** @type {unknown} */ value) => value === null || text(value),
  dtype: (/** @type {unknown} */ value) => value === null || text(value),
  executionProvider: oneOf('wasm', 'webgpu', null), busy: flag,
};

/** What every message carries. */
const MESSAGE = ['action', 'id', 'seq', 'ts', 'protocolVersion'];

/** @param {any} message */
function withoutEnvelope(message) {
  return Object.fromEntries(Object.entries(message)
    .filter(([name]) => !MESSAGE.includes(name)));
}

describe('an answer', () => {
  /** @type {Awaited<ReturnType<typeof scriptedManager>>} */
  let world;
  before(async () => { world = await scriptedManager(saying('')); });
  after(() => world.manager.dispose());

  for (const [what, said, request] of
    /** @type {[string, string, any][]} */ ([
      ['plain', 'An answer.', {}],
      ['empty', '', {}],
      ['with reasoning', '<think>Hm.</think>Yes.', {}],
      ['of several sequences', 'Yes.', { settings: {
        do_sample: true, num_return_sequences: 2 } }],
      ['of beams', 'Yes.', { settings: { num_beams: 2 } }],
      ['with a call', '<tool_call>{"name":"f","arguments":{}}</tool_call>',
        { tools: [{ type: 'function', function: { name: 'f' } }] }],
      ['as JSON', '{"data": 1}', { settings: { json_mode: true } }],
      ['with ignored settings', 'Yes.', { settings: { top_p: 0.5, what: 1 } }],
    ])) {
    test(what, async () => {
      world.ort.next = saying(said);
      const { result, parts } = await generate(world.manager, {
        message: 'Speak!', ...request,
        settings: { max_new_tokens: 90, ...request.settings },
      });
      assertShape(result, RESULT);
      let total = 0;
      for (const part of parts) {
        assertShape(withoutEnvelope(part), PART);
        total += part.tokenIds.length;
        assert.equal(part.numTokens, total);
      }
      assert.equal(total, result.newTokens);
    });
  }

  test('that was stopped at once', async () => {
    const controller = new AbortController();
    const answer = world.manager.generate(
      { message: 'Hi' }, { signal: controller.signal });
    controller.abort();
    const result = await answer;
    assertShape(result, RESULT);
    assert.equal(result.stopReason, 'stopped');
  });

  test('has times that are true', async () => {
    world.ort.next = saying('0123456789');
    const started = performance.now();
    const { result } = await generate(world.manager, { message: 'Hi' });
    const passed = performance.now() - started;
    assert.ok(result.timeToFirstTokenMs <= passed + 1);
    // Ten tokens follow the first one, within what is left.
    assert.ok(result.tokensPerSecond === 0
      || result.tokensPerSecond >= 10 * 1000 / (passed + 1));
  });
});

test('a load, its progress, and states', async () => {
  const ort = new FakeOrt(saying('Yes.'));
  const { manager } = await chatManager(NO_MODEL, { ort });
  assertShape(await manager.state(), STATE);
  /** @type {any[]} */
  const progress = [];
  /** @type {Promise<any> | undefined} */
  let during;
  const loaded = await manager.load({ modelId: MODEL, loadId: 'L1' }, {
    onProgress: (message) => {
      progress.push(message);
      during ??= manager.state();
    },
  });
  assertShape(loaded, LOADED);
  assert.equal(loaded.contextLength, 4096);
  assert.equal(loaded.task, 'text-generation');
  assert.equal(loaded.dtype, 'fp32');
  assert.equal((await during).state, 'loading');
  let last = 0;
  for (const message of progress) {
    assertShape(withoutEnvelope(message), PROGRESS);
    assert.equal(message.loadId, 'L1');
    assert.ok(message.progress >= last && message.progress <= 100);
    last = message.progress;
  }
  assert.equal(progress[0].status, 'initiate');
  assert.equal(progress.at(-1).status, 'done');
  assert.equal(last, 100);
  assertShape(await manager.state(), STATE);
  let isSeen = false;
  await manager.generate({ message: 'Hi' }, { onToken: () => {
    manager.state().then(({ state, busy }) => {
      isSeen ||= state === 'generating' && busy;
    });
  } });
  assert.ok(isSeen);
  await manager.dispose();
});
