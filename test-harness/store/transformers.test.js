// SPDX-License-Identifier: Apache-2.0
// transformers.js gets its models out of the store, in each of the two ways
// that it has for that: from the Hub the first time, without it the second.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

import { AutoModel, AutoTokenizer, env } from '@huggingface/transformers';

import { startHub } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';
import { TINY_MODEL, tinyModel } from './tiny-model.js';

/** @typedef {import('../../js-bindings/types/index.d.ts').ModelManager} Manager */

/** @type {Awaited<ReturnType<typeof startHub>>} */
let server;
/** @type {string} */
let dataDir;
/** @type {Manager[]} */
const managers = [];

beforeEach(async () => {
  server = await startHub(
    { models: 0, rateLimits: false, repositories: [tinyModel] });
  dataDir = await mkdtemp(join(tmpdir(), 'tabagent-transformers-'));
  Object.assign(env, {
    remoteHost: `${server.url}/`, allowLocalModels: false, useFSCache: false,
    useBrowserCache: false, useCustomCache: false, customCache: null,
    fetch: globalThis.fetch,
  });
});

afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.dispose();
  await server.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function openManager() {
  const manager = await createModelManager(
    { wasm, hubUrl: server.url, dataDir });
  managers.push(manager);
  return manager;
}

/** Loads the model and says what it makes of three words. */
async function load() {
  const tokenizer = await AutoTokenizer.from_pretrained(TINY_MODEL);
  const model = await AutoModel.from_pretrained(TINY_MODEL, { dtype: 'q8' });
  const { last_hidden_state: features } =
    await model(await tokenizer('hello big world'));
  await model.dispose();
  return [...features.data];
}

/** As the graph and the vocabulary of the model say. */
const FEATURES = [1, 0, 2];

describe('transformers.js', () => {
  for (const { how, use } of [
    {
      how: 'env.fetch',
      // In Node it takes models from a cache only: its own, each time another.
      use: (/** @type {Manager} */ manager) => {
        Object.assign(env, {
          fetch: manager.fetch, useFSCache: true,
          cacheDir: join(dataDir, `cache-${managers.length}`),
        });
      },
    },
    {
      how: 'env.customCache',
      use: (/** @type {Manager} */ { cache }) => {
        Object.assign(env, { useCustomCache: true, customCache: cache });
      },
    },
  ]) {
    test(`loads a model through ${how}, then without the Hub`, async () => {
      use(await openManager());
      assert.deepEqual(await load(), FEATURES);
      const [stored] = await managers[0].models();
      assert.equal(stored.modelId, TINY_MODEL);

      await managers[0].dispose();
      use(await openManager());
      const offline = server.hub.faults.add({ status: 503 });
      assert.deepEqual(await load(), FEATURES);
      offline.remove();
    });
  }
});
