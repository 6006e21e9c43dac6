// SPDX-License-Identifier: Apache-2.0
// A Manifest V3 extension in Chromium, built as an app would: its panel does all
// through the background, and whatever of it dies, every request ends once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { buildPlayer, CONVERSATIONS, readConversation }
  from '../conversation/golden.js';
import { TINY_CHAT } from '../models/tiny-chat.js';
import { LARGE, LARGE_BYTES, openExtension } from './extension-stage.js';
import { ask, call } from './manager-stage.js';

/** @typedef {import('playwright-core').Page} Page */

/** A request that hangs must not hang the tests. */
const HANG_MS = 120_000;

const REQUEST = { message: 'What is 9 plus 4?', settings: { do_sample: false } };

/** The tiny model never ends by itself then. */
const ENDLESS = {
  message: 'Hello', settings: { max_new_tokens: 150, eos_token_id: [] },
};

/** @type {import('./extension-stage.js').Extension} */
let extension;
/** @type {Page} */
let panel;
let lastCall = 0;

before(async () => {
  extension = await openExtension();
  panel = await extension.openPanel();
});

after(() => extension?.close());

/**
 * Begins a call, waits until it says something, disturbs it, and waits until it
 * ends.
 * @param {string} name
 * @param {any[]} args
 * @param {() => Promise<unknown>} disturb
 * @param {number} [times]
 */
async function disturbed(name, args, disturb, times = 1) {
  lastCall += 1;
  const id = `${name}-${lastCall}`;
  await call(panel, 'begin', { id, name, args });
  let seen = 0;
  for (let i = 0; i < times; i += 1) {
    await panel.waitForFunction(([id, seen]) => {
      const { progressOf, look } = /** @type {any} */ (globalThis);
      return progressOf(id) > seen || look(id).ends > 0;
    }, /** @type {[string, number]} */ ([id, seen]), { polling: 5 });
    seen = await call(panel, 'progressOf', id);
    await disturb();
  }
  return call(panel, 'whenEnded', id);
}

describe('a panel', () => {
  test('has threads, and a host in a document of its own', async () => {
    assert.equal(await call(panel, 'isIsolated'), true);
    assert.equal((await ask(panel, 'state')).state, 'unloaded');
    assert.deepEqual((await call(panel, 'contexts')).sort(),
      ['BACKGROUND', 'OFFSCREEN_DOCUMENT', 'TAB']);
  });

  test('lists, downloads, loads, and is answered', async () => {
    const { models, meta } = await ask(
      panel, 'listChatModels', { maxCandidates: 20 });
    assert.equal(models.length, 20);
    assert.ok(meta.fetched > 100);
    const { bytes, fromCache } = await ask(panel, 'download', TINY_CHAT);
    assert.ok(bytes > 0 && !fromCache);
    const { executionProvider } = await ask(
      panel, 'load', { modelId: TINY_CHAT });
    assert.equal(executionProvider, 'wasm');
    const { text, stopReason } = await ask(panel, 'generate', REQUEST);
    assert.match(text, /13/);
    assert.equal(stopReason, 'eos');
    const { sessions, wasmBytes, storeBytes } = await ask(panel, 'memory');
    assert.equal(sessions.length, 1);
    assert.ok(wasmBytes > 0 && storeBytes > bytes);
    const { entries } = await ask(panel, 'log');
    assert.ok(entries.some((/** @type {any} */ one) => one.name === 'load'));
  });

  test('gets files from the store without asking anybody', async () => {
    const before = extension.server.hub.requests.length;
    const text = await panel.evaluate(async ([hub, id]) => {
      const { fetchText } = /** @type {any} */ (globalThis);
      return fetchText(`${hub}/${id}/resolve/main/config.json`);
    }, [extension.server.url, TINY_CHAT]);
    assert.equal(JSON.parse(text).model_type, 'llama');
    assert.equal(extension.server.hub.requests.length, before);
  });

  test('that goes away and comes back finds the model loaded', async () => {
    const other = await extension.openPanel();
    assert.equal((await ask(other, 'state')).state, 'ready');
    await other.close();
  });

  test('gives the memory back with the model', async () => {
    assert.ok((await extension.targets('worker')).length > 0);
    await ask(panel, 'reset');
    assert.deepEqual((await ask(panel, 'memory')).sessions, []);
    while ((await extension.targets('worker')).length > 0) {
      await ask(panel, 'state');
    }
  });
});

describe('raw messages', () => {
  test('are answered as clients are', async () => {
    const listing = await call(panel, 'send',
      { action: 'listChatModels', id: 'l', params: { maxCandidates: 5 } });
    assert.equal(listing.action, 'listChatModels:done');
    assert.equal(listing.models.length, 5);
    const loaded = await call(panel, 'send',
      { action: 'load', id: 'o', params: { modelId: TINY_CHAT } });
    assert.equal(loaded.action, 'load:done');
    const answer = await call(panel, 'send',
      { action: 'generate', id: 'g', params: REQUEST });
    assert.match(answer.text, /13/);
    const heard = await call(panel, 'heard');
    const types = heard.map((/** @type {any} */ one) => one.type);
    assert.ok(types.includes('workerReady'));
    assert.ok(types.includes('generationUpdate'));
    assert.equal(heard.filter((/** @type {any} */ one) => one.id === 'l'
      && one.action === 'listChatModels:done').length, 0);
  });

  test('open the host when there is none, whoever was killed', async () => {
    await extension.killHost();
    await extension.killWorker();
    const { action, state } = await call(
      panel, 'send', { action: 'state', id: 's' });
    assert.deepEqual([action, state], ['state:done', 'unloaded']);
  });

  test('of the app are left to the app', async () => {
    const { sinceStartMs } = await call(panel, 'askApp');
    assert.ok(sinceStartMs > 0);
    assert.equal(await call(panel, 'send', { type: 'nobody knows' }) ?? null,
      null);
  });
});

describe('a panel of TabAgent', () => {
  /** @param {string} type @param {object} [payload] */
  const send = (type, payload) => call(panel, 'send', { type, payload });

  /** @param {string} type @returns {Promise<any[]>} payloads */
  const heard = async (type) => (await call(panel, 'heard'))
    .filter((/** @type {any} */ one) => one.type === type)
    .map((/** @type {any} */ one) => one.payload);

  test('loads and chats by its own messages', async () => {
    await extension.killHost();
    await extension.killWorker();
    const { success, ready } = await send('checkBackgroundReady');
    assert.deepEqual([success, ready], [true, true]);
    assert.equal((await send('getModelWorkerState')).state, 'uninitialized');
    const loadId = 'l1';
    const loaded = await send('init',
      { modelId: TINY_CHAT, dtype: 'q8', task: 'text-generation', loadId });
    assert.deepEqual(loaded, { success: true });
    const progress = (await heard('modelWorkerLoadingProgress'))
      .filter((one) => one.loadId === loadId);
    assert.equal(progress.at(-1).progress, 100);
    assert.deepEqual(await send('getModelWorkerState'),
      { state: 'model_ready', modelId: TINY_CHAT, dtype: 'q8' });
    const of = { chatId: 'c1', messageId: 'm1' };
    const answered = await send('generate', {
      ...of, messages: [{ role: 'user', content: REQUEST.message }],
      options: { do_sample: false },
    });
    assert.deepEqual(answered, { success: true });
    const [complete, ...more] = (await heard('generationComplete'))
      .filter((one) => one.messageId === 'm1');
    assert.deepEqual(more, []);
    assert.match(complete.generatedText, /13/);
    const tokens = (await heard('generationUpdate'))
      .filter((one) => one.messageId === 'm1').map((one) => one.token);
    assert.equal(tokens.join(''), complete.output);
  });

  test('finds its state again after everything has died', async () => {
    assert.equal(await send(
      'saveLastChatSession', { sessionId: 's1' }) ?? null, null);
    await extension.killHost();
    await extension.killWorker();
    const { modelRestored, lastModel, lastChatSession, currentModel }
      = await send('restoreLastState');
    assert.equal(modelRestored, true);
    assert.equal(lastModel.repoId, TINY_CHAT);
    assert.equal(lastChatSession, 's1');
    assert.equal(currentModel.id, TINY_CHAT);
    assert.deepEqual(await send('reset'), { success: true });
  });

  test('stops an answer', async () => {
    await send('init', { modelId: TINY_CHAT, dtype: 'q8' });
    const answer = send('generate', {
      chatId: 'c2', messageId: 'm2',
      messages: [{ role: 'user', content: 'Hello' }],
      options: { max_new_tokens: 400, eos_token_id: [] },
    });
    await panel.waitForFunction(() => {
      const { heard } = /** @type {any} */ (globalThis);
      return heard().some((/** @type {any} */ one) => (
        one.type === 'generationUpdate' && one.payload.messageId === 'm2'));
    }, undefined, { polling: 5 });
    assert.deepEqual(await send('stopGeneration'), { success: true });
    assert.deepEqual(await answer, { success: true });
    assert.equal((await heard('generationStopped')).length, 1);
  });
});

describe('the service worker dies', { timeout: HANG_MS }, () => {
  let kills = 0;
  const kill = async () => { kills += await extension.killWorker(); };

  // Each test wakes it at least once.
  after(() => assert.ok(kills >= 5, `it died ${kills} times`));

  test('while models are listed', async () => {
    const { ends, end } = await disturbed(
      'listChatModels', [{ maxCandidates: 250 }], kill, 3);
    assert.equal(ends, 1);
    assert.equal(end.failure, undefined);
    assert.ok(end.models.length > 0);
  });

  test('during a download', async () => {
    const { ends, end, progress } = await disturbed(
      'download', [LARGE], kill, 3);
    assert.equal(ends, 1);
    assert.equal(end.failure, undefined);
    assert.ok(end.bytes > LARGE_BYTES);
    const loaded = progress.map((/** @type {any} */ one) => one.loaded);
    assert.deepEqual(loaded,
      [...loaded].sort((/** @type {number} */ a, b) => a - b));
    await ask(panel, 'deleteModel', LARGE);
  });

  test('during a load', async () => {
    await ask(panel, 'reset');
    const { ends, end } = await disturbed(
      'load', [{ modelId: TINY_CHAT }], kill, 3);
    assert.equal(ends, 1);
    assert.equal(end.modelId, TINY_CHAT);
  });

  test('while it generates: not a token is missing', async () => {
    const { ends, end, progress } = await disturbed(
      'generate', [ENDLESS], kill, 4);
    assert.equal(ends, 1);
    assert.equal(end.newTokens, 150);
    assert.equal(progress.map((/** @type {any} */ one) => one.text).join(''),
      end.output);
  });

  test('before a raw request, and right behind it', async () => {
    await kill();
    const answer = call(panel, 'send',
      { action: 'generate', id: 'k', params: ENDLESS });
    await kill();
    assert.equal((await answer).newTokens, 150);
  });
});

describe('the host dies', { timeout: HANG_MS }, () => {
  let kills = 0;
  const kill = async () => { kills += await extension.killHost(); };

  after(() => assert.ok(kills >= 5, `it died ${kills} times`));

  test('while models are listed: they are listed again', async () => {
    const { ends, end } = await disturbed(
      'listChatModels', [{ maxCandidates: 250 }], kill);
    assert.equal(ends, 1);
    assert.equal(end.failure, undefined);
    assert.ok(end.models.length > 0);
  });

  test('during a download: it goes on, and what is stored stays', async () => {
    await ask(panel, 'deleteModel', LARGE);
    const { ends, end } = await disturbed('download', [LARGE], kill);
    assert.equal(ends, 1);
    assert.equal(end.failure, undefined);
    assert.ok(end.bytes > LARGE_BYTES);
    assert.equal((await ask(panel, 'download', LARGE)).fromCache, true);
  });

  test('during a load: it begins anew', async () => {
    await ask(panel, 'reset');
    const { ends, end } = await disturbed(
      'load', [{ modelId: TINY_CHAT }], kill);
    assert.equal(ends, 1);
    assert.equal(end.modelId, TINY_CHAT);
    assert.match((await ask(panel, 'generate', REQUEST)).text, /13/);
  });

  test('during an answer: it goes on, token for token', async () => {
    const { ends, end, progress } = await disturbed(
      'generate', [ENDLESS], kill, 2);
    assert.equal(ends, 1);
    assert.equal(end.newTokens, 150);
    assert.equal(progress.map((/** @type {any} */ one) => one.text).join(''),
      end.output);
    const tokens = progress.flatMap((/** @type {any} */ one) => one.tokenIds);
    assert.equal(tokens.length, 150);
    assert.ok(progress.some((/** @type {any} */ one) => one.resumed));
  });

  test('between two answers: the second one finds the model again', async () => {
    await ask(panel, 'load', { modelId: TINY_CHAT });
    await kill();
    assert.equal((await ask(panel, 'state')).state, 'unloaded');
    assert.match((await ask(panel, 'generate', REQUEST)).text, /13/);
    await ask(panel, 'reset');
    await kill();
    assert.equal((await ask(panel, 'generate', REQUEST)).failure?.code,
      'no_model');
    await ask(panel, 'load', { modelId: TINY_CHAT });
  });

  test('during an answer: all hear of it before the model is loaded', async () => {
    const before = (await call(panel, 'heard')).length;
    await disturbed('generate', [{ ...ENDLESS, chatId: 'c3' }], kill);
    const heard = (await call(panel, 'heard')).slice(before);
    const at = (/** @type {(one: any) => boolean} */ isIt) => {
      const place = heard.findIndex(isIt);
      assert.ok(place >= 0);
      return place;
    };
    assert.ok(at(({ type, payload }) => (
      type === 'generationUpdate' && payload.chatId === 'c3'
        && payload.token === ''))
      < at(({ type }) => type === 'workerReady'));
  });

  test('and the service worker with it', async () => {
    const { ends } = await disturbed('listChatModels', [{}], async () => {
      await Promise.all([extension.killWorker(), kill()]);
    });
    assert.equal(ends, 1);
  });
});

describe('the conversations', () => {
  before(buildPlayer);

  for (const file of CONVERSATIONS) {
    test(`${file} in a page of the extension`, async () => {
      const { events, count, check } = readConversation(file);
      check(await call(panel, 'playConversation', { events, count }));
    });
  }
});
