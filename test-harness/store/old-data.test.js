// SPDX-License-Identifier: Apache-2.0
// Databases as TabAgent wrote them, of each version: they open unchanged, are
// listed and served, and become as good as downloaded when the Hub vouches for
// what is in them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';

import { openStore } from '../../js-bindings/store/index.js';
import { uploadedContent } from '../hub/content.js';
import {
  assertBytes, contentBytes, createModelHub, HUB_URL, managerOf, MODEL,
  readFile, sizeOf, urlOf,
} from './world.js';

/**
 * @typedef {import('./world.js').Files} Files
 * @typedef {import('./world.js').Manager} Manager
 * @typedef {Record<string, any>} Entries of `files`, Blobs and texts by key
 */

globalThis.IDBKeyRange = IDBKeyRange;

const NAME = 'TabAgentModels';

/** Bytes above which TabAgent cut files, and of each piece. */
const OLD_CHUNK = 104_857_600;

const GRAPH = 'onnx/model_q4.onnx';

/** @type {Files} */
const FILES = {
  'config.json': '{"model_type":"llama","architectures":["LlamaForCausalLM"]}',
  'tokenizer.json': '{"version":"1.0"}',
  [GRAPH]: { size: 3_000_000, seed: 'graph' },
  [`${GRAPH}_data`]: { size: 5_000_000, seed: 'data' },
};

const DATA = `${MODEL}/${GRAPH}_data`;

/** The panel's entry, with settings of the user. */
const QUANT = {
  files: ['config.json', GRAPH, `${GRAPH}_data`, 'tokenizer.json'],
  status: 'downloaded', dtype: 'q4', hasExternalData: true,
  inferenceSettings: { temperature: 0.3, top_k: 7 },
  fileSizes: { [GRAPH]: 3_000_000 },
};

const MANIFEST = {
  repo: MODEL, task: 'text-generation', manifestVersion: 1,
  quants: {
    [GRAPH]: QUANT,
    'onnx/model.onnx': { files: ['onnx/model.onnx'], status: 'available',
      dtype: 'fp32', hasExternalData: false,
      inferenceSettings: { temperature: 1 } },
  },
};

const SETTINGS = { id: 'InferenceSettings', temperature: 0.7, max_new_tokens: 9 };

const TOKEN = 'hf_the_users_own';

/**
 * @param {import('./world.js').Files[string]} file
 * @param {number} [from]
 * @param {number} [to]
 */
function blobOf(file, from = 0, to) {
  const content = uploadedContent(file);
  return new Blob([/** @type {any} */ (content.read(from, to ?? content.size))]);
}

/** @param {string} path */
function address(path) {
  return `https://huggingface.co/${MODEL}/resolve/main/${path}`;
}

/**
 * What saveChunkedFileSafe wrote; the size of chunks was never another one
 * than OLD_CHUNK, but it stands in the data.
 * @param {string} group
 * @param {import('./world.js').Files[string]} file
 * @param {number} [chunkSize]
 * @returns {Entries}
 */
function inChunks(group, file, chunkSize = OLD_CHUNK) {
  const { size } = uploadedContent(file);
  const totalChunks = Math.ceil(size / chunkSize);
  /** @type {Entries} */
  const entries = { [`${group}:manifest`]: JSON.stringify({
    id: `${group}:manifest`, type: 'manifest', chunkGroupId: group,
    fileName: group.split('/').slice(2).join('/'), totalChunks,
    chunkSizeUsed: chunkSize, size, status: 'present',
  }) };
  for (let i = 0; i < totalChunks; i += 1) {
    entries[`${group}_chunk_${i}`] = blobOf(
      file, i * chunkSize, Math.min(size, (i + 1) * chunkSize));
  }
  return entries;
}

/** The model as TabAgent left it: small files whole, the data in chunks. */
function oldEntries() {
  return {
    huggingface_token: TOKEN,
    [address('config.json')]: blobOf(FILES['config.json']),
    [address('tokenizer.json')]: blobOf(FILES['tokenizer.json']),
    [address(GRAPH)]: blobOf(FILES[GRAPH]),
    ...inChunks(DATA, FILES[`${GRAPH}_data`], 2_000_000),
  };
}

/**
 * @param {IDBRequest<any>} request
 * @returns {Promise<any>}
 */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @typedef {Awaited<ReturnType<typeof oldDatabase>>} OldDatabase */

/**
 * @param {{ version?: number, stores?: Record<string, string>,
 *   entries?: Entries }} [options]
 */
async function oldDatabase({
  version = 1, entries = oldEntries(),
  stores = { files: 'url', manifest: 'repo', inferenceSettings: 'id' },
} = {}) {
  const factory = new IDBFactory();
  const request = factory.open(NAME, version);
  request.onupgradeneeded = () => {
    for (const [name, keyPath] of Object.entries(stores)) {
      request.result.createObjectStore(name, { keyPath });
    }
  };
  const database = await resultOf(request);
  for (const name of Object.keys(stores)) {
    const store = database.transaction(name, 'readwrite').objectStore(name);
    if (name === 'files') {
      for (const [url, value] of Object.entries(entries)) {
        await resultOf(store.put({ url,
          blob: value instanceof Blob ? value : new Blob([value]) }));
      }
    } else if (name === 'manifest') {
      await resultOf(store.put(MANIFEST));
    } else if (name === 'inferenceSettings') {
      await resultOf(store.put(SETTINGS));
    }
  }
  database.close();
  return {
    factory,
    /** @param {Parameters<typeof managerOf>[1]} [options] */
    open: async (options) => managerOf(
      await openStore({ indexedDB: factory }), options),
    /**
     * Looks in as TabAgent does, with a connection of its own.
     * @template T
     * @param {(database: IDBDatabase) => Promise<T>} look
     */
    async look(look) {
      const own = await resultOf(factory.open(NAME));
      try {
        return await look(own);
      } finally {
        own.close();
      }
    },
    /** @returns {Promise<string[]>} */
    keys() {
      return this.look((own) => resultOf(
        own.transaction('files').objectStore('files').getAllKeys()));
    },
    /** @param {string} store @param {string} key @returns {Promise<any>} */
    get(store, key) {
      return this.look((own) => resultOf(
        own.transaction(store).objectStore(store).get(key)));
    },
    /** @param {(store: IDBObjectStore) => IDBRequest} change */
    change(change) {
      return this.look((own) => resultOf(change(
        own.transaction('files', 'readwrite').objectStore('files'))));
    },
  };
}

/**
 * Reads a file as TabAgent's getChunkInfo and assembleChunks do.
 * @param {OldDatabase} old
 * @param {string} group
 */
async function asTabAgentReads(old, group) {
  const entry = await old.get('files', `${group}:manifest`);
  if (!entry) return null;
  const { totalChunks, size } = JSON.parse(await entry.blob.text());
  const parts = [];
  for (let i = 0; i < totalChunks; i += 1) {
    const chunk = await old.get('files', `${group}_chunk_${i}`);
    assert.ok(chunk, `chunk ${i} of ${group}`);
    parts.push(Buffer.from(await chunk.blob.arrayBuffer()));
  }
  const bytes = Buffer.concat(parts);
  assert.equal(bytes.length, size);
  return bytes;
}

/** @param {OldDatabase} old */
async function assertUsersThings(old) {
  const token = await old.get('files', 'huggingface_token');
  assert.equal(await token.blob.text(), TOKEN);
  assert.deepEqual(await old.get('inferenceSettings', SETTINGS.id), SETTINGS);
  const { quants } = await old.get('manifest', MODEL);
  assert.deepEqual(quants[GRAPH].inferenceSettings, QUANT.inferenceSettings);
  assert.deepEqual(quants['onnx/model.onnx'],
    MANIFEST.quants['onnx/model.onnx']);
}

/**
 * @param {Manager} manager
 * @param {Files} [files]
 */
async function assertServed(manager, files = FILES) {
  for (const [path, file] of Object.entries(files)) {
    assert.equal(await readFile(manager, path, file), 'right', path);
  }
}

const HALF = { files: 'url', manifest: 'repo' };

for (const [version, stores] of /** @type {const} */ ([
  [1, undefined], [2, HALF], [3, undefined],
])) {
  describe(`a database of version ${version}`, () => {
    test('opens, lists and serves without a change', async () => {
      const old = await oldDatabase({ version, stores });
      const before = await old.keys();
      const manager = await old.open();
      const [model, ...others] = await manager.models();
      assert.equal(others.length, 0);
      assert.equal(model.modelId, MODEL);
      assert.deepEqual(model.dtypes.map(({ dtype }) => dtype), ['q4']);
      await assertServed(manager);
      assert.deepEqual(await old.keys(), before);
      assert.deepEqual(await old.get('manifest', MODEL), MANIFEST);
      await manager.dispose();
    });

    test('is adopted without a byte from the Hub', async () => {
      const old = await oldDatabase({ version, stores });
      const hub = createModelHub(FILES);
      const manager = await old.open({ fetch: hub.fetch });
      const result = await manager.download(MODEL, { dtype: 'q4' });
      assert.equal(contentBytes(hub), 0);
      const { fromCache, fetchedBytes, resumedBytes, bytes } = result;
      assert.deepEqual([fromCache, fetchedBytes, resumedBytes, bytes],
        [true, 0, sizeOf(FILES), sizeOf(FILES)]);
      await manager.dispose();
      const keys = await old.keys();
      const groups = Object.keys(FILES).map((path) => `${MODEL}/${path}`);
      const contents = groups.flatMap((group) => [`${group}:manifest`,
        `${group}_chunk_0`, `tabagent:file/${group}`]);
      assert.deepEqual(
        keys.filter((key) => !/^tabagent:(revision|used)/.test(key)).sort(),
        [...contents, `${DATA}_chunk_1`, `${DATA}_chunk_2`,
          'huggingface_token'].sort());
      for (const [path, file] of Object.entries(FILES)) {
        assertBytes(/** @type {Buffer} */ (
          await asTabAgentReads(old, `${MODEL}/${path}`)), file, path);
      }
      const offline = await old.open();
      await assertServed(offline);
      assert.deepEqual(await offline.verifyModel(MODEL),
        { ok: true, damaged: [], repaired: 0 });
      const [{ dtypes, bytes: listed }] = await offline.models();
      assert.equal(listed, sizeOf(FILES));
      assert.equal(dtypes[0].complete, true);
      await offline.dispose();
      const { version: now } = await old.look(async (own) => own);
      assert.ok(now >= version);
    });
  });
}

test('the very old database keeps its store', async () => {
  const old = await oldDatabase(
    { version: 2, stores: { TabAgentModels: 'id' }, entries: {} });
  await old.look((own) => resultOf(own
    .transaction(NAME, 'readwrite').objectStore(NAME)
    .put({ id: 'x', chunkGroupId: 'acme/tiny/onnx/model.onnx', blob: 7 })));
  const hub = createModelHub(FILES);
  const manager = await old.open({ fetch: hub.fetch });
  assert.deepEqual(await manager.models(), []);
  await manager.download(MODEL);
  await assertServed(manager);
  await manager.clearStore();
  await manager.dispose();
  assert.equal((await old.get(NAME, 'x')).blob, 7);
});

describe('a file of more than 100 MiB', () => {
  const big = { size: OLD_CHUNK + 12_345, seed: 'big' };
  const files = { 'config.json': FILES['config.json'], [GRAPH]: big };
  const group = `${MODEL}/${GRAPH}`;

  test('is served, adopted, and read by TabAgent as before', async () => {
    const old = await oldDatabase({ entries: inChunks(group, big) });
    let manager = await old.open();
    assert.equal(await readFile(manager, GRAPH, big), 'right');
    await manager.dispose();
    const hub = createModelHub(files);
    manager = await old.open({ fetch: hub.fetch });
    const { fetchedBytes } = await manager.download(MODEL, { dtype: 'q4' });
    assert.equal(fetchedBytes, sizeOf({ a: FILES['config.json'] }));
    const response = await manager.fetch(urlOf(GRAPH), {
      headers: { range: `bytes=${OLD_CHUNK - 3}-${OLD_CHUNK + 3}` } });
    const part = Buffer.from(await response.arrayBuffer());
    assert.ok(part.equals(
      uploadedContent(big).read(OLD_CHUNK - 3, OLD_CHUNK + 4)));
    assertBytes(/** @type {Buffer} */ (
      await asTabAgentReads(old, group)), big);
    await manager.dispose();
  });
});

describe('what the Hub has changed meanwhile', () => {
  /** @type {[string, Files[string]][]} */
  const changes = [
    ['bytes', { size: 5_000_000, seed: 'other' }],
    ['a longer file', { size: 5_500_000, seed: 'longer' }],
    ['a shorter file', { size: 1_000_000, seed: 'shorter' }],
  ];
  for (const [name, file] of changes) {
    test(`is fetched anew: ${name}`, async () => {
      const old = await oldDatabase();
      const files = { ...FILES, 'config.json': '{"model_type":"other"}',
        [`${GRAPH}_data`]: file };
      const hub = createModelHub(files);
      let isMixed = false;
      const store = await openStore({ indexedDB: old.factory });
      const write = store.write.bind(store);
      // Between any two transactions an old reader finds the old file, the
      // new one, or none.
      store.write = async (batch) => {
        await write(batch);
        const bytes = await asTabAgentReads(old, DATA);
        isMixed ||= bytes !== null && ![file, FILES[`${GRAPH}_data`]].some(
          (version) => {
            const content = uploadedContent(version);
            return bytes.equals(content.read(0, content.size));
          });
      };
      const manager = await managerOf(store, { fetch: hub.fetch });
      await manager.download(MODEL, { dtype: 'q4' });
      assert.equal(isMixed, false);
      assert.equal(contentBytes(hub),
        sizeOf({ a: file, b: files['config.json'] }));
      await assertServed(manager, files);
      assertBytes(/** @type {Buffer} */ (
        await asTabAgentReads(old, DATA)), file);
      await manager.deleteModel(MODEL);
      await manager.dispose();
      assert.deepEqual(await old.keys(), ['huggingface_token']);
    });
  }
});

describe('broken entries', () => {
  /** @type {[string, (store: IDBObjectStore) => IDBRequest][]} */
  const cases = [
    ['no chunks', (store) => store.delete(IDBKeyRange.bound(
      `${DATA}_chunk_`, `${DATA}_chunk_~`))],
    ['a missing chunk', (store) => store.delete(`${DATA}_chunk_1`)],
    ['a missing last chunk', (store) => store.delete(`${DATA}_chunk_2`)],
    ['a chunk of a wrong length', (store) => store.put(
      { url: `${DATA}_chunk_0`, blob: new Blob(['short']) })],
    ['a manifest that is no JSON', (store) => store.put(
      { url: `${DATA}:manifest`, blob: new Blob(['{']) })],
    ['a manifest that contradicts itself', (store) => store.put({
      url: `${DATA}:manifest`, blob: new Blob([JSON.stringify({
        type: 'manifest', totalChunks: 9, chunkSizeUsed: 10, size: 5_000_000,
      })]) })],
    ['a wrong byte', (store) => store.put({ url: `${DATA}_chunk_2`,
      blob: new Blob([new Uint8Array(1_000_000)]) })],
  ];
  for (const [name, breakIt] of cases) {
    test(`${name}: not served without the Hub, and healed with it`,
      async () => {
        const old = await oldDatabase();
        await old.change(breakIt);
        let manager = await old.open();
        if (name !== 'a wrong byte') { // which nobody can see
          const url = urlOf(`${GRAPH}_data`);
          await assert.rejects(manager.fetch(url));
        }
        assert.equal((await manager.models()).length, 1);
        await manager.dispose();
        const hub = createModelHub(FILES);
        manager = await old.open({ fetch: hub.fetch });
        await manager.download(MODEL, { dtype: 'q4' });
        await assertServed(manager);
        await manager.dispose();
        assertBytes(/** @type {Buffer} */ (
          await asTabAgentReads(old, DATA)), FILES[`${GRAPH}_data`]);
        // What is there is used when the rest can be told by its length.
        assert.equal(contentBytes(hub),
          name === 'a chunk of a wrong length' ? 2_000_000 : 5_000_000);
      });
  }
});

describe('what is the user\'s own', () => {
  test('survives download, deletion and clearing', async () => {
    const old = await oldDatabase();
    const hub = createModelHub(FILES);
    const manager = await old.open({ fetch: hub.fetch });
    await manager.download(MODEL, { dtype: 'q4' });
    await assertUsersThings(old);
    const { quants, ...entry } = await old.get('manifest', MODEL);
    assert.equal(entry.task, 'text-generation');
    assert.equal(entry.manifestVersion, 1);
    assert.deepEqual([quants[GRAPH].status, quants[GRAPH].dtype,
      quants[GRAPH].hasExternalData], ['downloaded', 'q4', true]);
    assert.deepEqual([...quants[GRAPH].files].sort(), Object.keys(FILES).sort());
    assert.deepEqual(quants[GRAPH].fileSizes, QUANT.fileSizes);
    await manager.deleteModel(MODEL);
    await assertUsersThings(old);
    assert.equal((await old.get('manifest', MODEL)).quants[GRAPH].status,
      'available');
    assert.deepEqual(await old.keys(), ['huggingface_token']);
    await manager.download(MODEL, { dtype: 'q4' });
    await manager.clearStore();
    await assertUsersThings(old);
    assert.equal((await old.get('manifest', MODEL)).quants[GRAPH].status,
      'available');
    assert.deepEqual(await old.keys(), ['huggingface_token']);
    await manager.dispose();
  });

  test('survives when nothing was adopted', async () => {
    for (const verb of /** @type {const} */ (['deleteModel', 'clearStore'])) {
      const old = await oldDatabase();
      const manager = await old.open();
      await manager[verb](MODEL);
      assert.deepEqual(await manager.models(), []);
      await manager.dispose();
      await assertUsersThings(old);
      assert.deepEqual(await old.keys(), ['huggingface_token']);
    }
  });

  test('is not deleted with another dtype', async () => {
    const old = await oldDatabase();
    const before = await old.keys();
    let manager = await old.open();
    await manager.deleteModel(MODEL, { dtype: 'fp32' });
    assert.deepEqual(await old.keys(), before);
    await manager.dispose();
    // Neither when that one was downloaded by us.
    const hub = createModelHub({ ...FILES, 'onnx/model.onnx': 'a graph' });
    manager = await old.open({ fetch: hub.fetch });
    await manager.download(MODEL, { dtype: 'fp32' });
    await manager.deleteModel(MODEL, { dtype: 'fp32' });
    await manager.dispose();
    const keys = await old.keys();
    for (const key of before) {
      if (/onnx/.test(key)) assert.ok(keys.includes(key), key);
    }
    assert.ok(!keys.some((key) => key.includes('model.onnx')));
  });

  test('is adopted file by file when files are asked for', async () => {
    const old = await oldDatabase();
    const hub = createModelHub(FILES);
    const manager = await old.open({ fetch: hub.fetch });
    await assertServed(manager);
    assert.equal(contentBytes(hub), 0);
    await manager.dispose();
    const offline = await old.open();
    await assertServed(offline);
    const models = await offline.models();
    assert.deepEqual(models.map(({ modelId, bytes }) => [modelId, bytes]),
      [[MODEL, sizeOf(FILES)]]);
    await offline.dispose();
    await assertUsersThings(old);
  });
});

test('what cannot be vouched for says so', async () => {
  const old = await oldDatabase();
  const manager = await old.open();
  for (const path of [`${GRAPH}_data`, 'config.json']) {
    const response = await manager.fetch(urlOf(path));
    assert.equal(response.headers.get('etag'), null);
    assert.equal(response.headers.get('x-repo-commit'), null);
    await response.body?.cancel();
  }
  assert.ok(urlOf('').startsWith(HUB_URL));
  await manager.dispose();
});
