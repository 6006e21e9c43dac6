// SPDX-License-Identifier: Apache-2.0
// Measures, in a process of its own with --expose-gc, what listings take and
// what they leave behind; prints the numbers as JSON. See memory.test.js.

import { getEventListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { generateCatalogue } from '../hub/catalogue.js';
import { createHub, createVirtualClock } from '../hub/index.js';
import { createModelManager, PACKAGE_DIR, wasm } from '../module-under-test.js';

/**
 * Listings in a stretch, and stretches. The heap jumps now and then because
 * the engine compiles what is hot; a leak makes it grow in every stretch.
 */
const STRETCH = 200;
const STRETCHES = 5;

/** Listings until the engine has compiled most of what it will. */
const WARM_UP = 500;

/** Starts per measurement. */
const STARTS = 21;

const START_MS = Date.UTC(2026, 0, 1);

/** Bytes of the heap that are in use. */
function heapBytes() {
  // The second one takes what finalizers of the first let go of.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** @param {object} hubOptions */
async function setUp(hubOptions) {
  const clock = createVirtualClock(START_MS);
  const hub = createHub({ clock, rateLimits: false, ...hubOptions });
  const manager = await createModelManager({
    wasm, clock, fetch: hub.fetch, seed: 1,
  });
  return { clock, hub, manager };
}

/**
 * A whole listing with default parameters.
 * @param {number} pageSize
 */
async function measureListing(pageSize) {
  const { clock, hub, manager } = await setUp({});
  // The simulator makes its texts at the first run and keeps them.
  await clock.run(manager.listChatModels({ pageSize }));
  hub.requests.length = 0;
  /** @type {any} */
  let result = await clock.run(manager.listChatModels({ pageSize }));
  const models = result?.models.length;
  const { wasmBytes } = await manager.memory();
  hub.requests.length = 0;
  const withResult = heapBytes();
  result = undefined;
  const retainedBytes = withResult - heapBytes();
  return { pageSize, models, wasmBytes, retainedBytes };
}

/** Many listings, every second of which is cancelled on its way. */
async function measureRuns() {
  const catalogue = generateCatalogue({ models: 150 }).models.slice(-30);
  const { clock, hub, manager } = await setUp({ catalogue });
  const shared = new AbortController();
  const run = async (/** @type {number} */ i) => {
    const own = new AbortController();
    const cancels = i % 2 === 1;
    await clock.run(manager.listChatModels({}, {
      signal: cancels ? own.signal : shared.signal,
      onProgress: ({ seq }) => { if (cancels && seq === i % 3) own.abort(); },
    }).catch(() => {}));
    hub.requests.length = 0;
  };
  await manager.memory(); // the question takes some, too
  for (let i = 0; i < WARM_UP; i += 1) await run(i);
  const { wasmBytes } = await manager.memory();
  const heaps = [heapBytes()];
  for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
    for (let i = 0; i < STRETCH; i += 1) await run(i);
    heaps.push(heapBytes());
  }
  const growths = heaps.slice(1).map((heap, i) => heap - heaps[i]);
  return {
    runs: STRETCHES * STRETCH,
    heapBytesPerRun: median(growths) / STRETCH,
    wasmGrowthBytes: (await manager.memory()).wasmBytes - wasmBytes,
    listeners: getEventListeners(shared.signal, 'abort').length,
    timers: clock.pendingTimers,
    jobs: (await manager.jobs()).length,
  };
}

/** How many managers stay in memory after they were disposed of. */
async function measureManagers() {
  const catalogue = generateCatalogue({ models: 150 }).models.slice(-10);
  /** @type {WeakRef<object>[]} */
  const managers = [];
  for (let i = 0; i < 20; i += 1) {
    const { clock, manager } = await setUp({ catalogue });
    await clock.run(manager.listChatModels());
    await manager.dispose();
    managers.push(new WeakRef(manager));
  }
  // A reference stays alive until the turn in which it was made has ended.
  await new Promise((resolve) => { setImmediate(resolve); });
  heapBytes();
  return managers.filter((manager) => manager.deref()).length;
}

/** @param {BufferSource | WebAssembly.Module} source */
async function measureStart(source) {
  const times = [];
  for (let i = 0; i < STARTS; i += 1) {
    const startMs = performance.now();
    await createModelManager({ wasm: source });
    times.push(performance.now() - startMs);
  }
  return median(times);
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

const bytes = await readFile(join(PACKAGE_DIR, 'tabagent.wasm'));
console.log(JSON.stringify({
  startMs: await measureStart(bytes),
  compiledStartMs: await measureStart(wasm),
  listings: [await measureListing(500), await measureListing(100),
    await measureListing(1000)],
  runs: await measureRuns(),
  managers: await measureManagers(),
}));
