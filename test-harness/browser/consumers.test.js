// SPDX-License-Identifier: Apache-2.0
// An application that imports the package, built by the usual bundlers and by
// none: it lists, stores and answers in Chromium, without a setting or a plugin.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import * as ort from 'onnxruntime-web';

import { builds, esbuild, makeProject } from '../consumers/builds.js';
import { startHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { ROOT } from '../paths.js';
import { MemoryStore } from '../store/memory-store.js';
import { TINY_MODEL, tinyModel } from '../store/tiny-model.js';
import { managerOf } from '../store/world.js';
import { makeProfile, startChromium } from './browser-process.js';
import { startFileServer } from './page-server.js';

/** A build or a load that hangs must not hang the tests. */
const HANG_MS = 120_000;

const MESSAGE = 'What is 9 plus 4?';

const FOLDER = join(ROOT, 'build/consumers');
const TRANSFORMERS_PROJECT = join(FOLDER, 'transformers-project');

/** What the graph and the vocabulary of the tiny model make of three words. */
const TEXT = 'hello big world';
const FEATURES = [1, 0, 2];

/** @type {Awaited<ReturnType<typeof startHub>>} */
let hub;
/** @type {Awaited<ReturnType<typeof makeProfile>>} */
let profile;
/** @type {import('./browser-process.js').Chromium} */
let chromium;
/** @type {{ text: string, models: string[] }} what Node answers */
let expected;

before(async () => {
  [hub, profile] = await Promise.all([
    startHub({
      models: 40, rateLimits: false, repositories: [tinyChat(), tinyModel],
    }),
    makeProfile(), makeProject('app', join(FOLDER, 'project')),
    makeProject('transformers-app', TRANSFORMERS_PROJECT),
  ]);
  chromium = await startChromium(profile.folder);
  expected = await answerInNode();
});

after(async () => {
  await chromium?.close();
  await hub?.close();
  await profile?.remove();
});

async function answerInNode() {
  const manager = await managerOf(
    new MemoryStore(), { hubUrl: hub.url, fetch, ort });
  const { models } = await manager.listChatModels();
  await manager.load({ modelId: TINY_CHAT, dtype: 'q8' });
  const { text } = await manager.generate(
    { message: MESSAGE, settings: { do_sample: false } });
  await manager.dispose();
  assert.ok(models.length > 0 && text.length > 0);
  return { text, models: models.map(({ id }) => id) };
}

/**
 * Serves what was built into `output` as long as `use` takes.
 * @param {string} output
 * @param {(call: (name: string, ...args: unknown[]) => Promise<any>)
 *   => Promise<void>} use gets what calls a function of a fresh page
 */
async function serve(output, use) {
  const site = await startFileServer(output);
  try {
    await use(async (name, ...args) => {
      const page = await chromium.open(`${site.url}/index.html`);
      await page.waitForFunction((known) => known in globalThis, name);
      const result = await page.evaluate(
        ([known, given]) => /** @type {any} */ (globalThis)[known](...given),
        /** @type {const} */ ([name, args]));
      await page.close();
      return result;
    });
  } finally {
    await site.close();
  }
}

describe('an application built', () => {
  for (const [name, build] of Object.entries(builds)) {
    test(`by ${name}`, { timeout: HANG_MS }, async () => {
      const output = join(FOLDER, name);
      await build(join(FOLDER, 'project'), output);
      await serve(output, async (call) => {
        assert.deepEqual(
          await call('answer', hub.url, TINY_CHAT, MESSAGE), expected);
      });
    });
  }
});

test('transformers.js takes models out of the store, later without the Hub',
  { timeout: HANG_MS }, async () => {
    const output = join(FOLDER, 'transformers');
    await esbuild(TRANSFORMERS_PROJECT, output);
    await serve(output, async (call) => {
      const order = { hubUrl: hub.url, modelId: TINY_MODEL, text: TEXT };
      for (const way of ['fetch', 'cache', 'fetch']) {
        const found = await call('features', { ...order, way });
        assert.deepEqual(found,
          { features: FEATURES, stored: [TINY_MODEL] }, way);
        hub.hub.faults.add({ status: 503 });
      }
    });
  });
