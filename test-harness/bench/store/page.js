// SPDX-License-Identifier: Apache-2.0
// The ways to store and read a file that are compared, in a page. Each returns
// milliseconds.

const CHUNK = 16 << 20;
/** As many as the core has in flight on a fast line. */
const SLOTS = 6;

/** Bytes of a reader's buffer. */
const READ_BYTES = 1 << 20;

const MODEL = 'bench/large';

/** @type {any} */
let manager;

const url = (/** @type {string} */ repo = MODEL) => (
  `${location.origin}/${repo}/resolve/main/onnx/model_quantized.onnx`);

/** @param {string} path of a module of the server */
function load(path) {
  return import(path);
}

export async function openManager(options = {}) {
  const { createModelManager } = await load('/dist/index.js');
  manager = await createModelManager({ hubUrl: location.origin, ...options });
}

/** @param {() => Promise<unknown>} work */
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** @param {string} name */
function openDatabase(name) {
  return /** @type {Promise<IDBDatabase>} */ (new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('files');
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  }));
}

/** @param {IDBDatabase} database @param {(files: IDBObjectStore) => any} ask */
function transact(database, ask) {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(
      'files', 'readwrite', { durability: 'strict' });
    const request = ask(transaction.objectStore('files'));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {RequestInit} [init] */
function fetchWeights(init) {
  return fetch(url(), { cache: 'no-store', ...init });
}

/**
 * Writes as the core does: one transaction at a time takes all that is there by
 * then, and the journal.
 * @param {{ write: (batch: object[]) => Promise<void> }} store
 * @returns {(change: object) => Promise<void>}
 */
function writer(store) {
  /** @type {object[]} */
  let waiting = [];
  let writing = Promise.resolve();
  return (change) => {
    waiting.push(change);
    const written = writing.then(async () => {
      if (!waiting.includes(change)) return;
      const batch = waiting;
      waiting = [];
      await store.write([...batch, {
        kind: 'record', store: 'files', key: 'tabagent:file/bench',
        bytes: new Uint8Array(4096),
      }]);
    });
    writing = written;
    return written;
  };
}

/** What each way leaves behind is there for reading, until it is cleared. */
const WAYS = {
  ours: {
    write: () => timed(() => manager.download(MODEL)),
    clear: () => manager.clearStore(),
    open: () => manager.fetch(url()),
  },
  executor: {
    async write(/** @type {number} */ bytes) {
      const { openStore } = await load('/js-bindings/store/index.js');
      const store = await openStore({});
      const count = Math.ceil(bytes / CHUNK);
      const write = writer(store);
      let next = 0;
      const slot = async () => {
        for (let i = next++; i < count; i = next++) {
          const end = Math.min(bytes, (i + 1) * CHUNK) - 1;
          const response = await fetchWeights(
            { headers: { range: `bytes=${i * CHUNK}-${end}` } });
          await write({ kind: 'content', key: `bench_chunk_${i}`,
            blob: await response.blob() });
        }
      };
      const milliseconds = await timed(
        () => Promise.all(Array.from({ length: SLOTS }, slot)));
      await store.write(Array.from({ length: count }, (_, i) => (
        { kind: 'delete', store: 'files', key: `bench_chunk_${i}` })));
      store.close();
      return milliseconds;
    },
    clear: async () => {},
    open: undefined,
  },
  cache: {
    write: () => timed(async () => {
      const cache = await caches.open('bench');
      await cache.put(url(), await fetchWeights());
    }),
    clear: () => caches.delete('bench'),
    open: async () => (await caches.open('bench')).match(url()),
  },
  blob: {
    write: () => timed(async () => {
      const database = await openDatabase('bench');
      const blob = await (await fetchWeights()).blob();
      await transact(database, (files) => files.put(blob, 'weights'));
      database.close();
    }),
    clear: async () => {
      const database = await openDatabase('bench');
      await transact(database, (files) => files.clear());
      database.close();
    },
    async open() {
      const database = await openDatabase('bench');
      const blob = await transact(database, (files) => files.get('weights'));
      database.close();
      return new Response(blob);
    },
  },
  opfs: {
    write: () => timed(async () => {
      const root = await navigator.storage.getDirectory();
      const file = await root.getFileHandle('weights', { create: true });
      await (await fetchWeights()).body?.pipeTo(await file.createWritable());
    }),
    clear: async () => {
      const root = await navigator.storage.getDirectory();
      await root.removeEntry('weights').catch(() => {});
    },
    async open() {
      const root = await navigator.storage.getDirectory();
      const file = await root.getFileHandle('weights');
      return new Response(await file.getFile());
    },
  },
};

/** @typedef {keyof typeof WAYS} Way */

/** @param {{ way: Way, bytes: number }} order */
export function write({ way, bytes }) {
  return WAYS[way].write(bytes);
}

/** @param {Way} way */
export async function clear(way) {
  await WAYS[way].clear();
}

/**
 * @param {{ way: Way, how: 'byob' | 'default' | 'buffer', bytes: number }} order
 */
export async function read({ way, how, bytes }) {
  let count = 0;
  const milliseconds = await timed(async () => {
    const response = await WAYS[way].open?.();
    if (how === 'buffer') {
      count = (await response.arrayBuffer()).byteLength;
      return;
    }
    const reader = response.body.getReader(
      how === 'byob' ? { mode: 'byob' } : {});
    Object.assign(globalThis, { reader });
    let buffer = new ArrayBuffer(READ_BYTES);
    for (;;) {
      const { done, value } = await reader.read(
        ...(how === 'byob' ? [new Uint8Array(buffer)] : []));
      if (done) return;
      count += value.length;
      buffer = value.buffer;
    }
  });
  if (count !== bytes) throw new Error(`${way}: ${count} bytes were read`);
  return milliseconds;
}

/** @param {number} count of small models */
export async function fill(count) {
  for (let i = 0; i < count; i += 1) await manager.download(`bench/small-${i}`);
}

/** From nothing to the list, in a fresh page. */
export async function openAndList() {
  const { createModelManager } = await load('/dist/index.js');
  const fresh = await createModelManager({ hubUrl: location.origin });
  let count = 0;
  const milliseconds = await timed(async () => {
    count = (await fresh.models()).length;
  });
  await fresh.dispose();
  return { milliseconds, count };
}

/** From nothing to the first request for missing bytes, in a fresh page. */
export async function timeToResume() {
  const { createModelManager } = await load('/dist/index.js');
  const start = performance.now();
  return new Promise((resolve, reject) => {
    createModelManager({
      hubUrl: location.origin,
      fetch: (/** @type {string} */ address, /** @type {any} */ init) => {
        if (address.includes('/resolve/')) {
          resolve(performance.now() - start);
        }
        return fetch(address, init);
      },
    }).then((/** @type {any} */ fresh) => fresh.download(MODEL))
      .catch(reject);
  });
}

/** Begins a download that the server will not let end. */
export function begin() {
  manager.download(MODEL).catch(() => {});
}

export function collect() {
  /** @type {any} */ (globalThis).gc();
}
