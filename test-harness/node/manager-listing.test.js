// SPDX-License-Identifier: Apache-2.0
// listChatModels through the public surface, against the simulated Hub in
// virtual time: results, streams, messages of both styles, and cancelling.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';

import { createModelManager } from '../../dist/index.js';
import { createHub, createVirtualClock } from '../hub/index.js';

const wasm = await WebAssembly.compile(
  await readFile(new URL('../../dist/tabagent.wasm', import.meta.url)));

/** Any day will do; the tests print it when they fail. */
const START_MS = Date.UTC(2026, 0, 1);

/** Models of the simulated Hub: two pages. */
const MODELS = 800;

/**
 * @param {object} [options] of the manager
 * @param {object} [hubOptions]
 */
async function setUp(options = {}, hubOptions = {}) {
  const clock = createVirtualClock(START_MS);
  const hub = createHub({ clock, models: MODELS, ...hubOptions });
  const manager = await createModelManager({
    wasm, clock, fetch: hub.fetch, seed: 1, ...options,
  });
  return { clock, hub, manager };
}

/** @param {any} message */
function isProgress(message) {
  return message.action === 'listChatModels:progress';
}

describe('listChatModels', () => {
  test('finds, judges and sums up', async () => {
    const { clock, hub, manager } = await setUp();
    /** @type {any[]} */
    const progress = [];
    const { models, meta } = /** @type {any} */ (await clock.run(
      manager.listChatModels({ maxCandidates: 50 },
        { onProgress: (message) => progress.push(message) })));
    assert.equal(models.length, 50);
    // A listing asks for models with ONNX files unless told otherwise, and
    // the Hub shows private ones to nobody else.
    const listed = [...hub.index].filter(
      ({ entry }) => entry.tags?.includes('onnx') && !entry.private);
    assert.equal(meta.fetched, listed.length);
    assert.equal(meta.partial, false);
    assert.equal(meta.filtered, 50);
    for (const model of models) {
      assert.equal(typeof hub.truth(model.id), 'object', model.id);
      assert.equal(model.why.length > 0, true);
      assert.equal(model.variants.length > 0, true);
    }
    assert.equal(progress.every(isProgress), true);
    assert.deepEqual(progress.map(({ seq }) => seq),
      progress.map((_, index) => index));
    assert.equal(clock.pendingTimers, 0);
    await manager.dispose();
  });

  test('a supplied listing gives the same models without the network',
    async () => {
      const { clock, hub, manager } = await setUp();
      const params = /** @type {const} */ ({ fetchConfigs: 'never' });
      const listed = await clock.run(manager.listChatModels(params));
      const requests = hub.requests.length;
      const pages = hub.requests.filter(({ url }) => url.includes('/api/'));
      const rows = (await Promise.all(pages.map(async ({ url }) => (
        clock.run(hub.fetch(url).then((response) => response.json()))))))
        .flat();
      const supplied = await clock.run(
        manager.listChatModels({ ...params, listing: rows }));
      assert.deepEqual(supplied?.models, listed?.models);
      assert.equal(hub.requests.length, requests + pages.length);
      await manager.dispose();
    });

  test('results are right when the memory had to grow', async () => {
    const { clock, hub, manager } = await setUp({}, { models: 3000 });
    const before = await manager.memory();
    const result = await clock.run(manager.listChatModels({
      maxCandidates: 5000, fetchConfigs: 'never', requireOnnx: false,
    }));
    const models = result?.models ?? [];
    assert.equal((await manager.memory()).wasmBytes > before.wasmBytes, true);
    for (const { id } of models) assert.notEqual(hub.truth(id), undefined, id);
    assert.equal(new Set(models.map(({ id }) => id)).size, models.length);
    await manager.dispose();
  });

  test('a supplied row that is not JSON ends the listing once', async () => {
    /** @type {any[]} */
    const messages = [];
    const { manager } = await setUp(
      { onMessage: (/** @type {any} */ message) => messages.push(message) });
    /** @type {any} */
    const circle = {};
    circle.self = circle;
    const expected = {
      code: 'invalid_params', message: /^params\.listing\[1\] cannot be/,
    };
    await assert.rejects(
      manager.listChatModels({ listing: [{}, circle] }), expected);
    const { code, message } = messages.at(-1);
    assert.deepEqual(messages.filter((each) => !isProgress(each)).length, 1);
    assert.equal(code, expected.code);
    assert.match(message, expected.message);
    const response = await manager.handleMessage(
      { type: 'listChatModels', id: 1, listing: [{}, circle] });
    assert.match(response.error, expected.message);
    await manager.dispose();
  });

  test('bad parameters name the field, the value and the range', async () => {
    const { hub, manager } = await setUp();
    for (const [params, message] of /** @type {[any, RegExp][]} */ ([
      [{ maxCandidates: 0 }, /maxCandidates.*0/],
      [{ maxCandidates: NaN }, /maxCandidates.*NaN/],
      [{ concurrency: '12' }, /concurrency.*12/],
      [{ fetchConfigs: 'some' }, /fetchConfigs.*some/],
      [{ listing: 'rows' }, /listing.*rows/],
      [{ maxCandidate: 5 }, /maxCandidate/],
      [7, /params.*7/],
    ])) {
      await assert.rejects(manager.listChatModels(params), {
        name: 'TabAgentError', code: 'invalid_params', retryable: false,
        message,
      });
    }
    assert.deepEqual(hub.requests, []);
    await manager.dispose();
  });

  test('bad options name what is expected', async () => {
    const { hub, manager } = await setUp();
    for (const [options, message] of /** @type {[any, RegExp][]} */ ([
      [null, /^options: expected an object, got object null$/],
      [() => {}, /^options: expected an object, got function /],
      [{ signal: {} }, /^option signal: expected an AbortSignal, got a Obj/],
      [{ signal: 5 }, /^option signal: expected an AbortSignal, got number 5$/],
      [{ signals: 5 }, /^there is no option "signals"$/],
    ])) {
      const expected = {
        name: 'TabAgentError', code: 'invalid_argument', stage: 'options',
        message,
      };
      await assert.rejects(manager.listChatModels({}, options), expected);
      await assert.rejects(
        manager.listChatModelsStream({}, options).next(), expected);
    }
    await assert.rejects(
      manager.listChatModels({}, /** @type {any} */ ({ onProgress: 5 })),
      { message: /^option onProgress: expected a function, got number 5$/ });
    await assert.rejects(
      manager.listChatModelsStream({}, /** @type {any} */ (
        { onProgress() {} })).next(),
      { message: 'there is no option "onProgress"' });
    assert.deepEqual(hub.requests, []);
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });

  test('no signal and no callback may be null or undefined', async () => {
    const { clock, manager } = await setUp();
    for (const nothing of [null, undefined]) {
      await clock.run(manager.listChatModels({}, /** @type {any} */ (
        { signal: nothing, onProgress: nothing })));
    }
    await manager.dispose();
  });

  test('a Hub that is down gives listing_failed with the summary', async () => {
    const { clock, manager } = await setUp({
      fetch: async () => { throw new TypeError('fetch failed'); },
    });
    await assert.rejects(clock.run(manager.listChatModels()), (
      /** @type {any} */ error) => {
      assert.equal(error.code, 'listing_failed');
      assert.equal(error.retryable, true);
      assert.equal(error.meta.fetched, 0);
      assert.equal(error.meta.errors[0].code, 'network');
      return true;
    });
    await manager.dispose();
  });

  test('every counter reaches the telemetry hook', async () => {
    /** @type {Map<string, number>} */
    const entries = new Map();
    const { clock, manager } = await setUp({
      telemetry: (/** @type {any} */ { name, value }) => {
        entries.set(name, value);
      },
    });
    const result = await clock.run(manager.listChatModels());
    const { counters } = /** @type {any} */ (result).meta.telemetry;
    for (const [name, value] of Object.entries(counters)) {
      assert.equal(entries.get(name), value, name);
    }
    await manager.dispose();
  });
});

describe('listChatModelsStream', () => {
  test('yields progress and then the end', async () => {
    const { clock, manager } = await setUp();
    const running = (async () => {
      const seen = [];
      for await (const message of manager.listChatModelsStream()) {
        seen.push(message);
      }
      return seen;
    })();
    const messages = /** @type {any[]} */ (await clock.run(running));
    const end = messages.pop();
    assert.equal(messages.every(isProgress), true);
    assert.equal(end.action, 'listChatModels:done');
    assert.equal(end.models.length > 0, true);
    await manager.dispose();
  });

  test('leaving the loop cancels', async () => {
    const { clock, hub, manager } = await setUp();
    const running = (async () => {
      for await (const message of manager.listChatModelsStream()) {
        if (message.action === 'listChatModels:progress') break;
      }
      assert.deepEqual(await manager.jobs(), []);
    })();
    await clock.run(running);
    const requests = hub.requests.length;
    await clock.advance(60_000);
    assert.equal(hub.requests.length, requests);
    assert.equal(clock.pendingTimers, 0);
    await manager.dispose();
  });

  test('an error inside the loop cancels too', async () => {
    const { clock, manager } = await setUp();
    const running = (async () => {
      for await (const message of manager.listChatModelsStream()) {
        throw new Error(`mine, at ${message.seq}`);
      }
    })();
    await assert.rejects(clock.run(running), { message: 'mine, at 0' });
    assert.deepEqual(await manager.jobs(), []);
    await manager.dispose();
  });

  test('a signal ends it with an error', async () => {
    const { clock, manager } = await setUp();
    const controller = new AbortController();
    const stream = manager.listChatModelsStream({},
      { signal: controller.signal });
    await clock.run(stream.next());
    controller.abort();
    const drain = (async () => { for await (const _ of stream); })();
    await assert.rejects(clock.run(drain), { code: 'cancelled' });
    await assert.rejects(
      manager.listChatModelsStream({}, { signal: controller.signal }).next(),
      { code: 'cancelled' });
    await manager.dispose();
  });

  test('bad parameters throw', async () => {
    const { manager } = await setUp();
    await assert.rejects(
      manager.listChatModelsStream({ maxListing: -1 }).next(),
      { code: 'invalid_params' });
    await manager.dispose();
  });
});

describe('cancelling', () => {
  test('at every step ends with cancelled and leaves nothing', async () => {
    for (let step = 0; step < 24; step += 1) {
      const { clock, hub, manager } = await setUp();
      const controller = new AbortController();
      /** @type {any} */
      let outcome = null;
      manager.listChatModels({ pageSize: 100, fetchConfigs: 'all' },
        { signal: controller.signal })
        .then(() => { outcome = 'done'; }, (error) => { outcome = error; });
      await clock.advance(step * 100);
      controller.abort(new Error(`at step ${step}`));
      const requests = hub.requests.length;
      await clock.advance(60_000);
      if (outcome === 'done') break;
      assert.equal(outcome.code, 'cancelled');
      assert.equal(outcome.cause.message, `at step ${step}`);
      assert.equal(typeof outcome.meta.fetched, 'number');
      assert.equal(hub.requests.length, requests);
      assert.equal(clock.pendingTimers, 0);
      assert.deepEqual(await manager.jobs(), []);
      await manager.dispose();
    }
  });

  test('dispose ends what runs', async () => {
    const { clock, manager } = await setUp();
    const running = [manager.listChatModels(), manager.listChatModels()];
    await clock.advance(50);
    assert.equal((await manager.jobs()).length, 2);
    await manager.dispose();
    for (const promise of running) {
      await assert.rejects(promise, { code: 'cancelled' });
    }
    assert.equal(clock.pendingTimers, 0);
    assert.equal((await manager.memory()).wasmBytes, 0);
    await assert.rejects(manager.listChatModels(), { code: 'invalid_state' });
    await manager.dispose();
  });

  test('a thousand runs leave the memory as it was', async () => {
    const { clock, hub, manager } = await setUp({}, { models: 40 });
    const run = async (/** @type {number} */ i) => {
      const controller = new AbortController();
      const running = manager.listChatModels({}, { signal: controller.signal });
      if (i % 2 === 1) {
        controller.abort();
        return assert.rejects(running, { code: 'cancelled' });
      }
      return clock.run(running);
    };
    for (let i = 0; i < 10; i += 1) await run(i);
    const { wasmBytes } = await manager.memory();
    hub.rateLimiter = null;
    for (let i = 0; i < 1000; i += 1) await run(i);
    assert.equal((await manager.memory()).wasmBytes, wasmBytes);
    assert.equal(clock.pendingTimers, 0);
    await manager.dispose();
  });
});

describe('handleMessage', () => {
  test('answers a request by action', async () => {
    /** @type {any[]} */
    const messages = [];
    const { clock, manager } = await setUp(
      { onMessage: (/** @type {any} */ message) => messages.push(message) });
    const end = await clock.run(manager.handleMessage(
      { action: 'listChatModels', id: 'x', params: { maxCandidates: 3 } }));
    assert.equal(end.action, 'listChatModels:done');
    assert.equal(end.id, 'x');
    assert.equal(end.models.length, 3);
    assert.equal(messages.at(-1), end);
    assert.equal(messages.slice(0, -1).every(isProgress), true);
    await manager.dispose();
  });

  test('answers a request by type, parameters beside the id', async () => {
    /** @type {any[]} */
    const messages = [];
    const { clock, manager } = await setUp(
      { onMessage: (/** @type {any} */ message) => messages.push(message) });
    const end = await clock.run(manager.handleMessage(
      { type: 'listChatModels', id: 5, maxCandidates: 3 }));
    assert.equal(end.type, 'response');
    assert.equal(end.id, 5);
    assert.equal(end.result.models.length, 3);
    assert.equal(end.result.meta.filtered, 3);
    assert.deepEqual(
      [...new Set(messages.slice(0, -1).map(({ type }) => type))],
      ['progress']);
    await manager.dispose();
  });

  for (const name of [
    'cancelLoad', 'cancelLoadChatModels', 'cancelListChatModels',
  ]) {
    test(`${name} ends the listing of the same id`, async () => {
      const { clock, manager } = await setUp();
      const byAction = manager.handleMessage(
        { action: 'listChatModels', id: 'x' });
      const byType = manager.handleMessage({ type: 'listChatModels', id: 7 });
      await clock.advance(50);
      const answers = [
        await manager.handleMessage({ action: name, id: 'x' }),
        await manager.handleMessage({ type: name, id: 7 }),
        await manager.handleMessage({ type: name, id: 8 }),
      ];
      assert.equal(answers[0].cancelled, true);
      assert.deepEqual(answers[1].result, { cancelled: true });
      assert.deepEqual(answers[2].result, { cancelled: false });
      assert.equal((await byAction).code, 'cancelled');
      const end = await byType;
      assert.equal(end.type, 'error');
      assert.equal(end.code, 'cancelled');
      assert.equal(typeof end.error, 'string');
      await manager.dispose();
    });
  }

  test('what is no request gets an error, not silence', async () => {
    const { manager } = await setUp();
    for (const [message, code] of [
      [{ action: 'fly', id: 1 }, 'unknown_message'],
      [{ id: 1 }, 'malformed_message'],
      ['text', 'malformed_message'],
      [null, 'malformed_message'],
      [undefined, 'malformed_message'],
    ]) {
      assert.equal((await manager.handleMessage(message)).code, code);
    }
    await manager.dispose();
  });

  test('an id in use is refused and the first listing goes on', async () => {
    const { clock, manager } = await setUp();
    const request = { action: 'listChatModels', id: 'x' };
    const first = manager.handleMessage(request);
    const second = await manager.handleMessage(request);
    assert.equal(second.code, 'invalid_params');
    assert.equal((await clock.run(first)).action, 'listChatModels:done');
    await manager.dispose();
  });
});

test('the same seed gives the same requests', async () => {
  const runs = [];
  for (let i = 0; i < 2; i += 1) {
    const { clock, hub, manager } = await setUp({}, {
      rateLimits: { quotas: { api: 1 }, headers: false },
    });
    await clock.run(manager.listChatModels({ maxCandidates: 20 }));
    runs.push(hub.requests.map(({ url, at }) => [url, at]));
    await manager.dispose();
  }
  assert.deepEqual(runs[0], runs[1]);
});
