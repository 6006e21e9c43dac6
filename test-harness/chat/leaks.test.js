// SPDX-License-Identifier: Apache-2.0
// Nothing is left: of loads and resets, of answers of every kind, of failures.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import * as realOrt from 'onnxruntime-web';

import { makeLlama } from '../models/llama.js';
import { quiet } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { generate, NO_MODEL, saying, scriptedManager } from './script.js';
import { chatManager, MODEL } from './world.js';

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

const LOADS = 50;
const ANSWERS = 200;

/** Bytes that JavaScript holds, when everything that can go is gone. */
async function heapBytes() {
  for (let i = 0; i < 4; i += 1) {
    await quiet();
    collect();
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}

/** More than this is no noise. */
const NOISE_BYTES = 3 << 20;

/** The runtime of users, watched. */
function watchedOrt() {
  const counts = { sessions: 0, made: 0, released: 0 };
  const tensors = { open: 0 };
  const watch = (/** @type {any} */ tensor) => {
    const { dispose } = tensor;
    tensors.open += 1;
    tensor.dispose = () => {
      tensors.open -= 1;
      tensor.dispose = dispose;
      return dispose.call(tensor);
    };
    return tensor;
  };
  const ort = {
    ...realOrt,
    InferenceSession: {
      async create(/** @type {any[]} */ ...args) {
        const session = await /** @type {any} */ (
          realOrt.InferenceSession).create(...args);
        counts.made += 1;
        counts.sessions += 1;
        const run = session.run.bind(session);
        const release = session.release.bind(session);
        session.run = async (
          /** @type {any} */ feeds, /** @type {string[]} */ wanted,
        ) => {
          const outputs = await run(feeds, wanted);
          for (const [name, tensor] of Object.entries(outputs)) {
            // What is no cache is read and forgotten, on the CPU.
            if (name.startsWith('present')) watch(tensor);
          }
          return outputs;
        };
        session.release = async () => {
          counts.released += 1;
          counts.sessions -= 1;
          await release();
        };
        return session;
      },
    },
  };
  return { ort, counts, tensors };
}

test(`${LOADS} loads and resets return to where they began`, async () => {
  const { ort, counts, tensors } = watchedOrt();
  const model = makeLlama({ hidden: 64, intermediate: 256, layers: 4 });
  const { manager } = await chatManager(model, { ort });
  const settings = { max_new_tokens: 4, eos_token_id: [] };
  const once = async () => {
    await manager.load({ modelId: MODEL });
    const { newTokens } = await manager.generate({ message: 'Hi', settings });
    assert.equal(newTokens, 4);
    await manager.reset();
  };
  for (let i = 0; i < 5; i += 1) await once();
  const before = await heapBytes();
  const { wasmBytes } = await manager.memory();
  for (let i = 0; i < LOADS; i += 1) await once();
  const grown = await heapBytes() - before;
  assert.ok(grown < NOISE_BYTES, `${grown} bytes more`);
  assert.equal((await manager.memory()).wasmBytes, wasmBytes);
  await quiet();
  // The runtime is warmed up with a session of its own.
  const { sessions, made, released } = counts;
  assert.deepEqual({ sessions, released }, { sessions: 0, released: made });
  assert.ok(made === LOADS + 5 || made === LOADS + 6, `${made} sessions`);
  assert.equal(tensors.open, 0);
  await manager.dispose();
});

test('a cache that was replaced is freed before the next token', async () => {
  const { ort } = watchedOrt();
  const { create } = ort.InferenceSession;
  let held = 0;
  let most = 0;
  ort.InferenceSession.create = async (...args) => {
    const session = await create(...args);
    const { run } = session;
    session.run = async (/** @type {any[]} */ ...args) => {
      most = Math.max(most, held);
      const outputs = await run(...args);
      for (const [name, { data }] of Object.entries(outputs)) {
        if (!name.startsWith('present')) continue;
        held += 1;
        // Newer engines have it, and free the memory.
        data.buffer.transfer = (/** @type {number} */ length) => {
          assert.equal(length, 0);
          held -= 1;
        };
      }
      return outputs;
    };
    return session;
  };
  const layers = 4;
  const { manager } = await chatManager(
    makeLlama({ hidden: 64, intermediate: 256, layers }), { ort });
  await manager.load({ modelId: MODEL });
  await manager.generate({
    message: 'Hi', settings: { max_new_tokens: 8, eos_token_id: [] },
  });
  assert.equal(most, 2 * layers, 'keys and values of one cache');
  await manager.reset();
  await quiet();
  assert.equal(held, 0);
  await manager.dispose();
});

test(`${ANSWERS} answers of every kind`, async () => {
  const { manager, ort } = await scriptedManager(saying('Some answer.'));
  /** @type {Record<string, unknown>[]} */
  const kinds = [
    {}, { num_beams: 3 }, { guidance_scale: 2 }, { stop: 'ans' },
    { do_sample: true, num_return_sequences: 3 }, { json_mode: true },
    { use_cache: false }, { max_new_tokens: 0 }, { max_time: 1e-6 },
  ];
  const ask = async (/** @type {number} */ i) => {
    const request = {
      message: `Question ${i}`.repeat(i % 40), chatId: `chat ${i % 4}`,
      settings: kinds[i % kinds.length],
    };
    if (i % 11 === 5) {
      const controller = new AbortController();
      await manager.generate(request, {
        signal: controller.signal, onToken: () => controller.abort(),
      }).catch(() => {});
    } else {
      await generate(manager, request).catch(
        ({ code }) => assert.equal(code, 'invalid_params'));
    }
    ort.takePasses();
  };
  for (let i = 0; i < ANSWERS; i += 1) await ask(i);
  const before = await heapBytes();
  const { wasmBytes } = await manager.memory();
  const open = ort.kept.size;
  for (let i = 0; i < ANSWERS; i += 1) await ask(i);
  const grown = await heapBytes() - before;
  assert.ok(grown < NOISE_BYTES, `${grown} bytes more`);
  assert.equal((await manager.memory()).wasmBytes, wasmBytes);
  assert.equal(ort.kept.size, open);
  await manager.reset();
  await quiet();
  assert.equal(ort.kept.size, 0, 'tensors of caches');
  assert.equal(ort.sessions.released, ort.sessions.made);
  await manager.dispose();
});

test('answers that fail or are stopped leave no cache', async () => {
  const { manager, ort } = await scriptedManager(saying('Some answer.'));
  for (let pass = 0; pass < 25; pass += 1) {
    ort.takePasses();
    ort.beforeRun = (at) => {
      if (at === pass) throw new Error('not today');
    };
    await manager.generate({ message: 'Hi',
      settings: pass % 2 ? { num_beams: 2 } : { guidance_scale: 1.5 } })
      .catch(({ code }) => assert.equal(code, 'runtime_failed'));
  }
  ort.beforeRun = () => {};
  await manager.reset();
  await quiet();
  assert.equal(ort.kept.size, 0);
  assert.deepEqual(ort.mistakes, []);
  await manager.dispose();
});

test('managers that were disposed are gone', async () => {
  const once = async () => {
    const ort = new FakeOrt(saying('Some answer.'));
    const { manager } = await chatManager(NO_MODEL, { ort });
    await manager.load({ modelId: MODEL });
    await manager.generate({ message: 'Hi' });
    await manager.dispose();
    await quiet();
    assert.equal(ort.kept.size, 0);
    assert.equal(ort.sessions.released, 1);
  };
  for (let i = 0; i < 3; i += 1) await once();
  const before = await heapBytes();
  for (let i = 0; i < 30; i += 1) await once();
  const grown = await heapBytes() - before;
  assert.ok(grown < NOISE_BYTES, `${grown} bytes more`);
});
