// SPDX-License-Identifier: Apache-2.0
// The process dies after each single operation of the store, and every
// transaction is aborted once: what is left serves right bytes or none, and a
// new manager goes on where the old one was.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { changed, copyOf, emptyData, MemoryStore } from './memory-store.js';
import {
  assertStored, CHUNK, contentBytes, createModelHub, FILES, managerOf, MODEL,
  readFile, sizeOf, SLOTS, SMALL_FILES,
} from './world.js';

/**
 * @typedef {import('./memory-store.js').Data} Data
 * @typedef {import('./world.js').Files} Files
 * @typedef {import('./world.js').Hub} Hub
 * @typedef {import('./world.js').Manager} Manager
 *
 * @typedef {object} Scenario
 * @property {Files} files
 * @property {Files} [later] of the next commit, changed ones only
 * @property {import('../hub/faults.js').Rule[]} [faults]
 * @property {(data: Data) => Promise<void>} [prepare] what is there before is
 *   a whole model, and then this
 * @property {(manager: Manager) => Promise<unknown>} run
 * @property {(data: Data) => Promise<void>} [check] the end, besides the files
 */

/** Full chunks of the large file; more by hand. */
const CHUNKS = Number(process.env.TAM_CHUNKS ?? 1);

/** Without anything large: a run takes a moment. */
const TINY = { ...SMALL_FILES, 'onnx/model.onnx': 'a graph' };

const download = (/** @type {Manager} */ manager) => manager.download(MODEL);

/** @param {Data} data */
async function damageGraph(data) {
  const key = `${MODEL}/onnx/model.onnx_chunk_0`;
  data.files.set(key, await changed(data.files.get(key), (bytes) => (
    bytes.map((byte) => byte ^ 1))));
}

/**
 * Nothing is left but TabAgent's entry, which may be the user's own; it says
 * that the files are not there any more.
 * @param {Data} data
 */
async function assertEmpty(data) {
  assert.deepEqual([...data.files.keys()], []);
  assert.doesNotMatch(JSON.stringify([...data.manifest.values()]),
    /"downloaded"/);
}

/** @type {Record<string, Scenario>} */
const SCENARIOS = {
  'a download': {
    files: { ...FILES, 'onnx/model.onnx': { size: CHUNKS * CHUNK + 5, seed: 1 } },
    run: download,
  },
  'a download of wrong bytes, and then right ones': {
    files: TINY, run: (manager) => manager.download(MODEL),
    faults: [{ match: 'tokenizer', content: true, corruptAt: 2, times: 1 }],
  },
  'a repair': {
    files: TINY, prepare: damageGraph,
    run: (manager) => manager.verifyModel(MODEL),
  },
  'an update': {
    files: TINY, prepare: async () => {},
    later: { 'config.json': '{}', 'onnx/model.onnx': 'another graph' },
    run: (manager) => manager.updateModel(MODEL),
  },
  'a deletion': {
    files: TINY, prepare: async () => {},
    run: (manager) => manager.deleteModel(MODEL), check: assertEmpty,
  },
  'a fetch': {
    files: TINY,
    run: async (manager) => {
      for (const path of Object.keys(TINY)) {
        await readFile(manager, path, /** @type {any} */ (TINY)[path]);
      }
    },
  },
};

/**
 * @param {Scenario} scenario
 * @returns {Promise<{ hub: Hub, data: Data, after: Files }>}
 */
async function begin({ files, later, faults = [], prepare }) {
  const hub = createModelHub(files);
  const data = emptyData();
  if (prepare) {
    const manager = await managerOf(
      new MemoryStore(data), { fetch: hub.fetch });
    await manager.download(MODEL);
    await manager.dispose();
    await prepare(data);
  }
  for (const fault of faults) hub.faults.add(fault);
  if (later) hub.commit(MODEL, { files: later });
  return { hub, data, after: { ...files, ...later } };
}

/**
 * Runs a scenario in a process that stops when |count| operations are done.
 * @param {Scenario} scenario
 * @param {number} count
 */
async function runUntil(scenario, count) {
  const { hub, data, after } = await begin(scenario);
  let done = 0;
  /** @type {Data | undefined} */
  let left;
  /** @type {() => void} */
  let stop = () => {};
  const stopped = new Promise((/** @type {(value: void) => void} */ resolve) => {
    stop = resolve;
  });
  const dead = new Promise(() => {});
  const pause = () => {
    left ??= copyOf(data);
    stop();
    return /** @type {Promise<void>} */ (dead);
  };
  const manager = await managerOf(new MemoryStore(data, {
    before: () => (left || count === 0 ? pause() : undefined),
    after: () => {
      done += 1;
      return done >= count ? pause() : undefined;
    },
  }), { fetch: hub.fetch });
  const running = scenario.run(manager).catch(() => {});
  await Promise.race([running, stopped]);
  const fetched = contentBytes(hub);
  await manager.dispose();
  return {
    hub, after, isOver: left === undefined, fetched,
    data: left ?? copyOf(data),
  };
}

/**
 * Runs a scenario in which the transaction of number |count| is aborted.
 * @param {Scenario} scenario
 * @param {number} count
 */
async function runAborting(scenario, count) {
  const { hub, data, after } = await begin(scenario);
  let writes = 0;
  const manager = await managerOf(new MemoryStore(data, {
    before(name) {
      if (name !== 'write') return;
      writes += 1;
      if (writes === count) throw new DOMException('no reason', 'AbortError');
    },
  }), { fetch: hub.fetch });
  const error = await scenario.run(manager).then(() => null, (reason) => reason);
  await manager.dispose();
  return { hub, data, after, isOver: writes < count, error };
}

/** @param {Data} data */
function storedBytes(data) {
  let bytes = 0;
  for (const [key, entry] of data.files) {
    if (/_chunk_\d+$/.test(key)) bytes += /** @type {Blob} */ (entry).size;
  }
  return bytes;
}

/**
 * What is left serves right bytes or none: |files| are those before or after.
 * @param {Data} data
 * @param {Files[]} versions
 */
async function assertNothingWrong(data, versions) {
  const manager = await managerOf(new MemoryStore(copyOf(data)));
  for (const path of Object.keys(versions[0])) {
    const ends = await Promise.allSettled(versions.map((files) => (
      readFile(manager, path, files[path]))));
    assert.ok(ends.some(({ status }) => status === 'fulfilled'),
      `${path}: ${JSON.stringify(ends)}`);
  }
  await manager.dispose();
}

/**
 * A new manager completes what was begun.
 * @param {Scenario} scenario
 * @param {Hub} hub
 * @param {Data} data
 * @param {Files} after
 */
async function complete(scenario, hub, data, after) {
  const manager = await managerOf(
    new MemoryStore(data), { fetch: hub.fetch });
  const stored = storedBytes(data);
  const from = hub.requests.length;
  const result = await scenario.run(manager).catch((error) => {
    // Somebody was faster, namely the one that died.
    assert.equal(error.code, 'not_stored');
  });
  if (scenario.run === download) {
    const missing = sizeOf(scenario.files) - stored;
    assert.equal(contentBytes(hub, from), missing);
    const { resumedBytes, fetchedBytes } = /** @type {any} */ (result);
    assert.deepEqual([resumedBytes, fetchedBytes], [stored, missing]);
  }
  if (scenario.check) await scenario.check(data);
  await manager.download(MODEL);
  await manager.dispose();
  await assertStored(data, after);
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  describe(name, () => {
    test('stops after every operation', async () => {
      for (let count = 0; ; count += 1) {
        const { hub, after, isOver, data, fetched }
          = await runUntil(scenario, count);
        assert.ok(fetched <= storedBytes(data) + SLOTS * CHUNK);
        await assertNothingWrong(data, [scenario.files, after]);
        await complete(scenario, hub, copyOf(data), after);
        if (isOver) {
          assert.ok(count > 4, `${count} operations`);
          break;
        }
      }
    });

    test('every transaction is aborted once', async () => {
      for (let count = 1; ; count += 1) {
        const { hub, after, isOver, data, error }
          = await runAborting(scenario, count);
        if (isOver) {
          assert.ok(count > 1);
          break;
        }
        if (name !== 'a fetch') assert.equal(error?.code, 'store_failed');
        await assertNothingWrong(data, [scenario.files, after]);
        await complete(scenario, hub, data, after);
      }
    });
  });
}
