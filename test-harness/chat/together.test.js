// SPDX-License-Identifier: Apache-2.0
// Everything at once, in an order that a seed decides: loads, answers, stops,
// resets, failures. Every request ends, every answer is right as far as it goes,
// and nothing is left.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Random } from '../hub/random.js';
import { quiet } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { generate, NO_MODEL, saying } from './script.js';
import { chatManager, MODEL } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const SAID = 'What is always said.';
const OPERATIONS = 60;
const SEEDS = Number(process.env.TAM_CHAT_SEEDS ?? 25);

/** How requests may end, besides well. */
const EXPECTED = new Set(
  ['cancelled', 'no_model', 'runtime_failed', 'device_lost', 'busy',
    'invalid_params', 'invalid_state']);

/** @param {() => Promise<any>} ask */
async function settle(ask) {
  try {
    return await ask();
  } catch (error) {
    const { code, stack } = /** @type {any} */ (error);
    assert.ok(EXPECTED.has(code), stack);
    return undefined;
  }
}

/** @param {any} result of an answer */
function assertRight(result) {
  if (result === undefined) return;
  assert.equal(result.text, SAID.slice(0, result.text.length));
  if (result.stopReason === 'eos') assert.equal(result.text, SAID);
}

/**
 * @param {Manager} manager
 * @param {Random} random
 */
function operation(manager, random) {
  const controller = new AbortController();
  const { signal } = controller;
  if (random.chance(0.3)) {
    quiet(random.below(12)).then(() => controller.abort());
  }
  const request = {
    message: 'x'.repeat(random.below(3) * 250), chatId: `${random.below(3)}`,
    settings: random.pick([
      {}, {}, {}, { num_beams: 3 }, { guidance_scale: 1.2 },
      { use_cache: false }, { top_k: -1 }, { do_sample: true, top_k: 1,
        num_return_sequences: 2 },
    ]),
  };
  return random.pick([
    () => manager.load({ modelId: MODEL }, { signal }),
    () => manager.generate(request, { signal }).then(assertRight),
    () => manager.generate(request, { signal }).then(assertRight),
    () => manager.generate(request, { signal }).then(assertRight),
    async () => {
      let left = random.below(20);
      for await (const part of manager.generateStream(request, { signal })) {
        assert.equal(typeof part.text, 'string');
        left -= 1;
        if (left < 0) break;
      }
    },
    () => manager.stop(),
    () => (random.chance(0.4) ? manager.reset() : manager.state()),
  ]);
}

/**
 * It works as if nothing had been.
 * @param {Manager} manager
 * @param {FakeOrt} ort
 */
async function assertAsNew(manager, ort) {
  ort.beforeRun = ort.beforeCreate = () => {};
  await manager.load({ modelId: MODEL });
  const { result } = await generate(manager, { message: 'Hi' });
  assert.equal(result.text, SAID);
  assert.equal((await manager.state()).busy, false);
  assert.deepEqual(await manager.jobs(), []);
}

/**
 * A runtime that takes its time, and fails now and then.
 * @param {Random} random
 */
function moodyOrt(random) {
  const ort = new FakeOrt(saying(SAID));
  ort.beforeRun = async () => {
    await quiet(random.below(3));
    if (random.chance(0.01)) throw new Error('not now');
    if (random.chance(0.003)) throw new Error('the device was lost');
  };
  ort.beforeCreate = async () => {
    await quiet(random.below(5));
    if (random.chance(0.1)) throw new Error('not now');
  };
  return ort;
}

describe('everything at once', () => {
  /** @type {unknown[]} */
  const unhandled = [];
  const note = (/** @type {unknown} */ error) => { unhandled.push(error); };
  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  for (let seed = 1; seed <= SEEDS; seed += 1) {
    test(`seed ${seed}`, async () => {
      const random = new Random(seed);
      const ort = moodyOrt(random);
      /** @type {Map<string, number>} */
      const ends = new Map();
      const { manager } = await chatManager(NO_MODEL, { ort,
        onMessage: ({ action, id }) => {
          if (/:(done|error)$/.test(String(action))) {
            ends.set(id, (ends.get(id) ?? 0) + 1);
          }
        } });
      const all = [];
      for (let i = 0; i < OPERATIONS; i += 1) {
        all.push(settle(operation(manager, random)));
        if (random.chance(0.5)) await quiet(random.below(20));
      }
      const isCutOff = seed % 3 === 0; // in the midst of it
      if (isCutOff) await manager.dispose();
      await Promise.all(all);
      for (const [id, count] of ends) assert.equal(count, 1, id);

      if (!isCutOff) await assertAsNew(manager, ort);
      await manager.dispose();
      await quiet(100);
      assert.deepEqual(ort.mistakes, []);
      assert.equal(ort.sessions.released, ort.sessions.made);
      assert.equal(ort.kept.size, 0, 'tensors of caches');
      assert.deepEqual(unhandled, []);
    });
  }
});
