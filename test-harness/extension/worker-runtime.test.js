// SPDX-License-Identifier: Apache-2.0
// Models in a worker: the same answers, a worker only while there is a model,
// and a coded end for whatever was under way when it dies.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import * as realOrt from 'onnxruntime-web';

import { WorkerRuntime } from '../../js-bindings/extension/worker-runtime.js';
import { FakeOrt } from '../chat/fake-ort.js';
import { chatManager, END, MODEL } from '../chat/world.js';
import { makeLlama } from '../models/llama.js';
import { quiet } from '../store/world.js';
import { FakeWorkers } from './fake-worker.js';

/** The letter that the model goes on saying. */
const LETTER = 'a'.charCodeAt(0);

const ENDLESS = { message: 'Hi', settings: { max_new_tokens: 400 } };

/** @type {FakeOrt} */
let ort;
/** @type {FakeWorkers} */
let workers;
/** @type {import('../chat/world.js').Manager} */
let manager;

/** @param {FakeWorkers} workers */
function inWorkers(workers) {
  return (/** @type {any} */ outside) => new WorkerRuntime(outside,
    { createWorker: workers.create, locks: /** @type {any} */ (workers.locks) });
}

beforeEach(async () => {
  ort = new FakeOrt(() => LETTER);
  workers = new FakeWorkers(ort);
  ({ manager } = await chatManager(makeLlama(), {
    openRuntime: inWorkers(workers),
    ort: () => { throw new Error('it is needed in the worker only'); },
  }));
});

afterEach(async () => {
  await manager.dispose();
  await quiet();
  assert.deepEqual(workers.living, []);
});

test('answers token for token as without a worker', async () => {
  const model = makeLlama({ vocab: 320 });
  const answers = [];
  const threads = new FakeWorkers(realOrt);
  for (const openRuntime of [undefined, inWorkers(threads)]) {
    const { manager: one } = await chatManager(model, { openRuntime });
    await one.load({ modelId: MODEL });
    /** @type {number[]} */
    const tokens = [];
    for (const message of ['Hello?', 'What is 9 plus 4?']) {
      await one.generate(
        { message, settings: { max_new_tokens: 12, eos_token_id: [] } },
        { onToken: ({ tokenIds }) => tokens.push(...tokenIds) });
    }
    answers.push(tokens);
    await one.dispose();
  }
  assert.equal(answers[0].length, 24);
  assert.deepEqual(answers[1], answers[0]);
  assert.deepEqual(threads.living, []);
});

test('logits of one position are moved, not copied', async () => {
  /** @type {Float32Array[]} */
  const logits = [];
  const { create } = ort.InferenceSession;
  ort.InferenceSession.create = async (...args) => {
    const session = await create(...args);
    const run = session.run.bind(session);
    session.run = async (...args) => {
      const outputs = await run(...args);
      logits.push(outputs.logits.data);
      return outputs;
    };
    return session;
  };
  await manager.load({ modelId: MODEL });
  logits.length = 0;
  await manager.generate({ message: 'Hi', settings: { max_new_tokens: 4 } });
  // What was moved has no bytes left where it was; that of a prompt is cut out.
  assert.deepEqual(logits.map(({ length }) => length === 0),
    [false, true, true, true]);
});

test('there is no worker before a model and none after it', async () => {
  assert.equal(workers.all.length, 0);
  await manager.state();
  assert.equal(workers.all.length, 0);
  await manager.load({ modelId: MODEL });
  assert.equal(workers.all.length, 1);
  assert.equal(workers.living.length, 1);
  await manager.reset();
  await quiet();
  assert.deepEqual(workers.living, []);
  await manager.load({ modelId: MODEL });
  assert.equal(workers.all.length, 2);
  await manager.generate({ message: 'Hi', settings: { max_new_tokens: 2 } });
});

test('a model that replaces another does not get its memory', async () => {
  await manager.load({ modelId: MODEL });
  const [first] = workers.living;
  await manager.load({ modelId: MODEL, revision: 'main' });
  assert.equal(workers.living.length, 1);
  assert.notEqual(workers.living[0], first);
  await manager.generate({ message: 'Hi', settings: { max_new_tokens: 2 } });
});

test('a load that is cancelled or fails leaves no worker', async () => {
  const controller = new AbortController();
  ort.beforeCreate = () => { controller.abort(); };
  await assert.rejects(
    manager.load({ modelId: MODEL }, { signal: controller.signal }),
    { code: 'cancelled' });
  await quiet();
  assert.deepEqual(workers.living, []);
  ort.beforeCreate = () => { throw new Error('not today'); };
  await assert.rejects(manager.load({ modelId: MODEL }),
    { code: 'runtime_failed', message: /not today/ });
  await quiet();
  assert.deepEqual(workers.living, []);
  await assert.rejects(manager.load({ modelId: 'acme/absent' }),
    { code: 'unauthorized' });
  await quiet();
  assert.deepEqual(workers.living, []);
});

test('memory tells of sessions while there are some', async () => {
  const none = await manager.memory();
  assert.deepEqual(none.sessions, []);
  assert.ok(none.wasmBytes > 0);
  await manager.load({ modelId: MODEL });
  const { sessions } = await manager.memory();
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].executionProvider, 'wasm');
  const { files } = await manager.plan(MODEL);
  const graph = files.find(({ path }) => path.endsWith('.onnx'));
  // Small graphs stay whole; what is put around the weights is little.
  assert.ok(Math.abs(sessions[0].bytes - Number(graph?.bytes)) < 65536);
  await manager.reset();
  assert.deepEqual((await manager.memory()).sessions, []);
});

describe('a worker that dies', () => {
  /** @param {() => void} die called within the third pass of an answer */
  async function assertRecovers(die) {
    await manager.load({ modelId: MODEL });
    ort.takePasses();
    ort.beforeRun = () => {
      if (ort.passes.length !== 2) return undefined;
      die();
      return new Promise(() => {});
    };
    await assert.rejects(manager.generate(ENDLESS),
      { code: 'worker_died', retryable: true, userAction: /[Ll]oad/ });
    ort.beforeRun = () => {};
    assert.equal((await manager.state()).state, 'unloaded');
    await manager.load({ modelId: MODEL });
    ort.next = (tokens) => (tokens.length > 40 ? END : LETTER);
    const { text } = await manager.generate({ message: 'Hi' });
    assert.match(text, /^a+$/);
  }

  test('of an error', () => assertRecovers(
    () => workers.living[0].crash('the stack is too small')));

  test('without a word', () => assertRecovers(
    () => workers.living[0].kill()));

  test('while nothing runs', async () => {
    await manager.load({ modelId: MODEL });
    workers.living[0].kill();
    await quiet();
    await assert.rejects(
      manager.generate({ message: 'Hi' }), { code: 'worker_died' });
    await manager.load({ modelId: MODEL });
    await manager.generate({ message: 'Hi', settings: { max_new_tokens: 2 } });
  });

  test('before it can be asked: it cannot be made', async () => {
    workers.onCreate = () => { throw new Error('there are too many'); };
    await assert.rejects(manager.load({ modelId: MODEL }),
      { code: 'worker_died', message: /too many/ });
    workers.onCreate = undefined;
    await manager.load({ modelId: MODEL });
  });

  test('while somebody asks for its sessions', async () => {
    await manager.load({ modelId: MODEL });
    const memory = manager.memory();
    workers.living[0].kill();
    assert.deepEqual((await memory).sessions, []);
  });
});

test('what is under way when the manager goes has an end', async () => {
  await manager.load({ modelId: MODEL });
  const answer = manager.generate(ENDLESS);
  await quiet(3);
  await manager.dispose();
  const { stopReason } = await answer.catch(() => ({ stopReason: 'none' }));
  assert.ok(['stopped', 'none'].includes(stopReason));
});
