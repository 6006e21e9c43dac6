// SPDX-License-Identifier: Apache-2.0
// A runtime that hangs as it makes a session: the load ends all the same, and
// the next one is not disturbed.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { createHub, createVirtualClock } from '../hub/index.js';
import { makeLlama } from '../models/llama.js';
import { MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';
import { FakeOrt } from './fake-ort.js';
import { MODEL, repositoryOf } from './world.js';

/** TAM_CHAT_SILENCE_MAX_MS. */
const SILENCE_MAX_MS = 120_000;

/** @type {ReturnType<typeof createVirtualClock>} */
let clock;
/** @type {FakeOrt} */
let ort;
/** @type {import('./world.js').Manager} */
let manager;
/** @type {Promise<any>} the options of the first session, once it is ordered */
let ordered;

beforeEach(async () => {
  clock = createVirtualClock(Date.UTC(2026, 0, 1));
  ort = new FakeOrt(() => 65);
  const hub = createHub({
    catalogue: [], rateLimits: false, latency: false,
    repositories: [{ id: MODEL, files: repositoryOf(makeLlama()) }],
  });
  manager = await managerOf(
    new MemoryStore(), { fetch: hub.fetch, ort, clock });
  const { create } = ort.InferenceSession;
  ordered = new Promise((resolve) => {
    ort.InferenceSession.create = async (_graph, options) => {
      ort.InferenceSession.create = create;
      resolve(options);
      return new Promise(() => {});
    };
  });
});

/** @param {number} ms */
async function advance(ms) {
  await clock.advance(ms);
}

test('a load without a sign of life ends', async () => {
  const load = manager.load({ modelId: MODEL });
  const ended = assert.rejects(load,
    { code: 'timeout', stage: 'session', retryable: true });
  await ordered;
  await advance(SILENCE_MAX_MS - 1);
  assert.equal((await manager.jobs()).length, 1, 'it ended too early');
  await advance(1);
  await ended;
  const { executionProvider } = await manager.load({ modelId: MODEL });
  assert.equal(executionProvider, 'wasm');
  await manager.dispose();
});

test('reading weights is a sign of life', async () => {
  const load = manager.load({ modelId: MODEL });
  const ended = assert.rejects(load, { code: 'timeout' });
  const { externalData: [{ data }] } = await ordered;
  await advance(SILENCE_MAX_MS - 1);
  await data.slice(0, 16).stream().cancel();
  await advance(SILENCE_MAX_MS - 1);
  assert.equal((await manager.jobs()).length, 1, 'it ended too early');
  await advance(1);
  await ended;
  await manager.dispose();
});
