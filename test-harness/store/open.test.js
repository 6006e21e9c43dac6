// SPDX-License-Identifier: Apache-2.0
// A stored file as a Blob, on every executor: its bytes are right, whatever
// happened to the store before, and stay so whatever happens to it afterwards.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';

import { openStored } from '../../js-bindings/opened-file.js';
import { openStore } from '../../js-bindings/store/index.js';
import { uploadedContent } from '../hub/content.js';
import { changed, copyOf, emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, CHUNK, contentBytes, createModelHub, FILES, loopOf, managerOf,
  MODEL,
} from './world.js';

/**
 * @typedef {import('./world.js').Store} Store
 * @typedef {import('./memory-store.js').Watch} Watch
 */

globalThis.IDBKeyRange = IDBKeyRange;

const GRAPH = 'onnx/model.onnx';
const graph = FILES[GRAPH];
const CHUNK_KEY = `${MODEL}/${GRAPH}_chunk_`;

const hub = createModelHub();

/** @param {Store} store */
async function download(store) {
  const manager = await managerOf(store, { fetch: hub.fetch });
  await manager.download(MODEL);
  await manager.dispose();
}

const stored = emptyData();
await download(new MemoryStore(stored));

/**
 * Opens a file of a store, by default without a network.
 * @param {Store} store
 * @param {object} [file]
 * @param {{ fetch?: typeof fetch, signal?: AbortSignal }} [options]
 */
async function open(store, file, { signal, ...options } = {}) {
  const loop = await loopOf(store, options);
  try {
    return await openStored(
      loop, 'open', { modelId: MODEL, path: GRAPH, ...file }, signal);
  } finally {
    assert.equal(loop.jobs().length, 0);
    loop.dispose();
  }
}

/**
 * @param {Promise<unknown>} promise
 * @param {string} code
 */
function fails(promise, code) {
  return assert.rejects(promise, (/** @type {any} */ error) => {
    assert.equal(error.code, code);
    return true;
  });
}

/**
 * Flips a bit of a chunk.
 * @param {import('./memory-store.js').Data} data
 * @param {number} number of the chunk
 */
async function damage(data, number) {
  const key = CHUNK_KEY + number;
  data.files.set(key, await changed(data.files.get(key), (bytes) => {
    bytes[bytes.length - 1] ^= 1;
    return bytes;
  }));
}

/** @param {Blob} blob */
async function assertGraph(blob) {
  assertBytes(await blob.arrayBuffer(), graph);
}

/** @type {Record<string, () => Promise<() => Promise<Store>>>} */
const executors = {
  'in memory': async () => {
    const data = emptyData();
    return async () => new MemoryStore(data);
  },
  'in IndexedDB': async () => {
    const indexedDB = new IDBFactory();
    return () => openStore({ indexedDB });
  },
  'on disk': async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-open-'));
    removals.push(() => rm(dataDir, { recursive: true }));
    return () => openStore({ dataDir });
  },
};

/** @type {(() => Promise<void>)[]} */
const removals = [];

test.after(() => Promise.all(removals.map((remove) => remove())));

for (const [where, make] of Object.entries(executors)) {
  describe(`a file that is stored ${where}`, () => {
    test('is opened with all its bytes', async () => {
      const next = await make();
      await download(await next());
      const blob = await open(await next());
      assert.ok(blob instanceof Blob);
      await assertGraph(blob);
      // Across the border of two chunks.
      const part = blob.slice(CHUNK - 2, CHUNK + 2);
      assertBytesOf(await part.arrayBuffer(), CHUNK - 2, CHUNK + 2);
      assert.equal((await open(await next(), { path: 'vocab.txt' })).size, 0);
      assert.equal(
        await (await open(await next(), { path: 'config.json' })).text(),
        FILES['config.json']);
    });

    test('is right or unreadable when the model is deleted', async () => {
      const next = await make();
      await download(await next());
      const blob = await open(await next());
      const manager = await managerOf(await next());
      await manager.deleteModel(MODEL);
      await manager.dispose();
      await fails(open(await next()), 'not_stored');
      await blob.arrayBuffer().then(
        (bytes) => assertBytes(bytes, graph),
        ({ name }) => assert.equal(name, 'NotReadableError'));
    });

    test('is opened by several at once', async () => {
      const next = await make();
      await download(await next());
      const loop = await loopOf(await next());
      const blobs = await Promise.all([GRAPH, 'config.json', GRAPH].map(
        (path, i) => openStored(loop, `${i}`, { modelId: MODEL, path })));
      loop.dispose();
      await assertGraph(blobs[0]);
      assert.equal(await blobs[1].text(), FILES['config.json']);
      await assertGraph(blobs[2]);
    });
  });
}

/**
 * @param {ArrayBuffer} bytes
 * @param {number} from
 * @param {number} to
 */
function assertBytesOf(bytes, from, to) {
  assert.deepEqual(new Uint8Array(bytes),
    new Uint8Array(uploadedContent(graph).read(from, to)));
}

describe('a damaged file', () => {
  test('is fetched again where it is damaged, and nowhere else', async () => {
    for (const number of [0, 1]) {
      const data = copyOf(stored);
      await damage(data, number);
      const from = hub.requests.length;
      const { fetch } = hub;
      await assertGraph(await open(new MemoryStore(data), {}, { fetch }));
      assert.equal(contentBytes(hub, from), number === 0 ? CHUNK : 5);
      await assertGraph(await open(new MemoryStore(data)));
    }
  });

  test('is an error where it is not to be repaired', async () => {
    const data = copyOf(stored);
    await damage(data, 1);
    await fails(open(new MemoryStore(data), { repair: false }),
      'store_damaged');
  });

  test('without a network is an error', async () => {
    const data = copyOf(stored);
    await damage(data, 1);
    await fails(open(new MemoryStore(data)), 'network');
  });

  test('that never comes back as it was written is an error', async () => {
    class Forgetful extends MemoryStore {
      /** @type {Store['blob']} */
      async blob(key) {
        const blob = await super.blob(key);
        return blob && key === `${CHUNK_KEY}1`
          ? new Blob([new Uint8Array(blob.size)]) : blob;
      }
    }
    const { fetch } = hub;
    await fails(open(new Forgetful(copyOf(stored)), {}, { fetch }),
      'store_damaged');
  });

  test('on disk, too', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-open-'));
    removals.push(() => rm(dataDir, { recursive: true }));
    await download(await openStore({ dataDir }));
    /** Where the second chunk is: it is the only content of 5 bytes. */
    const find = async () => {
      const folder = join(dataDir, 'content');
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if ((await stat(path)).size === 5) return path;
      }
      throw new Error('there is no such chunk');
    };
    for (const bytes of ['1234', '123456', '12345', '']) {
      await writeFile(await find(), bytes);
      await fails(open(await openStore({ dataDir }), { repair: false }),
        'store_damaged');
      const { fetch } = hub;
      await assertGraph(await open(await openStore({ dataDir }), {}, { fetch }));
    }
  });
});

describe('a file that was verified before', () => {
  test('is opened without reading it', async () => {
    const data = copyOf(stored);
    await damage(data, 1);
    const blob = await open(new MemoryStore(data), { verify: false });
    assert.equal(blob.size, graph.size);
    await fails(open(new MemoryStore(data), { repair: false }),
      'store_damaged');
  });

  test('is not opened when a chunk has another length', async () => {
    const data = copyOf(stored);
    data.files.set(`${CHUNK_KEY}1`, new Blob(['1234']));
    await fails(open(new MemoryStore(data), { verify: false, repair: false }),
      'store_damaged');
    const { fetch } = hub;
    await assertGraph(
      await open(new MemoryStore(data), { verify: false }, { fetch }));
  });
});

describe('what is not stored', () => {
  test('is not opened', async () => {
    await fails(open(new MemoryStore()), 'not_stored');
    for (const file of [{ path: 'none.json' }, { revision: 'other' },
      { modelId: 'acme/other' }]) {
      await fails(open(new MemoryStore(copyOf(stored)), file), 'not_stored');
    }
  });

  test('is noticed when it goes between two steps', async () => {
    const data = copyOf(stored);
    let opens = 0;
    const store = new MemoryStore(data, {
      before: (name) => {
        if (name === 'blob' && opens++ === 0) data.files.clear();
      },
    });
    const { fetch } = hub;
    await fails(open(store, {}, { fetch }), 'not_stored');
  });
});

test('opening is cancelled', async () => {
  const stop = new AbortController();
  const store = new MemoryStore(copyOf(stored), {
    before: (name) => { if (name === 'blob') stop.abort(new Error('enough')); },
  });
  await fails(open(store, {}, { signal: stop.signal }), 'cancelled');
});
