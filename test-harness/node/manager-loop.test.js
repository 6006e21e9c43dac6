// SPDX-License-Identifier: Apache-2.0
// The driver loop with a core whose answers are written here: order of events,
// cancelling, callbacks that throw, and the end of everything.

import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';

import { COMMAND_FLAG, MESSAGE_FLAG } from '../../js-bindings/abi.js';
import { Loop } from '../../js-bindings/loop.js';
import { createVirtualClock } from '../hub/virtual-clock.js';
import { abort, end, FakeCore, fetchUrl, say } from './fake-core.js';

const REQUEST = { action: 'listChatModels', id: 'a', params: {} };
const DONE = { action: 'listChatModels:done', id: 'a', seq: 9 };
const DONE_WITH_NUMBERS = {
  ...DONE,
  meta: {
    durationMs: 9,
    telemetry: {
      counters: { 'listing.total': 1 }, configFetchMs: { count: 1, p50: 7 },
    },
  },
};

/**
 * @param {ConstructorParameters<typeof FakeCore>[0]} onEvent
 * @param {object} [options]
 */
function setUp(onEvent, options = {}) {
  const core = new FakeCore(onEvent);
  const clock = createVirtualClock();
  const loop = new Loop(/** @type {any} */ (core), {
    fetch: async () => new Response('body'),
    openStore: async () => { throw new Error('there is no store'); },
    clock, ...options,
  });
  return { core, clock, loop };
}

/** Lets pending promises settle. */
function settle() {
  return new Promise((resolve) => { setImmediate(resolve); });
}

/**
 * Runs `test` and returns what was given to `reportError` meanwhile.
 * @param {() => Promise<void>} test
 */
async function reportedErrors(test) {
  /** @type {unknown[]} */
  const errors = [];
  globalThis.reportError = (error) => errors.push(error);
  try {
    await test();
  } finally {
    Reflect.deleteProperty(globalThis, 'reportError');
  }
  return errors;
}

describe('requests', () => {
  test('an answer is reported as head, data and end', async () => {
    const { core, loop } = setUp(({ kind, op }) => ({
      COMMAND: [fetchUrl(7, 'https://hub/x', 'Accept: text/plain\r\n')],
      HTTP_END: [end(1, DONE)],
    })[kind], {
      fetch: async (/** @type {string} */ url, /** @type {any} */ init) => (
        new Response(`${url} ${JSON.stringify(init.headers)} `
          + `${init.credentials} ${init.redirect}`, {
          status: 203, headers: { 'X-Error-Code': 'GatedRepo' },
        })),
    });
    assert.deepEqual(await loop.run(REQUEST), DONE);
    const [command, head, data, last] = core.events;
    assert.deepEqual(JSON.parse(command.text), REQUEST);
    assert.equal(head.kind, 'HTTP_HEAD');
    assert.equal(head.request, 7);
    assert.equal(head.status, 203);
    assert.match(head.text, /^x-error-code: GatedRepo\r\n/m);
    assert.equal(data.text,
      'https://hub/x [["Accept","text/plain"]] omit follow');
    assert.equal(last.kind, 'HTTP_END');
  });

  test('headers beyond the cap are left out whole', async () => {
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')], HTTP_END: [end(1, DONE)],
    })[kind], {
      fetch: async () => new Response('', {
        headers: { a: 'é'.repeat(40_000), b: 'kept' },
      }),
    });
    await loop.run(REQUEST);
    assert.equal(core.eventsOf('HTTP_HEAD')[0].text.includes('b: kept\r\n'),
      true);
    assert.equal(core.eventsOf('HTTP_HEAD')[0].text.includes('é'), false);
  });

  test('a failure is reported with the reason behind it', async () => {
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')], HTTP_FAIL: [end(1, DONE)],
    })[kind], {
      fetch: async () => {
        throw new TypeError('fetch failed', { cause: new Error('no route') });
      },
    });
    await loop.run(REQUEST);
    assert.equal(core.eventsOf('HTTP_FAIL')[0].text, 'fetch failed: no route');
  });

  test('a body that breaks off is a failure, not an end', async () => {
    let pulls = 0;
    const body = new ReadableStream({
      pull(controller) {
        pulls += 1;
        if (pulls === 1) controller.enqueue(new Uint8Array([91]));
        else controller.error(new Error('reset'));
      },
    });
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')], HTTP_FAIL: [end(1, DONE)],
    })[kind], { fetch: async () => new Response(body) });
    await loop.run(REQUEST);
    assert.deepEqual(core.events.map((event) => event.kind),
      ['COMMAND', 'HTTP_HEAD', 'HTTP_DATA', 'HTTP_FAIL']);
  });

  test('a body that is not made of bytes is a failure', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue('text');
        controller.close();
      },
    });
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')], HTTP_FAIL: [end(1, DONE)],
    })[kind], {
      fetch: async () => ({ status: 200, headers: new Headers(), body }),
    });
    await loop.run(REQUEST);
    assert.equal(core.eventsOf('HTTP_DATA').length, 0);
    assert.equal(core.eventsOf('HTTP_FAIL')[0].text,
      'the body is not made of bytes');
  });

  test('nothing is reported about an aborted request', async () => {
    let signal = new AbortController().signal;
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/'), abort(1), end(1, DONE)],
    })[kind], {
      // A fetch that does not listen to its signal.
      fetch: async (/** @type {string} */ url, /** @type {any} */ init) => {
        signal = init.signal;
        return new Response('late');
      },
    });
    await loop.run(REQUEST);
    await settle();
    assert.equal(signal.aborted, true);
    assert.deepEqual(core.events.map((event) => event.kind), ['COMMAND']);
  });
});

describe('a body that nobody wants any more', () => {
  /**
   * A body that tells when it is cancelled, and a fetch for it that does not
   * listen to its signal.
   * @param {(controller: any) => void} start
   */
  function bodyOf(start) {
    const cancel = mock.fn();
    const body = new ReadableStream({ start, cancel });
    return {
      cancel,
      fetch: async () => ({ status: 200, headers: new Headers(), body }),
    };
  }

  for (const [title, start, abortOn] of /** @type {const} */ ([
    ['before it came', () => {}, 'COMMAND'],
    ['while it is waited for', () => {}, 'TIMER'],
    ['while it is told', (/** @type {any} */ controller) => {
      controller.enqueue(new Uint8Array([91]));
    }, 'HTTP_DATA'],
  ])) {
    test(`is cancelled: ${title}`, async () => {
      const { cancel, fetch } = bodyOf(start);
      const { core, clock, loop } = setUp(({ kind }) => [
        ...kind === 'COMMAND' ? [fetchUrl(1, 'https://hub/')] : [],
        ...kind === abortOn ? [abort(1), end(1, DONE)] : [],
      ], { fetch });
      core.delayMs = 5;
      const running = loop.run(REQUEST);
      await settle();
      await clock.advance(5);
      await running;
      await settle();
      assert.equal(cancel.mock.callCount(), 1);
      assert.equal(core.eventsOf('HTTP_FAIL').length, 0);
    });
  }

  test('is cancelled when it is not made of bytes', async () => {
    const { cancel, fetch } = bodyOf(
      (controller) => controller.enqueue('text'));
    const { loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')], HTTP_FAIL: [end(1, DONE)],
    })[kind], { fetch });
    await loop.run(REQUEST);
    await settle();
    assert.equal(cancel.mock.callCount(), 1);
  });
});

describe('the timer', () => {
  test('fires when the core said, and only then', async () => {
    const { core, clock, loop } = setUp(({ kind }) => {
      if (kind !== 'TIMER') return [];
      core.delayMs = -1;
      return [end(1, DONE)];
    });
    core.delayMs = 250;
    const running = loop.run(REQUEST);
    await clock.advance(249);
    assert.equal(core.eventsOf('TIMER').length, 0);
    await clock.advance(1);
    assert.deepEqual(await running, DONE);
    assert.equal(clock.pendingTimers, 0);
  });

  test('a delay beyond what setTimeout can do comes in steps', async () => {
    /** @type {number[]} */
    const delays = [];
    const { core, loop } = setUp(() => [], {
      clock: {
        now: () => 0,
        setTimeout: (/** @type {() => void} */ fire,
          /** @type {number} */ ms) => delays.push(ms),
        clearTimeout() {},
      },
    });
    core.delayMs = 3e9;
    loop.run(REQUEST).catch(() => {});
    await settle();
    assert.deepEqual(delays, [0x7fffffff]);
    loop.dispose();
  });
});

describe('messages', () => {
  test('progress and end reach everybody who asked', async () => {
    const step = { action: 'listChatModels:progress', id: 'a', seq: 1 };
    const onMessage = mock.fn();
    const { loop } = setUp(() => [say(1, step), end(1, DONE)], { onMessage });
    const onProgress = mock.fn();
    await loop.run(REQUEST, { onProgress });
    assert.deepEqual(onProgress.mock.calls.map((call) => call.arguments),
      [[step]]);
    assert.deepEqual(onMessage.mock.calls.map((call) => call.arguments),
      [[step, false], [DONE, false]]);
  });

  test('what a panel is answered is for nobody else', async () => {
    const onMessage = mock.fn();
    const { loop } = setUp(() => [end(1, { success: true })], { onMessage });
    assert.deepEqual(await loop.run({ type: 'init', payload: {} }),
      { success: true });
    assert.deepEqual(onMessage.mock.calls, []);
  });

  test('a message for the channel says so', async () => {
    const onMessage = mock.fn();
    const ping = { type: 'uiPing', payload: { timestamp: 1 } };
    const { loop } = setUp(({ op }) => [
      { ...say(0, ping), flags: MESSAGE_FLAG.CHANNEL }, end(Number(op), DONE),
    ], { onMessage });
    await loop.run(REQUEST);
    assert.deepEqual(onMessage.mock.calls.map((call) => call.arguments),
      [[ping, true], [DONE, false]]);
  });

  test('the numbers of the end reach the telemetry hook one by one',
    async () => {
      for (const message of [DONE_WITH_NUMBERS, { result: DONE_WITH_NUMBERS }]) {
        const onTelemetry = mock.fn();
        const { loop } = setUp(() => [end(1, message)],
          { telemetry: onTelemetry });
        await loop.run(REQUEST);
        assert.deepEqual(onTelemetry.mock.calls.map((call) => call.arguments), [
          [{ name: 'listing.total', value: 1, unit: 'count' }],
          [{ name: 'configFetchMs.p50', value: 7, unit: 'ms' }],
          [{ name: 'listChatModels.durationMs', value: 9, unit: 'ms' }],
        ]);
      }
    });

  test('what a callback throws is reported and changes nothing', async () => {
    const fail = () => { throw new Error('mine'); };
    const errors = await reportedErrors(async () => {
      const { loop } = setUp(() => [
        say(1, { action: 'a', seq: 1 }), end(1, DONE_WITH_NUMBERS),
      ], { onMessage: fail, telemetry: fail });
      assert.deepEqual(await loop.run(REQUEST, { onProgress: fail }),
        DONE_WITH_NUMBERS);
    });
    assert.equal(errors.length, 6);
  });

  test('jobs tells what runs', async () => {
    const { loop } = setUp(() => [say(1, { seq: 3 })]);
    const running = loop.run(REQUEST);
    assert.deepEqual(loop.jobs(), [
      { id: 'a', kind: 'listChatModels', state: 'running', lastSeq: 3 },
    ]);
    loop.dispose();
    await assert.rejects(running, { code: 'cancelled' });
    assert.deepEqual(loop.jobs(), []);
  });

  test('a request that is long goes in pieces', async () => {
    let pieces = 0;
    const { core, loop } = setUp(({ op }) => {
      pieces += 1;
      return pieces === 3 ? [end(Number(op), DONE)] : [];
    });
    const message = { action: 'x'.repeat(150_000) };
    await loop.run(message);
    const commands = core.eventsOf('COMMAND');
    assert.deepEqual(commands.map(({ text }) => text.length),
      [65536, 65536, 150_013 - 131_072]);
    assert.equal(commands.map(({ text }) => text).join(''),
      JSON.stringify(message));
    assert.deepEqual(commands.map((command) => (
      /** @type {any} */ (command).flags & COMMAND_FLAG.MORE)),
    [COMMAND_FLAG.MORE, COMMAND_FLAG.MORE, 0]);
    assert.deepEqual(commands.map(({ op }) => op), [1, 1, 1]);
  });

  test('a piece that the core cannot take is the last one', async () => {
    const { core, loop } = setUp(() => -900);
    await assert.rejects(loop.run({ action: 'x'.repeat(150_000) }),
      { code: 'out_of_memory', stage: 'request' });
    assert.equal(core.eventsOf('COMMAND').length, 1);
    assert.deepEqual(loop.jobs(), []);
  });

  test('a request the core cannot take rejects', async () => {
    const { loop } = setUp(() => -900);
    await assert.rejects(loop.run(REQUEST), {
      name: 'TabAgentError', code: 'out_of_memory', stage: 'request',
    });
    assert.deepEqual(loop.jobs(), []);
  });

  test('values that JSON would hide are shown to the core', async () => {
    const { core, loop } = setUp(({ op }) => [end(Number(op), DONE)]);
    await loop.run({ ...REQUEST, params: { a: NaN, b: 1n, c: undefined } });
    assert.deepEqual(JSON.parse(core.events[0].text).params,
      { a: 'NaN', b: '1' });
    await loop.run(undefined);
    assert.equal(core.events[1].text, 'null');
  });

  test('a message with a circle rejects', async () => {
    const { core, loop } = setUp(() => []);
    /** @type {any} */
    const message = { ...REQUEST };
    message.self = message;
    await assert.rejects(loop.run(message), { code: 'malformed_message' });
    assert.deepEqual(core.eventsOf('COMMAND'), []);
  });
});

describe('a supplied listing', () => {
  const rows = Array.from({ length: 900 }, (_, i) => (
    { id: `owner/model-${i}`, tags: ['x'.repeat(100)] }));

  test('goes apart from its message, in pieces', async () => {
    const { core, loop } = setUp(({ kind }) => (
      kind === 'LISTING_END' ? [end(1, DONE)] : []));
    await loop.run({ ...REQUEST, params: { listing: rows, debug: true } });
    const [command, ...rest] = core.events;
    assert.deepEqual(JSON.parse(command.text).params, { debug: true });
    const pieces = rest.slice(0, -1).map((event) => event.text);
    assert.equal(pieces.length > 1, true);
    assert.deepEqual(JSON.parse(pieces.join('')), rows);
    assert.equal(rest.at(-1)?.kind, 'LISTING_END');
  });

  test('is also found on the top level of a message', async () => {
    const { core, loop } = setUp(({ kind }) => (
      kind === 'LISTING_END' ? [end(1, DONE)] : []));
    await loop.run({ type: 'listChatModels', id: 1, listing: [undefined] });
    assert.deepEqual(JSON.parse(core.events[0].text),
      { type: 'listChatModels', id: 1 });
    assert.equal(core.events[1].text, '[null]');
  });

  test('stops when the operation has ended', async () => {
    const { core, loop } = setUp(() => [end(1, DONE)]);
    await loop.run({ ...REQUEST, params: { listing: rows } });
    assert.deepEqual(core.events.map((event) => event.kind), ['COMMAND']);
  });

  for (const [style, named] of /** @type {const} */ ([
    [{ action: 'listChatModels:error', message: 'cancelled' }, 'message'],
    [{ type: 'error', error: 'cancelled' }, 'error'],
  ])) {
    test(`with a row that is not JSON ends as an ${named}`, async () => {
      const cancelledEnd = { ...style, id: 'a', code: 'cancelled', stage: '-' };
      const onMessage = mock.fn();
      const { core, loop } = setUp(({ kind }) => (
        kind === 'CANCEL' ? [end(1, cancelledEnd)] : []), { onMessage });
      const last = await loop.run(
        { ...REQUEST, params: { listing: [{}, { size: 1n }] } });
      assert.match(last[named], /^params\.listing\[1\] cannot be written/);
      assert.deepEqual(last, {
        ...cancelledEnd, code: 'invalid_params', stage: 'params',
        [named]: last[named],
      });
      assert.deepEqual(onMessage.mock.calls.map((call) => call.arguments),
        [[last, false]]);
      assert.deepEqual(core.events.map((event) => event.kind),
        ['COMMAND', 'CANCEL']);
    });
  }

  test('that is no array stays in the message', async () => {
    const { core, loop } = setUp(() => [end(1, DONE)]);
    await loop.run({ ...REQUEST, params: { listing: 'rows' } });
    assert.equal(JSON.parse(core.events[0].text).params.listing, 'rows');
  });
});

describe('cancelling', () => {
  const CANCELLED = { action: 'listChatModels:error', code: 'cancelled' };
  const answers = (/** @type {{ kind: string }} */ { kind }) => ({
    COMMAND: [fetchUrl(1, 'https://hub/'), say(1, { seq: 1 })],
    CANCEL: [abort(1), end(1, CANCELLED)],
  })[kind];

  test('an aborted signal starts nothing', async () => {
    const { core, loop } = setUp(answers);
    const reason = new Error('changed my mind');
    await assert.rejects(
      loop.run(REQUEST, { signal: AbortSignal.abort(reason) }),
      { code: 'cancelled', cause: reason });
    assert.deepEqual(core.events, []);
  });

  test('aborts the requests in the same turn', async () => {
    /** @type {AbortSignal[]} */
    const signals = [];
    const { loop } = setUp(answers, {
      fetch: (/** @type {string} */ url, /** @type {any} */ init) => {
        signals.push(init.signal);
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const running = loop.run(REQUEST, { signal: controller.signal });
    assert.equal(signals[0].aborted, false);
    controller.abort();
    assert.equal(signals[0].aborted, true);
    assert.deepEqual(await running, CANCELLED);
  });

  test('works from inside a callback', async () => {
    const { core, loop } = setUp(answers);
    const controller = new AbortController();
    const end = await loop.run(REQUEST, {
      signal: controller.signal, onProgress: () => controller.abort(),
    });
    assert.deepEqual(end, CANCELLED);
    await settle();
    assert.deepEqual(core.events.map((event) => event.kind),
      ['COMMAND', 'CANCEL']);
  });

  test('leaves no listener on the signal', async () => {
    const { loop } = setUp(() => [end(1, DONE)]);
    const { signal } = new AbortController();
    const add = mock.method(signal, 'addEventListener');
    const remove = mock.method(signal, 'removeEventListener');
    await loop.run(REQUEST, { signal });
    assert.equal(add.mock.callCount(), 1);
    assert.deepEqual(remove.mock.calls[0].arguments,
      add.mock.calls[0].arguments);
  });
});

describe('the end', () => {
  test('dispose cancels, aborts, and frees the core', async () => {
    const { core, clock, loop } = setUp(({ kind }) => ({
      COMMAND: [fetchUrl(1, 'https://hub/')],
      CANCEL: [end(1, { code: 'cancelled' })],
    })[kind], { fetch: () => new Promise(() => {}) });
    core.delayMs = 10_000;
    const running = loop.run(REQUEST);
    loop.dispose();
    assert.deepEqual(await running, { code: 'cancelled' });
    assert.equal(core.isDeleted, true);
    assert.equal(clock.pendingTimers, 0);
    assert.equal(loop.memoryBytes, 0);
    await assert.rejects(loop.run(REQUEST), { code: 'invalid_state' });
    loop.dispose();
  });

  test('dispose ends each operation with its own message', async () => {
    /** @type {any[]} */
    const heard = [];
    const { core, loop } = setUp(({ kind, op = 0 }) => (
      kind === 'CANCEL' ? [end(op, { action: 'x', code: 'cancelled', op })] : []
    ), { onMessage: (/** @type {any} */ message) => heard.push(message) });
    const running = [1, 2, 3].map(() => loop.run(REQUEST));
    loop.dispose();
    const ends = [1, 2, 3].map((op) => (
      { action: 'x', code: 'cancelled', op }));
    assert.deepEqual(await Promise.all(running), ends);
    assert.deepEqual(heard, ends);
    assert.equal(core.isDeleted, true);
  });

  test('dispose inside a callback waits for the loop to finish', async () => {
    const { core, loop } = setUp(({ kind }) => ({
      COMMAND: [say(1, { seq: 1 }), say(1, { seq: 2 })],
      CANCEL: [end(1, { code: 'cancelled' })],
    })[kind]);
    const onProgress = mock.fn(() => {
      loop.dispose();
      assert.equal(core.isDeleted, false);
    });
    assert.deepEqual(await loop.run(REQUEST, { onProgress }),
      { code: 'cancelled' });
    assert.equal(core.isDeleted, true);
  });

  test('a trap rejects what runs and stops everything', async () => {
    const { core, clock, loop } = setUp(({ kind }) => {
      if (kind === 'TIMER') throw new WebAssembly.RuntimeError('unreachable');
      return [];
    });
    core.delayMs = 5;
    const running = loop.run(REQUEST);
    const rejection = assert.rejects(running,
      { code: 'internal', message: /unreachable/ });
    await clock.advance(5);
    await rejection;
    assert.equal(clock.pendingTimers, 0);
    await assert.rejects(loop.run(REQUEST), {
      code: 'invalid_state', message: /the core stopped: .*unreachable/,
    });
  });
});
