// SPDX-License-Identifier: Apache-2.0
// The life of a background in Firefox, which ends it with all that is in it when
// it seems idle: never while it is needed, soon when it is not, and when it ends
// all the same every request ends once.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { buildExtension } from '../extension/build-extension.js';
import { startHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { makeProfile } from './browser-process.js';
import { LARGE, LARGE_BYTES, LARGE_FILES } from './extension-stage.js';
import { FIREFOX_MISSING, startFirefox } from './firefox-process.js';
import { ask, call } from './manager-stage.js';

/** Firefox's patience with a background that seems idle; it has 30 s else. */
const PATIENCE_MS = 3000;

/** More than one of them, for the first could be luck. */
const LONG_MS = 3 * PATIENCE_MS;

/** A request that hangs must not hang the tests. */
const HANG_MS = 180_000;

/** The tiny model never ends by itself then. */
const ENDLESS = {
  message: 'Hello', settings: { max_new_tokens: 400, eos_token_id: [] },
};

const QUESTION = {
  message: 'What is 9 plus 4?', settings: { do_sample: false },
};

/** One part of a file takes longer than LONG_MS. */
const SLOW = { content: true, slow: { bytes: 1 << 17, everyMs: 100 } };

/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
/** @type {Awaited<ReturnType<typeof makeProfile>>} */
let profile;
/** @type {import('./firefox-process.js').Firefox} */
let firefox;
/** @type {import('./firefox-process.js').Installed} */
let extension;
/** @type {import('./firefox-process.js').Page} */
let panel;
let folder = '';
let lastId = 0;

/**
 * Starts Firefox with the extension, whose background has such options.
 * @param {object} idle
 */
async function start(idle) {
  [server, profile] = await Promise.all([
    startHub({
      models: 300, rateLimits: false,
      repositories: [tinyChat(), { id: LARGE, files: new Map(LARGE_FILES) }],
    }),
    makeProfile(),
  ]);
  folder = join(ROOT, 'build', `extension-firefox-${process.pid}`);
  await buildExtension(folder, { hubUrl: server.url, idle, firefox: true });
  firefox = await startFirefox(
    profile.folder, { 'extensions.background.idle.timeout': PATIENCE_MS });
  extension = await firefox.install(folder);
}

async function stop() {
  await firefox?.close();
  await server?.close();
  await profile?.remove();
  await rm(folder, { recursive: true, force: true });
}

async function openPanel() {
  const page = await extension.open('panel.html');
  await call(page, 'openClient');
  await ask(page, 'state');
  await call(page, 'watchHost');
  return page;
}

async function load() {
  const { failure } = await ask(panel, 'load', { modelId: TINY_CHAT });
  assert.equal(failure, undefined);
}

/** Begins a call of the panel's client. @param {string} name @param {any[]} args */
async function begin(name, ...args) {
  lastId += 1;
  const id = `${name}-${lastId}`;
  await call(panel, 'begin', { id, name, args });
  return id;
}

/** Waits until a call has said more. @param {string} id @param {number} seen */
async function progressBeyond(id, seen) {
  const { ends } = await call(panel, 'whenSaid', { id, seen });
  assert.equal(ends, 0, `${id} was too quick`);
}

/** The frame of the host goes a moment before the rest. */
async function untilStopped() {
  await call(panel, 'whenHostGone');
  const endMs = performance.now() + HANG_MS;
  while (await extension.backgroundState() !== 'stopped') {
    assert.ok(performance.now() < endMs, 'it does not stop');
  }
}

/** @param {object} idle options of the background */
function inFirefox(idle) {
  before(() => start(idle));
  after(stop);
  beforeEach(async () => {
    server.hub.faults.clear();
    panel = await openPanel();
  });
  afterEach(() => panel.close());
}

describe('the background', { timeout: HANG_MS, skip: FIREFOX_MISSING }, () => {
  inFirefox({ suspendAfterMs: PATIENCE_MS, unloadAfterIdleMs: LONG_MS });

  test('lives as long as a download runs, and then no longer', async () => {
    server.hub.faults.add(SLOW);
    const startMs = performance.now();
    const { bytes, failure } = await ask(panel, 'download', LARGE);
    assert.equal(failure, undefined);
    assert.ok(bytes > LARGE_BYTES);
    assert.ok(performance.now() - startMs > LONG_MS, 'it was too quick');
    assert.equal(await call(panel, 'isHostGone'), false);
    await untilStopped();
    assert.equal((await ask(panel, 'models')).length, 1); // and comes back
  });

  test('lives until the model has been released', async () => {
    const startMs = performance.now();
    await load();
    await call(panel, 'whenHeard', 'resetComplete');
    assert.equal(await call(panel, 'isHostGone'), false);
    assert.ok(performance.now() - startMs > LONG_MS);
    await untilStopped();
  });

  test('has ended with a released model: an answer brings it back', async () => {
    await load();
    await call(panel, 'whenHeard', 'resetComplete');
    await untilStopped();
    const { text, failure } = await ask(panel, 'generate', QUESTION);
    assert.equal(failure, undefined);
    assert.match(text, /13/);
  });

  test('ends during an answer: not a token is missing', async () => {
    await load();
    const id = await begin('generate', ENDLESS);
    await progressBeyond(id, 0);
    await extension.endBackground();
    const { ends, end, progress } = await call(panel, 'whenEnded', id);
    assert.equal(ends, 1);
    assert.equal(end.newTokens, ENDLESS.settings.max_new_tokens);
    assert.equal(progress.map((/** @type {any} */ one) => one.text).join(''),
      end.output);
    await call(panel, 'whenHostGone');
  });

  test('ends while no panel is there: the next one hears the end, once',
    async () => {
      await ask(panel, 'deleteModel', LARGE);
      const slow = server.hub.faults.add(SLOW);
      const id = await begin('download', LARGE);
      await progressBeyond(id, 2);
      const [{ id: jobId }] = await ask(panel, 'jobs');
      await panel.close();
      await extension.endBackground();
      slow.remove();
      panel = await openPanel();
      const messages = await call(panel, 'messagesOf', jobId);
      const actions = messages.map((/** @type {any} */ { action }) => action);
      assert.equal(actions.pop(), 'download:done');
      assert.deepEqual([...new Set(actions)], ['download:progress']);
      assert.equal((await ask(panel, 'download', LARGE)).fromCache, true);
    });

  test('ends with the model, and panels hear of it before', async () => {
    await load();
    await extension.endBackground();
    await call(panel, 'whenHeard', 'resetComplete');
    assert.equal((await ask(panel, 'state')).state, 'unloaded');
    await ask(panel, 'reset'); // now it is not wanted any more
    await extension.endBackground();
    assert.equal((await ask(panel, 'generate', QUESTION)).failure?.code,
      'no_model');
  });
});

describe('a background that seems idle',
  { timeout: HANG_MS, skip: FIREFOX_MISSING }, () => {
    inFirefox({ suspendAfterMs: null });

    test('ends, and a download goes on in the next one', async () => {
      server.hub.faults.add({ content: true, stallAfter: 1, times: 1 });
      const id = await begin('download', LARGE);
      await call(panel, 'whenHostGone');
      const { ends, end } = await call(panel, 'whenEnded', id);
      assert.equal(ends, 1);
      assert.equal(end.failure, undefined);
      assert.ok(end.bytes > LARGE_BYTES);
    });
  });
