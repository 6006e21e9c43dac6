// SPDX-License-Identifier: Apache-2.0
// Clocks of users that throw: the listing goes on by the platform's time, and
// the user sees what was thrown.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { guardedClock, platformClock } from '../../js-bindings/timer.js';
import { createVirtualClock } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';

/**
 * Runs `work` and returns what was given to `reportError` meanwhile.
 * @param {() => unknown} work
 */
async function reportedErrors(work) {
  /** @type {unknown[]} */
  const errors = [];
  globalThis.reportError = (error) => errors.push(error);
  try {
    await work();
  } finally {
    Reflect.deleteProperty(globalThis, 'reportError');
  }
  return errors;
}

/** @returns {never} */
function fail() {
  throw new Error('mine');
}

/** A row of the Hub that passes the filter. */
const ROW = {
  id: 'owner/model', pipeline_tag: 'text-generation', tags: ['onnx'],
  siblings: [{ rfilename: 'tokenizer.json' }, { rfilename: 'onnx/model.onnx' }],
};

describe('a listing with a clock', () => {
  for (const name of /** @type {const} */ (
    ['now', 'setTimeout', 'clearTimeout'])) {
    test(`whose ${name} throws once`, async () => {
      let throws = true;
      /** @type {any} */
      const clock = { ...platformClock };
      clock[name] = (/** @type {any[]} */ ...args) => {
        if (throws) {
          throws = false;
          fail();
        }
        return /** @type {any} */ (platformClock[name])(...args);
      };
      const errors = await reportedErrors(async () => {
        const manager = await createModelManager({
          wasm, clock, seed: 1, fetch: async () => Response.json([ROW]),
        });
        const { models } = await manager.listChatModels(
          { fetchConfigs: 'never' });
        assert.deepEqual(models.map(({ id }) => id), [ROW.id]);
        assert.equal((await manager.listChatModels(
          { listing: [ROW], fetchConfigs: 'never' })).models.length, 1);
        await manager.dispose();
      });
      assert.equal(throws, false);
      assert.deepEqual(errors.map(String), ['Error: mine']);
    });
  }
});

describe('a guarded clock', () => {
  test('tells the time of its own, else that of the platform', async () => {
    for (const [ms, isOwn] of /** @type {[any, boolean][]} */ ([
      [5, true], [NaN, false], [Infinity, false], ['5', false],
    ])) {
      const now = guardedClock({ ...platformClock, now: () => ms }).now();
      assert.equal(now === ms, isOwn);
      assert.equal(Number.isFinite(now), true);
    }
    const errors = await reportedErrors(() => {
      const before = platformClock.now();
      const now = guardedClock({ ...platformClock, now: fail }).now();
      assert.equal(now >= before, true);
    });
    assert.equal(errors.length, 1);
  });

  test('sets and clears timers of its own', async () => {
    const virtual = createVirtualClock(0);
    const clock = guardedClock(virtual);
    let fired = 0;
    const handle = clock.setTimeout(() => { fired += 1; }, 10);
    clock.setTimeout(() => { fired += 10; }, 20);
    clock.clearTimeout(handle);
    await virtual.advance(30);
    assert.equal(fired, 10);
    assert.equal(virtual.pendingTimers, 0);
  });

  test('takes a timer of the platform when its own throws', async () => {
    const clock = guardedClock({
      now: () => 0, setTimeout: fail, clearTimeout: fail,
    });
    const errors = await reportedErrors(() => new Promise((resolve) => {
      const stopped = clock.setTimeout(fail, 1);
      clock.clearTimeout(stopped);
      clock.setTimeout(() => resolve(undefined), 2);
    }));
    assert.deepEqual(errors.map(String), ['Error: mine', 'Error: mine']);
  });
});
