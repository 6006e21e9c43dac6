// SPDX-License-Identifier: Apache-2.0
// Whoever loses patience: whatever is going on, a request that is stopped ends
// once, nothing is left of it, and the next one works at once.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { quiet } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import {
  generate, NO_MODEL, promptOf, saying, scriptedManager, user,
} from './script.js';
import { chatManager, MODEL } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

/** Tokens of one part of a prompt. */
const PART = 256;

const SAID = 'The whole answer.';

/** Notes the terminal messages. */
class Ends {
  /** @type {Map<string, number>} */
  #counts = new Map();

  /** @param {any} message */
  hear = ({ action, id }) => {
    if (/:(done|error)$/.test(String(action))) {
      this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    }
  };

  check() {
    for (const [id, count] of this.#counts) assert.equal(count, 1, id);
    return this.#counts.size;
  }
}

/** A gate at which somebody waits until it is opened. */
function gate() {
  let arrive = () => {};
  let open = () => {};
  /** @type {Promise<void>} */
  const reached = new Promise((resolve) => { arrive = resolve; });
  /** @type {Promise<void>} */
  const opened = new Promise((resolve) => { open = resolve; });
  return {
    reached, open,
    pass: () => {
      arrive();
      return opened;
    },
  };
}

/**
 * Lets a little happen, between 0 and everything.
 * @param {number} moment
 */
async function waitUntil(moment) {
  await quiet(Math.floor(moment / 50));
  for (let i = 0; i < (moment % 50) * 5; i += 1) await null;
}

/** @param {FakeOrt} ort */
function assertReleased(ort) {
  assert.deepEqual(ort.mistakes, []);
  assert.equal(ort.sessions.released, ort.sessions.made, 'sessions');
}

describe('an answer', () => {
  const ends = new Ends();
  /** @type {Awaited<ReturnType<typeof scriptedManager>>} */
  let world;
  /** @type {Manager} */
  let manager;

  before(async () => {
    world = await scriptedManager(saying(SAID), { onMessage: ends.hear });
    ({ manager } = world);
  });

  afterEach(async () => {
    world.ort.beforeRun = () => {};
    const { result } = await generate(manager, { message: 'And now?' });
    assert.equal(result.text, SAID);
    assert.equal(result.stopReason, 'eos');
    assert.equal((await manager.state()).busy, false);
    ends.check();
  });

  after(() => manager.dispose());

  test('that was aborted before', async () => {
    world.ort.takePasses();
    const result = await manager.generate(
      { message: 'Hi' }, { signal: AbortSignal.abort() });
    assert.equal(result.stopReason, 'stopped');
    assert.equal(result.text, '');
    const stream = manager.generateStream(
      { message: 'Hi' }, { signal: AbortSignal.abort() });
    const { value } = await stream.next();
    assert.equal(/** @type {any} */ (value).stopReason, 'stopped');
    assert.equal(world.ort.passes.length, 0);
  });

  test('is stopped with its last token', async () => {
    const controller = new AbortController();
    const result = await manager.generate(
      { message: 'Hi', settings: { max_new_tokens: 5 } }, {
        signal: controller.signal,
        onToken: ({ numTokens }) => { if (numTokens === 5) controller.abort(); },
      });
    assert.match(result.stopReason, /^(length|stopped)$/);
    assert.equal(result.text, SAID.slice(0, 5));
  });

  test('waits for the load before it', async () => {
    await manager.reset();
    const load = manager.load({ modelId: MODEL });
    const { text } = await manager.generate({ message: 'Hi' });
    assert.equal(text, SAID);
    await load;
  });

  /** @type {[string, (controller: AbortController) => unknown][]} */
  const ways = [
    ['by its signal', (controller) => controller.abort()],
    ['by stop()', () => manager.stop()],
  ];

  for (const [way, stop] of ways) {
    test(`is stopped during the prompt ${way}`, async () => {
      const controller = new AbortController();
      const stopping = gate();
      world.ort.takePasses();
      world.ort.beforeRun = (pass) => (pass === 1 ? stopping.pass() : undefined);
      const answer = manager.generate(
        { message: 'x'.repeat(5 * PART) }, { signal: controller.signal });
      await stopping.reached;
      stop(controller);
      stopping.open();
      const result = await answer;
      assert.equal(result.stopReason, 'stopped');
      assert.equal(result.newTokens, 0);
      assert.equal(result.text, '');
      assert.equal(world.ort.passes.length, 2, 'it ends with this part');
    });

    test(`is stopped between tokens ${way}`, async () => {
      const controller = new AbortController();
      /** @type {string[]} */
      const texts = [];
      const result = await manager.generate({ message: 'Hi' }, {
        signal: controller.signal,
        onToken: ({ text, numTokens }) => {
          texts.push(text);
          if (numTokens === 7) stop(controller);
        },
      });
      assert.equal(result.stopReason, 'stopped');
      assert.equal(result.text, texts.join(''));
      assert.equal(result.text, SAID.slice(0, result.newTokens));
      assert.ok(result.newTokens <= 8, `${result.newTokens} tokens`);
    });

    test(`is stopped during a pass ${way}`, async () => {
      const controller = new AbortController();
      const stopping = gate();
      world.ort.takePasses();
      world.ort.beforeRun = (pass) => (pass === 4 ? stopping.pass() : undefined);
      const answer = manager.generate(
        { message: 'Hi' }, { signal: controller.signal });
      await stopping.reached;
      stop(controller);
      stopping.open();
      const result = await answer;
      assert.equal(result.stopReason, 'stopped');
      assert.equal(world.ort.passes.length, 5, 'it ends with this pass');
    });

    test(`of beams is stopped ${way}`, async () => {
      const controller = new AbortController();
      const stopping = gate();
      world.ort.takePasses();
      world.ort.beforeRun = (pass) => (pass === 4 ? stopping.pass() : undefined);
      const answer = manager.generate({ message: 'Hi',
        settings: { num_beams: 3 } }, { signal: controller.signal });
      await stopping.reached;
      stop(controller);
      stopping.open();
      const result = await answer;
      assert.equal(result.stopReason, 'stopped');
      assert.equal(world.ort.passes.length, 5);
    });
  }

  test('is stopped while it waits for another one', async () => {
    const controller = new AbortController();
    const first = manager.generate({ message: 'First' });
    const second = manager.generate(
      { message: 'Second' }, { signal: controller.signal });
    const third = manager.generate({ message: 'Third' });
    controller.abort();
    const results = await Promise.all([first, second, third]);
    assert.deepEqual(results.map(({ stopReason }) => stopReason),
      ['eos', 'stopped', 'eos']);
    assert.equal(results[1].promptTokens, 0);
  });

  test('and all that wait are stopped by stop()', async () => {
    const started = gate();
    const answers = [1, 2, 3].map((i) => manager.generate(
      { message: `Question ${i}` }, { onToken: () => { started.pass(); } }));
    await started.reached;
    await manager.stop();
    for (const { stopReason } of await Promise.all(answers)) {
      assert.equal(stopReason, 'stopped');
    }
  });

  test('requests are answered in their order', async () => {
    /** @type {number[]} */
    const order = [];
    world.ort.takePasses();
    await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      const { text } = await manager.generate({ message: `Question ${i}` });
      assert.equal(text, SAID);
      order.push(i);
    }));
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    const prompts = world.ort.takePasses().map(({ past, fresh }) => (
      [...past[0], ...fresh[0]])).filter((tokens) => tokens.at(-1) === 10);
    assert.deepEqual(prompts,
      order.map((i) => promptOf([user(`Question ${i}`)])));
  });

  test('too many requests are too many', async () => {
    const results = await Promise.allSettled(Array.from({ length: 80 },
      () => manager.generate(
        { message: 'Hi', settings: { max_new_tokens: 1 } })));
    const refused = results.filter(({ status }) => status === 'rejected');
    assert.ok(refused.length > 0 && refused.length < 40);
    for (const { reason } of /** @type {any[]} */ (refused)) {
      assert.equal(reason.code, 'busy');
      assert.equal(reason.retryable, true);
    }
  });

  test('a stream gives the parts and returns the result', async () => {
    const stream = manager.generateStream({ message: 'Hi' });
    let text = '';
    let step = await stream.next();
    while (!step.done) {
      text += step.value.text;
      step = await stream.next();
    }
    assert.equal(text, SAID);
    assert.equal(step.value.text, SAID);
  });

  test('a stream that is left stops the answer', async () => {
    world.ort.takePasses();
    let count = 0;
    for await (const part of manager.generateStream({ message: 'Hi' })) {
      assert.ok(SAID.startsWith(part.text) || count > 0);
      count += 1;
      if (count === 3) break;
    }
    await quiet();
    assert.ok(world.ort.passes.length < SAID.length);
  });

  test('a stream whose signal is aborted ends with what there is', async () => {
    const controller = new AbortController();
    const stream = manager.generateStream(
      { message: 'Hi' }, { signal: controller.signal });
    let text = '';
    let step = await stream.next();
    while (!step.done) {
      text += step.value.text;
      if (text.length === 5) controller.abort();
      step = await stream.next();
    }
    assert.equal(step.value.stopReason, 'stopped');
    assert.equal(step.value.text, text);
  });

  test('a listener that throws harms nobody', async () => {
    const { text } = await manager.generate({ message: 'Hi' },
      { onToken: () => { throw new Error('not my day'); } });
    assert.equal(text, SAID);
  });

  test('a listener that asks again', async () => {
    /** @type {Promise<any> | undefined} */
    let inner;
    const { text } = await manager.generate({ message: 'Hi' }, {
      onToken: () => { inner ??= manager.generate({ message: 'Inner' }); },
    });
    assert.equal(text, SAID);
    assert.equal((await inner).text, SAID);
  });

  for (const [what, request] of /** @type {[string, any][]} */ ([
    ['is wrong', { message: 'Hi', settings: 5 }],
    ['has a chatId of another kind', { message: 'Hi', chatId: 5 }],
    ['is too long', { message: 'x'.repeat(9 << 20) }],
  ])) {
    test(`is not disturbed by a request that ${what}`, async () => {
      const running = gate();
      world.ort.takePasses();
      world.ort.beforeRun = (pass) => (pass === 3 ? running.pass() : undefined);
      const answer = manager.generate({ message: 'Hi' });
      await running.reached;
      const other = assert.rejects(manager.generate(request), { code: /\w/ });
      await quiet();
      running.open();
      await other;
      assert.equal((await answer).text, SAID);
    });
  }

  test('is stopped at any moment', async () => {
    let isComplete = false;
    let count = 0;
    for (let moment = 0; !isComplete; moment += 1) {
      count += 1;
      const controller = new AbortController();
      const answer = manager.generate(
        { message: 'x'.repeat(2 * PART), chatId: `${moment}` },
        { signal: controller.signal });
      await waitUntil(moment);
      controller.abort();
      const result = await answer;
      isComplete = result.stopReason === 'eos';
      assert.ok(isComplete || result.stopReason === 'stopped');
      assert.equal(result.text, SAID.slice(0, result.text.length));
    }
    assert.ok(count > 5, `${count} moments`);
  });
});

describe('a load', () => {
  /** @param {FakeOrt} ort */
  async function world(ort) {
    const ends = new Ends();
    const { manager, hub } = await chatManager(
      NO_MODEL, { ort, onMessage: ends.hear });
    return { manager, hub, ends };
  }

  /** Loads and answers, as if nothing had been. */
  async function assertWorks(/** @type {Manager} */ manager) {
    await manager.load({ modelId: MODEL });
    const { result } = await generate(manager, { message: 'Hi' });
    assert.equal(result.text, SAID);
  }

  test('that was aborted before', async () => {
    const ort = new FakeOrt(saying(SAID));
    const { manager } = await world(ort);
    await assert.rejects(
      manager.load({ modelId: MODEL }, { signal: AbortSignal.abort() }),
      { code: 'cancelled' });
    await assertWorks(manager);
    await manager.dispose();
  });

  test('is cancelled while a session is made', async () => {
    const ort = new FakeOrt(saying(SAID));
    const { manager } = await world(ort);
    const controller = new AbortController();
    const making = gate();
    ort.beforeCreate = (count) => (count === 0 ? making.pass() : undefined);
    const load = manager.load({ modelId: MODEL },
      { signal: controller.signal });
    await making.reached;
    controller.abort();
    await assert.rejects(load, { code: 'cancelled' });
    assert.equal((await manager.state()).state, 'unloaded');
    making.open();
    await quiet();
    assert.deepEqual(ort.sessions, { made: 1, released: 1 });
    await assertWorks(manager);
    await manager.dispose();
  });

  test('is cancelled during the trial', async () => {
    const ort = new FakeOrt(saying(SAID));
    const { manager } = await world(ort);
    const controller = new AbortController();
    const trying = gate();
    ort.beforeRun = () => trying.pass();
    const load = manager.load({ modelId: MODEL },
      { signal: controller.signal });
    await trying.reached;
    controller.abort();
    await assert.rejects(load, { code: 'cancelled' });
    trying.open();
    await quiet();
    assertReleased(ort);
    await assertWorks(manager);
    await manager.dispose();
  });

  test('is cancelled at any moment', async () => {
    const ort = new FakeOrt(saying(SAID));
    let isComplete = false;
    let count = 0;
    for (let moment = 0; !isComplete; moment += 1) {
      const { manager, ends } = await world(ort);
      const controller = new AbortController();
      const load = manager.load({ modelId: MODEL },
        { signal: controller.signal });
      await waitUntil(moment);
      controller.abort();
      try {
        await load;
        isComplete = true;
      } catch (error) {
        assert.equal(/** @type {any} */ (error).code, 'cancelled');
        assert.equal((await manager.state()).state, 'unloaded');
        await quiet();
        assertReleased(ort);
        if (moment % 7 === 0) await assertWorks(manager);
      }
      ends.check();
      await manager.dispose();
      await quiet();
      assertReleased(ort);
      count += 1;
    }
    assert.ok(count > 10, `${count} moments`);
  });

  test('of another model is cancelled: nothing is loaded', async () => {
    const ort = new FakeOrt(saying(SAID));
    const { manager } = await world(ort);
    await assertWorks(manager);
    const controller = new AbortController();
    const making = gate();
    ort.beforeCreate = () => making.pass();
    const load = manager.load({ modelId: MODEL, device: 'wasm',
      revision: 'main', dtype: 'fp32', task: 'text2text-generation' },
    { signal: controller.signal });
    await making.reached;
    controller.abort();
    await assert.rejects(load, { code: 'cancelled' });
    making.open();
    ort.beforeCreate = () => {};
    const { state } = await manager.state();
    assert.ok(state === 'unloaded' || state === 'ready');
    await assertWorks(manager);
    await manager.dispose();
    await quiet();
    assertReleased(ort);
  });
});

describe('reset', () => {
  test('during an answer', async () => {
    const { manager, ort } = await scriptedManager(saying(SAID));
    const running = gate();
    ort.takePasses();
    ort.beforeRun = (pass) => (pass === 3 ? running.pass() : undefined);
    const answer = manager.generate({ message: 'Hi' });
    await running.reached;
    const reset = manager.reset();
    running.open();
    assert.equal((await answer).stopReason, 'stopped');
    await reset;
    await quiet();
    assertReleased(ort);
    assert.equal((await manager.state()).state, 'unloaded');
    await assert.rejects(
      manager.generate({ message: 'Hi' }), { code: 'no_model' });
    await manager.load({ modelId: MODEL });
    assert.equal((await manager.generate({ message: 'Hi' })).text, SAID);
    await manager.dispose();
  });

  test('without a model, and twice', async () => {
    const { manager, ort } = await scriptedManager(saying(SAID));
    await Promise.all([manager.reset(), manager.reset()]);
    await manager.reset();
    await quiet();
    assertReleased(ort);
    await manager.dispose();
  });
});

describe('dispose', () => {
  /** @type {unknown[]} */
  const unhandled = [];
  const note = (/** @type {unknown} */ error) => { unhandled.push(error); };
  before(() => process.on('unhandledRejection', note));
  after(() => process.off('unhandledRejection', note));

  test('during an answer', async () => {
    const { manager, ort } = await scriptedManager(saying(SAID));
    const running = gate();
    ort.takePasses();
    ort.beforeRun = (pass) => (pass === 3 ? running.pass() : undefined);
    const answer = manager.generate({ message: 'Hi' })
      .then(({ stopReason }) => stopReason, ({ code }) => code);
    await running.reached;
    await manager.dispose();
    assert.match(await answer, /^(stopped|cancelled)$/);
    running.open();
    await quiet();
    assertReleased(ort);
    assert.deepEqual(unhandled, []);
  });

  test('during a load', async () => {
    for (const at of /** @type {const} */ (['beforeCreate', 'beforeRun'])) {
      const ort = new FakeOrt(saying(SAID));
      const { manager } = await chatManager(NO_MODEL, { ort });
      const loading = gate();
      ort[at] = () => loading.pass();
      const load = manager.load({ modelId: MODEL });
      const end = assert.rejects(load, { code: 'cancelled' });
      await loading.reached;
      await manager.dispose();
      await end;
      loading.open();
      await quiet();
      assertReleased(ort);
      assert.deepEqual(unhandled, []);
    }
  });

  test('twice, and then nothing works', async () => {
    const { manager } = await scriptedManager(saying(SAID));
    await manager.dispose();
    await manager.dispose();
    for (const ask of [
      () => manager.generate({ message: 'Hi' }),
      () => manager.load({ modelId: MODEL }), () => manager.state(),
    ]) await assert.rejects(ask, { code: 'invalid_state' });
  });
});
