// SPDX-License-Identifier: Apache-2.0
// What becomes of a client's requests when the host dies under them: those that
// only read and jobs go on in the next one, others end with a code.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { MODEL } from '../chat/world.js';
import { quiet } from '../store/world.js';
import { installExtension, plainMade, settle } from './world.js';

/** How soon a client tries again to reach a host. */
const RETRY_MS = 100;

/** @type {ReturnType<typeof installExtension>[]} */
const all = [];

afterEach(() => {
  for (const { browser } of all.splice(0)) {
    for (const context of [...browser.contexts]) context.kill();
  }
});

/** @param {Parameters<typeof installExtension>[0]} [options] */
function install(options) {
  const extension = installExtension(options);
  all.push(extension);
  return extension;
}

describe('when the host dies', () => {
  /** @type {((end: any) => void)[]} */
  let ends;
  /** @type {any[]} */
  let asked;
  /** @type {(message: any, options: any) => Promise<any>} */
  const run = (message, { onProgress, signal }) => new Promise((resolve) => {
    asked.push(message);
    onProgress({ action: `${message.action}:progress`, id: message.id, seq: 1 });
    const end = (/** @type {any} */ rest) => resolve(
      { action: `${message.action}:done`, id: message.id, seq: 2, ...rest });
    ends.push(end);
    signal.addEventListener('abort', () => end({ code: 'cancelled' }));
  });

  beforeEach(() => {
    ends = [];
    asked = [];
  });

  /** @param {object} [loop] */
  function withLoop(loop = {}) {
    const extension = install({
      createManager: async () => {
        const made = plainMade(() => ({}));
        return { ...made, loop: { ...made.loop, run, ...loop } };
      },
    });
    return { extension, ...extension.connect() };
  }

  /** @param {ReturnType<typeof install>} extension */
  const kill = ({ browser }) => browser.offscreen?.kill();

  test('what only reads is asked again', async () => {
    const { extension, client } = withLoop();
    const plan = client.plan(MODEL);
    await settle(() => asked.length === 1);
    kill(extension);
    await settle(() => asked.length === 2);
    assert.deepEqual(asked[1], asked[0]);
    ends[1]({ commit: 'c' });
    assert.deepEqual(await plan, { commit: 'c' });
    assert.equal(extension.browser.created, 2);
  });

  test('what it said last is heard behind the news of its death', async () => {
    const { extension, client } = withLoop();
    const load = client.load({ modelId: MODEL });
    await settle(() => asked.length === 1);
    ends[0]({ modelId: MODEL });
    for (let i = 0; i < 10; i += 1) await null; // it is said, and not heard yet
    kill(extension);
    assert.deepEqual(await load, { modelId: MODEL });
    assert.equal(asked.length, 1);
  });

  test('a job that it had not begun is begun again, but not for ever', async () => {
    const silent = (/** @type {any} */ message) => {
      asked.push(message);
      return new Promise((resolve) => {
        ends.push((rest) => resolve({
          action: `${message.action}:done`, id: message.id, seq: 0, ...rest }));
      });
    };
    const { extension, client } = withLoop({ run: silent });
    const load = client.load({ modelId: MODEL });
    await settle(() => asked.length === 1);
    kill(extension);
    await settle(() => asked.length === 2);
    assert.deepEqual(asked[1], asked[0]);
    ends[1]({ modelId: MODEL });
    assert.deepEqual(await load, { modelId: MODEL });

    let begun = asked.length;
    for (const begin of [
      () => client.generate({ message: 'Hi' }),
      () => client.download(MODEL),
    ]) {
      const outcome = assert.rejects(begin(), { code: 'host_died' });
      for (let i = 0; i < 3; i += 1) {
        begun += 1;
        await settle(() => asked.length === begun);
        kill(extension);
      }
      await outcome;
      assert.equal(asked.length, begun);
    }
  });

  test('what changes something ends with a code', async () => {
    const { extension, client } = withLoop();
    /** @type {any[]} */
    const heard = [];
    const hear = (/** @type {any} */ one) => heard.push(one);
    // Of the two jobs nobody knows, though something was heard of them.
    const outcomes = [
      assert.rejects(client.deleteModel(MODEL),
        { code: 'host_died', retryable: true }),
      assert.rejects(client.generate({ message: 'Hi' }, { onToken: hear }),
        { code: 'host_died' }),
      assert.rejects(client.load({ modelId: MODEL }, { onProgress: hear }),
        { code: 'host_died' }),
    ];
    await settle(() => heard.length === 2);
    kill(extension);
    await Promise.all(outcomes);
    assert.equal(asked.length, 3);
    const state = client.state();
    await settle(() => asked.length === 4);
    ends[3]({ state: 'unloaded' });
    assert.deepEqual(await state, { state: 'unloaded' });
  });

  test('a job that is known is followed, from where it was', async () => {
    /** @type {any[]} */
    const followed = [];
    const { extension, client } = withLoop({
      async* subscribe(/** @type {string} */ id, /** @type {number} */ from) {
        followed.push([id, from]);
        yield { action: 'load:progress', id, seq: 1, resumed: true };
        yield { action: 'load:progress', id, seq: 1, progress: 1 };
        yield { action: 'load:progress', id, seq: 2, progress: 2 };
        yield { action: 'load:progress', id, seq: 3, progress: 1 };
        yield { action: 'load:done', id, seq: 4, modelId: MODEL };
      },
    });
    /** @type {any[]} */
    const progress = [];
    const load = client.load({ modelId: MODEL }, {
      onProgress: (one) => progress.push(one),
    });
    await settle(() => progress.length === 1);
    kill(extension);
    assert.deepEqual(await load, { modelId: MODEL });
    assert.deepEqual(followed, [[asked[0].id, 1]]);
    // The first was heard before the host died; the last would go back.
    assert.deepEqual(progress, [{}, { resumed: true }, { progress: 2 }]);
  });

  test('a download does not go back to what was stored', async () => {
    let hasDied = false;
    const { extension, client } = withLoop({
      run: (/** @type {any} */ message, /** @type {any} */ options) => run(
        message, { ...options, onProgress: (/** @type {any} */ one) => (
          options.onProgress({ ...one, loaded: 30 })) }),
      async* subscribe(/** @type {string} */ id) {
        for (const [i, loaded] of (hasDied ? [10, 29, 30, 31] : [30]).entries()) {
          const seq = hasDied ? i + 2 : 1;
          yield { action: 'download:progress', id, seq, loaded };
        }
        if (!hasDied) await new Promise(() => {});
        yield { action: 'download:done', id, seq: 6, bytes: 31 };
      },
    });
    /** @type {any[]} */
    const progress = [];
    /** @type {any[]} */
    const followed = [];
    const download = client.download(MODEL, {
      onProgress: (one) => progress.push(one.loaded),
    });
    await settle(() => progress.length === 1);
    const follow = async () => {
      for await (const one of client.subscribe(asked[0].id)) {
        followed.push(one.loaded ?? one.bytes);
      }
    };
    const following = follow();
    await settle(() => followed.length === 1);
    hasDied = true;
    kill(extension);
    assert.equal((await download).bytes, 31);
    await following;
    assert.deepEqual(progress, [30, 30, 31]);
    assert.deepEqual(followed, [30, 30, 31, 31]);
  });

  test('a job that ended before it came so far again ends here', async () => {
    const { extension, client } = withLoop({
      async* subscribe(/** @type {string} */ id, /** @type {number} */ from) {
        // It was not begun again, so its only message is the first one.
        if (from < 0) {
          yield { action: 'load:error', id, seq: 0, code: 'load_crashed' };
        }
      },
    });
    /** @type {any[]} */
    const progress = [];
    const load = client.load({ modelId: MODEL }, {
      onProgress: (one) => progress.push(one),
    });
    const outcome = assert.rejects(load, { code: 'load_crashed' });
    await settle(() => progress.length === 1);
    kill(extension);
    await outcome;
  });

  test('what the host before left goes on, and can be ended', async () => {
    let release = () => {};
    const extension = install({
      createManager: async () => {
        const made = plainMade(() => ({}));
        const left = asked.map((request) => ({ id: request.id, request }));
        return {
          manager: { ...made.manager, resumeJobs: async () => left },
          loop: {
            ...made.loop,
            run: (/** @type {any} */ message, /** @type {any} */ options) => {
              options.signal.addEventListener('abort', () => release());
              return run(message, { onProgress: () => {}, ...options });
            },
            async* subscribe(/** @type {string} */ id) {
              await new Promise((resolve) => {
                release = () => resolve(undefined);
              });
              yield { action: 'load:error', id, seq: 2, code: 'cancelled' };
            },
          },
        };
      },
    });
    const { client } = extension.connect();
    const controller = new AbortController();
    const load = client.load(
      { modelId: MODEL }, { signal: controller.signal });
    const outcome = assert.rejects(load, { code: 'cancelled' });
    await settle(() => asked.length === 1);
    kill(extension);
    await settle(() => asked.length === 2);
    assert.deepEqual(asked[1], { ...asked[0], resume: true });
    await quiet(40);
    controller.abort();
    await outcome;
  });

  test('somebody who only listens ends nothing', async () => {
    const { extension, client } = withLoop({
      async* subscribe(
        /** @type {string} */ id, /** @type {number} */ from,
        /** @type {AbortSignal | undefined} */ signal,
      ) {
        if (id !== asked[0]?.id) {
          throw Object.assign(new Error('no'), { code: 'unknown_job' });
        }
        assert.ok(signal);
        yield { action: 'load:progress', id, seq: from + 1 };
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
    });
    const { loop } = extension.connect();
    const load = client.load({ modelId: MODEL });
    await settle(() => asked.length === 1);
    for await (const { seq } of loop.subscribe(asked[0].id, 4)) {
      assert.equal(seq, 5);
      break;
    }
    await quiet(20);
    ends[0]({ modelId: MODEL });
    assert.deepEqual(await load, { modelId: MODEL });
    await assert.rejects(async () => {
      for await (const _ of loop.subscribe('nobody', 0));
    }, { code: 'unknown_job' });
  });

  test('before it has said a word, nobody waits for it', async () => {
    let hosts = 0;
    const extension = install({
      createManager: async () => {
        hosts += 1;
        if (hosts === 1) return new Promise(() => {});
        const made = plainMade(() => ({}));
        return { ...made, loop: { ...made.loop, run } };
      },
    });
    const { client } = extension.connect();
    const state = client.state();
    await settle(() => hosts === 1);
    await quiet(40); // the client has its port by now
    kill(extension);
    await settle(() => {
      extension.timers.fire(RETRY_MS);
      return asked.length === 1;
    });
    ends[0]({ state: 'unloaded' });
    assert.deepEqual(await state, { state: 'unloaded' });
  });

  test('again and again, each request ends once', async () => {
    const { extension, client } = withLoop();
    for (let round = 0; round < 10; round += 1) {
      asked.length = 0;
      ends.length = 0;
      let count = 0;
      const count1 = () => { count += 1; };
      const requests = [client.storage(), client.models(), client.stop()];
      for (const request of requests) request.then(count1, count1);
      await quiet(round);
      kill(extension);
      if (round % 2) extension.browser.killWorker();
      await settle(() => {
        for (const end of ends.splice(0)) end({ models: [] });
        extension.timers.fire();
        return count === 3;
      });
    }
  });
});
