// SPDX-License-Identifier: Apache-2.0
// Everything that is stored is damaged in every way: what is served is right
// all the same, or there is an error; and a damaged chunk is the only one that
// is fetched again.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { changed, copyOf, emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, assertStored, CHUNK, contentBytes, createModelHub, managerOf,
  MODEL, readFile, SMALL_FILES, urlOf,
} from './world.js';

/**
 * @typedef {import('./memory-store.js').Data} Data
 * @typedef {import('./world.js').Files} Files
 */

const GRAPH = 'onnx/model.onnx';

/** The graph has a full chunk and a short one. */
const FILES = { ...SMALL_FILES, [GRAPH]: { size: CHUNK + 3000, seed: 'a' } };
const OTHER = { ...SMALL_FILES, [GRAPH]: { size: CHUNK + 3000, seed: 'b' } };

/** Without chunks that are long to read. */
const TINY = { ...SMALL_FILES, [GRAPH]: 'a graph', 'merges.txt': 'merged' };

/** @param {Files} files */
async function storedModel(files) {
  const hub = createModelHub(files);
  const data = emptyData();
  const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  await manager.download(MODEL);
  await manager.pinModel(MODEL, true);
  await manager.dispose();
  return { hub, data };
}

const tiny = await storedModel(TINY);
const large = await storedModel(FILES);

/**
 * Flips one bit.
 * @param {number} place share of the length
 */
const flipAt = (place) => (/** @type {Uint8Array} */ bytes) => {
  const flipped = bytes.slice();
  if (flipped.length > 0) {
    flipped[Math.min(bytes.length - 1, Math.floor(bytes.length * place))] ^= 4;
  }
  return flipped;
};

/** @type {Record<string, (bytes: Uint8Array) => Uint8Array>} */
const DAMAGES = {
  'a bit at the beginning': flipAt(0),
  'a bit near the beginning': flipAt(0.1),
  'a bit in the middle': flipAt(0.5),
  'a bit near the end': flipAt(0.9),
  'a bit at the end': flipAt(1),
  'nothing left': () => new Uint8Array(0),
  'half of it': (bytes) => bytes.slice(0, bytes.length / 2),
  'a byte less': (bytes) => bytes.slice(0, -1),
  'a byte more': (bytes) => Uint8Array.from([...bytes, 1]),
  'zeros': (bytes) => new Uint8Array(bytes.length),
};

/** @param {string} key */
const kindOf = (key) => /^tabagent:\w+|_chunk_|:manifest$/.exec(key)?.[0] ?? key;

/**
 * Serves right bytes: without a network right ones or none, with it right
 * ones; a download completes.
 * @param {Data} data
 * @param {import('../hub/hub.js').Hub} hub
 * @param {Files} files
 */
async function assertHeals(data, hub, files) {
  const alone = await managerOf(new MemoryStore(copyOf(data)));
  for (const [path, file] of Object.entries(files)) {
    await readFile(alone, path, file);
  }
  await alone.models();
  await alone.storage();
  await alone.dispose();

  const served = copyOf(data);
  const manager = await managerOf(
    new MemoryStore(served), { fetch: hub.fetch });
  for (const [path, file] of Object.entries(files)) {
    assert.equal(await readFile(manager, path, file), 'right', path);
  }
  await manager.dispose();
  await assertStored(served, files);

  const verified = copyOf(data);
  const third = await managerOf(
    new MemoryStore(verified), { fetch: hub.fetch });
  await third.verifyModel(MODEL).catch((error) => (
    assert.equal(error.code, 'not_stored')));
  await third.download(MODEL);
  await third.dispose();
  await assertStored(verified, files);
}

describe('every entry of the store', () => {
  const keys = [...tiny.data.files.keys()];

  test('is of a kind that is damaged here', () => {
    assert.deepEqual([...new Set(keys.map(kindOf))].sort(),
      [':manifest', '_chunk_', 'tabagent:file', 'tabagent:pin',
        'tabagent:revision', 'tabagent:used']);
  });

  for (const [name, damage] of Object.entries(DAMAGES)) {
    test(`with ${name}`, async () => {
      for (const key of keys) {
        const data = copyOf(tiny.data);
        data.files.set(key, await changed(data.files.get(key), damage));
        await assertHeals(data, tiny.hub, TINY);
      }
    });
  }

  test('deleted', async () => {
    for (const key of keys) {
      const data = copyOf(tiny.data);
      data.files.delete(key);
      await assertHeals(data, tiny.hub, TINY);
    }
  });

  test('in the place of another one', async () => {
    for (const key of keys) {
      for (const other of keys.filter((at) => kindOf(at) === kindOf(key))) {
        const data = copyOf(tiny.data);
        data.files.set(key, /** @type {any} */ (tiny.data.files.get(other)));
        await assertHeals(data, tiny.hub, TINY);
      }
    }
  });

  test('as a content where a record is, and the other way round', async () => {
    for (const key of keys) {
      const data = copyOf(tiny.data);
      data.files.set(key, data.files.get(key) instanceof Blob
        ? new Uint8Array(5) : new Blob(['content']));
      await assertHeals(data, tiny.hub, TINY);
    }
  });

  test('and all of one kind deleted', async () => {
    for (const kind of new Set(keys.map(kindOf))) {
      const data = copyOf(tiny.data);
      for (const key of keys) {
        if (kindOf(key) === kind) data.files.delete(key);
      }
      await assertHeals(data, tiny.hub, TINY);
    }
  });
});

test('every bit of every record', async () => {
  const records = [...tiny.data.files].filter(
    ([key, entry]) => /:(file|revision)/.test(key) && entry instanceof Uint8Array);
  assert.ok(records.length > 4);
  for (const [key, entry] of records) {
    const bytes = /** @type {Uint8Array} */ (entry);
    for (let bit = 0; bit < bytes.length * 8; bit += 61) {
      const data = copyOf(tiny.data);
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      data.files.set(key, flipped);
      const manager = await managerOf(new MemoryStore(data));
      for (const [path, file] of Object.entries(TINY)) {
        await readFile(manager, path, file);
      }
      await manager.dispose();
    }
  }
});

describe('a model whose entries are those of another one', () => {
  test('of the same shape', async () => {
    const other = await storedModel(OTHER);
    for (const kind of ['_chunk_', 'tabagent:file']) {
      const data = copyOf(large.data);
      for (const [key, entry] of other.data.files) {
        if (kindOf(key) === kind) data.files.set(key, entry);
      }
      await assertHeals(data, large.hub, FILES);
    }
  });

  test('everything', async () => {
    const other = await storedModel(OTHER);
    const manager = await managerOf(
      new MemoryStore(copyOf(other.data)), { fetch: large.hub.fetch });
    // A commit never changes, so what it is vouched to be is served.
    assert.equal(await readFile(
      manager, GRAPH, OTHER[GRAPH]), 'right');
    await manager.dispose();
  });
});

describe('a damaged chunk', () => {
  /** @param {number} chunk */
  const keyOf = (chunk) => `${MODEL}/${GRAPH}_chunk_${chunk}`;

  /**
   * @param {(data: Data) => void | Promise<void>} damage
   */
  async function damaged(damage) {
    const data = copyOf(large.data);
    await damage(data);
    const from = large.hub.requests.length;
    const manager = await managerOf(
      new MemoryStore(data), { fetch: large.hub.fetch });
    return { data, manager, fetched: () => contentBytes(large.hub, from) };
  }

  for (const [chunk, place, length] of [
    [0, 0, CHUNK], [0, 0.5, CHUNK], [0, 1, CHUNK], [1, 0.5, 3000],
  ]) {
    test(`${chunk}, at ${place}, is found and repaired alone`, async () => {
      const damage = async (/** @type {Data} */ data) => {
        data.files.set(keyOf(chunk),
          await changed(data.files.get(keyOf(chunk)), flipAt(place)));
      };
      const { data, manager, fetched } = await damaged(damage);
      const looked = await manager.verifyModel(MODEL, { repair: false });
      assert.deepEqual(looked, {
        ok: false, damaged: [{ file: GRAPH, chunk }], repaired: 0,
      });
      assert.equal(fetched(), 0);
      const { ok, damaged: rows, repaired } = await manager.verifyModel(MODEL);
      assert.deepEqual([ok, rows, repaired],
        [true, [{ file: GRAPH, chunk }], 1]);
      assert.equal(fetched(), length);
      assert.deepEqual(await manager.verifyModel(MODEL),
        { ok: true, damaged: [], repaired: 0 });
      await manager.dispose();
      await assertStored(data, FILES);
    });
  }

  test('and all others of the model', async () => {
    const { data, manager } = await damaged((files) => {
      for (const key of [...files.files.keys()]) {
        if (kindOf(key) === '_chunk_') files.files.delete(key);
      }
    });
    const { ok, damaged: rows } = await manager.verifyModel(MODEL);
    assert.equal(ok, true);
    assert.deepEqual(rows.map(({ file, chunk }) => `${file} ${chunk}`).sort(),
      ['config.json 0', `${GRAPH} 0`, `${GRAPH} 1`, 'tokenizer.json 0']);
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('and its journal', async () => {
    for (const path of [GRAPH, 'config.json']) {
      const { data, manager } = await damaged(({ files }) => {
        files.delete(`tabagent:file/${MODEL}/${path}`);
      });
      const { ok, damaged: rows } = await manager.verifyModel(MODEL);
      assert.equal(ok, true);
      assert.deepEqual(rows, [{ file: path, chunk: 0 },
        ...(path === GRAPH ? [{ file: path, chunk: 1 }] : [])]);
      await manager.dispose();
      await assertStored(data, FILES);
    }
  });

  test('whose file is wrong on the Hub now is not visible', async () => {
    const data = copyOf(tiny.data);
    data.files.delete(`${MODEL}/${GRAPH}_chunk_0`);
    const { fetch } = createModelHub({ ...TINY, [GRAPH]: 'a grapH' });
    const manager = await managerOf(new MemoryStore(data), { fetch });
    await assert.rejects(manager.verifyModel(MODEL),
      { code: 'hash_mismatch' });
    await manager.dispose();
    assert.deepEqual([...data.files.keys()].filter(
      (key) => key.includes(GRAPH)), []);
  });

  test('is fetched again while it is served', async () => {
    const { data, manager, fetched } = await damaged(async (files) => {
      files.files.set(keyOf(0),
        await changed(files.files.get(keyOf(0)), flipAt(0.7)));
    });
    assert.equal(await readFile(manager, GRAPH, FILES[GRAPH]), 'right');
    assert.equal(fetched(), CHUNK);
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('that is damaged after a part of it was served', async () => {
    const { data, manager } = await damaged(() => {});
    const response = await manager.fetch(urlOf(GRAPH));
    const reader = response.body?.getReader();
    const pieces = [];
    for (let i = 0; ; i += 1) {
      const { done, value } = await reader?.read() ?? { done: true };
      if (done || !value) break;
      pieces.push(value);
      if (i === 0) data.files.delete(keyOf(0));
      if (i === 1) data.files.set(keyOf(1), new Blob(['x'.repeat(3000)]));
    }
    assertBytes(Buffer.concat(pieces), FILES[GRAPH]);
    await manager.dispose();
    await assertHeals(data, large.hub, FILES);
  });

  test('without a network is an error, and no wrong byte', async () => {
    const data = copyOf(large.data);
    data.files.set(keyOf(1), new Blob(['x'.repeat(3000)]));
    const manager = await managerOf(new MemoryStore(data));
    assert.equal(await readFile(manager, GRAPH, FILES[GRAPH]), 'network');
    const response = await manager.fetch(urlOf(GRAPH),
      { headers: { range: 'bytes=0-99' } });
    assert.equal((await response.arrayBuffer()).byteLength, 100);
    await assert.rejects(manager.verifyModel(MODEL), { code: 'network' });
    await manager.dispose();
  });

  test('that a store damages again each time is an error', async () => {
    const damage = () => { data.files.set(keyOf(1), new Blob(['no'])); };
    const data = copyOf(large.data);
    const manager = await managerOf(
      new MemoryStore(data, { after: damage }), { fetch: large.hub.fetch });
    const end = await readFile(manager, GRAPH, FILES[GRAPH]);
    assert.ok(['store_damaged', 'hash_mismatch'].includes(end), end);
    await manager.dispose();
  });
});

test('a content that cannot be read is fetched again', async () => {
  const data = copyOf(tiny.data);
  const key = `${MODEL}/${GRAPH}_chunk_0`;
  let isBroken = true;
  const store = new MemoryStore(data, {
    before(name, batch) {
      if (batch?.some((change) => change.key === key)) isBroken = false;
      if (name === 'blob' && isBroken) {
        throw new DOMException('the file is gone', 'NotReadableError');
      }
    },
  });
  const manager = await managerOf(store, { fetch: tiny.hub.fetch });
  assert.equal(await readFile(manager, GRAPH, TINY[GRAPH]), 'right');
  await manager.dispose();
});
