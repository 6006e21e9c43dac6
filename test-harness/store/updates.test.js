// SPDX-License-Identifier: Apache-2.0
// Commits side by side: what an update costs, when it is switched to, the way
// back, and what is swept away behind it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { copyOf, emptyData, MemoryStore } from './memory-store.js';
import {
  assertStored, contentBytes, createModelHub, managerOf, MODEL, readFile,
  sizeOf, urlOf,
} from './world.js';

/**
 * @typedef {import('./world.js').Files} Files
 * @typedef {import('./memory-store.js').Data} Data
 */

const GRAPH = 'onnx/model_q4.onnx';
const BIG = `${GRAPH}_data`;

/** @type {Files} */
const FIRST = {
  'config.json': '{"model_type":"llama","architectures":["LlamaForCausalLM"]}',
  'tokenizer.json': '{"version":"1.0"}',
  [GRAPH]: { size: 50_000, seed: 'graph 1' },
  [BIG]: { size: 900_000, seed: 'data' },
};

/** The large file stays. @type {Files} */
const CHANGE = {
  'config.json': '{"model_type":"llama","vocab_size":7}',
  [GRAPH]: { size: 60_000, seed: 'graph 2' },
};
const SECOND = { ...FIRST, ...CHANGE };

/** @type {Files} */
const CHANGE_3 = { [GRAPH]: { size: 70_000, seed: 'graph 3' } };
const THIRD = { ...SECOND, ...CHANGE_3 };

async function downloaded() {
  const hub = createModelHub(FIRST);
  const data = emptyData();
  const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  const { commit } = await manager.download(MODEL, { dtype: 'q4' });
  return { hub, data, manager, first: commit };
}

/** @param {Data} data */
function storedBytes(data) {
  return [...data.files].reduce((sum, [key, entry]) => (
    /_chunk_\d+$/.test(key) ? sum + /** @type {Blob} */ (entry).size : sum), 0);
}

/** @param {Data} data */
function quantOf(data) {
  const entry = /** @type {any} */ (data.manifest.get(MODEL));
  return entry.quants[GRAPH];
}

/**
 * @param {import('./world.js').Manager} manager
 * @param {Files} files
 */
async function assertServed(manager, files, revision = 'main') {
  for (const [path, file] of Object.entries(files)) {
    assert.equal(await readFile(manager, path, file, urlOf(path, revision)),
      'right', `${path} of ${revision}`);
  }
}

describe('asking for an update', () => {
  test('says how much has changed', async () => {
    const { hub, manager, first } = await downloaded();
    assert.deepEqual(await manager.checkForUpdate(MODEL),
      { current: first, latest: first, changedBytes: 0 });
    const second = hub.commit(MODEL, { files: CHANGE });
    const from = hub.requests.length;
    assert.deepEqual(await manager.checkForUpdate(MODEL),
      { current: first, latest: second, changedBytes: sizeOf(CHANGE) });
    assert.equal(contentBytes(hub, from), 0);
    await manager.dispose();
  });

  test('does not count files that nobody wanted', async () => {
    const { hub, manager } = await downloaded();
    hub.commit(MODEL, { files: { 'README.md': '# new',
      'onnx/model.onnx': { size: 3_000_000, seed: 9 } } });
    const { changedBytes, latest, current } = await manager.checkForUpdate(MODEL);
    assert.equal(changedBytes, 0);
    assert.notEqual(latest, current);
    await manager.dispose();
  });

  test('counts files that the model needs now', async () => {
    const { hub, manager } = await downloaded();
    hub.commit(MODEL, { files: { [`${BIG}_1`]: { size: 70_000, seed: 9 } } });
    const { changedBytes } = await manager.checkForUpdate(MODEL);
    assert.equal(changedBytes, 70_000);
    await manager.dispose();
  });

  test('needs a model, and the Hub', async () => {
    const { data, manager } = await downloaded();
    const offline = await managerOf(new MemoryStore(data));
    await assert.rejects(offline.checkForUpdate(MODEL), { code: 'network' });
    await assert.rejects(offline.updateModel(MODEL), { code: 'network' });
    await offline.dispose();
    await manager.deleteModel(MODEL);
    await assert.rejects(manager.checkForUpdate(MODEL), { code: 'not_stored' });
    await assert.rejects(manager.updateModel(MODEL), { code: 'not_stored' });
    await manager.dispose();
  });
});

describe('an update', () => {
  test('lies beside the old one, and shares what did not change', async () => {
    const { hub, data, manager, first } = await downloaded();
    const second = hub.commit(MODEL, { files: CHANGE });
    const from = hub.requests.length;
    const { commit, fetchedBytes } = await manager.updateModel(MODEL);
    assert.equal(commit, second);
    assert.equal(fetchedBytes, sizeOf(CHANGE));
    assert.equal(contentBytes(hub, from), sizeOf(CHANGE));
    assert.equal(storedBytes(data), sizeOf(FIRST) + sizeOf(CHANGE));
    await manager.dispose();
    const offline = await managerOf(new MemoryStore(data));
    await assertServed(offline, SECOND);
    await assertServed(offline, SECOND, second);
    await assertServed(offline, FIRST, first);
    // What both have is there once, and counts for the one that is in use.
    const rows = await offline.models();
    assert.deepEqual(rows.map((row) => [row.commit, row.current, row.bytes])
      .sort(), [[first, false, storedBytes(data) - sizeOf(SECOND)],
      [second, true, sizeOf(SECOND)]].sort());
    // Each dtype needs all of its files.
    assert.deepEqual(rows.map(({ commit, dtypes: [{ bytes }] }) => (
      [commit, bytes])).sort(),
    [[first, sizeOf(FIRST)], [second, sizeOf(SECOND)]].sort());
    await offline.dispose();
    assert.equal(quantOf(data).status, 'downloaded');
    assert.deepEqual([...quantOf(data).files].sort(), Object.keys(SECOND).sort());
  });

  test('of what is the latest already costs nothing', async () => {
    const { hub, manager, first } = await downloaded();
    const from = hub.requests.length;
    const { commit, fromCache } = await manager.updateModel(MODEL);
    assert.deepEqual([commit, fromCache], [first, true]);
    assert.equal(contentBytes(hub, from), 0);
    assert.equal((await manager.models()).length, 1);
    await manager.dispose();
  });

  test('is not served before it is whole', async () => {
    const { hub, data, manager } = await downloaded();
    await manager.dispose();
    hub.commit(MODEL, { files: CHANGE });
    /** @type {Data[]} */
    const moments = [];
    const updating = await managerOf(new MemoryStore(data, {
      after: (name) => { if (name === 'write') moments.push(copyOf(data)); },
    }), { fetch: hub.fetch });
    await updating.updateModel(MODEL);
    await updating.dispose();
    assert.ok(moments.length > 3);
    let isNew = false;
    for (const moment of moments) {
      const offline = await managerOf(new MemoryStore(moment));
      const config = await offline.fetch(urlOf('config.json'));
      const wasNew = isNew;
      isNew = await config.text() === SECOND['config.json'];
      assert.ok(isNew || !wasNew, 'it went back');
      await assertServed(offline, isNew ? SECOND : FIRST);
      await offline.dispose();
    }
    assert.ok(isNew);
  });

  test('has the files that were fetched one by one, too', async () => {
    const hub = createModelHub(FIRST);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await assertServed(manager, FIRST);
    hub.commit(MODEL, { files: CHANGE });
    assert.equal((await manager.checkForUpdate(MODEL)).changedBytes,
      sizeOf(CHANGE));
    const { fetchedBytes } = await manager.updateModel(MODEL);
    assert.equal(fetchedBytes, sizeOf(CHANGE));
    await manager.dispose();
    await assertStored(data, SECOND);
  });

  test('that breaks off leaves the old one, and goes on', async () => {
    const { hub, data, manager } = await downloaded();
    hub.commit(MODEL, { files: CHANGE });
    hub.faults.add({ match: /model_q4\.onnx$/, status: 404 });
    await assert.rejects(manager.updateModel(MODEL), { code: 'not_found' });
    await assertStored(data, FIRST);
    hub.faults.clear();
    await manager.updateModel(MODEL);
    await manager.dispose();
    await assertStored(data, SECOND);
  });

  test('the third sweeps the first, and only what is its own', async () => {
    const { hub, data, manager, first } = await downloaded();
    const second = hub.commit(MODEL, { files: CHANGE });
    await manager.updateModel(MODEL);
    const third = hub.commit(MODEL, { files: CHANGE_3 });
    const { fetchedBytes } = await manager.updateModel(MODEL);
    assert.equal(fetchedBytes, sizeOf(CHANGE_3));
    assert.equal(storedBytes(data), sizeOf(SECOND) + sizeOf(CHANGE_3));
    assert.deepEqual((await manager.models()).map(({ commit }) => commit).sort(),
      [second, third].sort());
    await manager.dispose();
    const offline = await managerOf(new MemoryStore(data));
    await assertServed(offline, THIRD);
    await assertServed(offline, SECOND, second);
    await assert.rejects(offline.fetch(urlOf(GRAPH, first)));
    assert.deepEqual(await offline.verifyModel(MODEL),
      { ok: true, damaged: [], repaired: 0 });
    await offline.dispose();
  });
});

describe('the way back', () => {
  test('and forth again, without the network', async () => {
    const { hub, data, manager, first } = await downloaded();
    await assert.rejects(manager.rollbackModel(MODEL), {
      code: 'not_stored', message: /^there is no earlier revision/,
      userAction: 'Name the wanted commit as the revision of a download.',
    });
    await assert.rejects(manager.rollbackModel('org/another'), {
      code: 'not_stored', userAction: 'Download the model first.',
    });
    const second = hub.commit(MODEL, { files: CHANGE });
    await manager.updateModel(MODEL);
    await manager.dispose();
    const offline = await managerOf(new MemoryStore(data));
    assert.deepEqual(await offline.rollbackModel(MODEL), { commit: first });
    await assertServed(offline, FIRST);
    assert.deepEqual(await offline.rollbackModel(MODEL), { commit: second });
    await assertServed(offline, SECOND);
    await offline.dispose();
  });

  test('is not undone by asking for what is stored', async () => {
    const { hub, data, manager, first } = await downloaded();
    const second = hub.commit(MODEL, { files: CHANGE });
    await manager.updateModel(MODEL);
    await manager.rollbackModel(MODEL);
    assert.deepEqual(await manager.checkForUpdate(MODEL),
      { current: first, latest: second, changedBytes: sizeOf(CHANGE) });
    await assertServed(manager, FIRST);
    const { fetchedBytes } = await manager.updateModel(MODEL);
    assert.equal(fetchedBytes, 0);
    await manager.dispose();
    await assertStored(data, SECOND);
  });
});

describe('deleting', () => {
  const Q8 = 'onnx/model_quantized.onnx';
  /** @type {Files} */
  const files = { ...FIRST, [Q8]: { size: 80_000, seed: 'q8' } };

  async function both() {
    const hub = createModelHub(files);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await manager.download(MODEL, { dtype: 'q4' });
    await manager.download(MODEL, { dtype: 'q8' });
    return { hub, data, manager };
  }

  test('a dtype leaves what others need', async () => {
    const { data, manager } = await both();
    await manager.deleteModel(MODEL, { dtype: 'q4' });
    const { [GRAPH]: graph, [BIG]: big, ...rest } = files;
    assert.ok(graph && big);
    assert.equal(storedBytes(data), sizeOf(rest));
    assert.ok(![...data.files.keys()].some((key) => key.includes('q4')));
    const [model] = await manager.models();
    assert.deepEqual(model.dtypes, [{ dtype: 'q8', status: 'downloaded',
      bytes: sizeOf(rest), complete: true }]);
    assert.equal(quantOf(data).status, 'available');
    assert.equal(/** @type {any} */ (data.manifest.get(MODEL))
      .quants[Q8].status, 'downloaded');
    await manager.dispose();
    await assertStored(data, rest);
  });

  test('the last dtype leaves nothing', async () => {
    const { data, manager } = await both();
    await manager.deleteModel(MODEL, { dtype: 'q4' });
    await manager.deleteModel(MODEL, { dtype: 'quantized' });
    assert.equal(storedBytes(data), 0);
    assert.deepEqual(await manager.models(), []);
    await manager.dispose();
  });

  test('a dtype leaves what was fetched file by file', async () => {
    const hub = createModelHub(files);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    await manager.download(MODEL, { dtype: 'q4' });
    assert.equal(await readFile(manager, Q8, files[Q8]), 'right');
    await manager.deleteModel(MODEL, { dtype: 'q4' });
    await manager.dispose();
    const { [GRAPH]: graph, [BIG]: big, ...rest } = files;
    assert.ok(graph && big);
    await assertStored(data, rest);
  });

  test('an unknown dtype is refused', async () => {
    const { manager, data } = await both();
    await assert.rejects(manager.deleteModel(MODEL, { dtype: 'int4' }),
      { code: 'invalid_params' });
    await manager.dispose();
    await assertStored(data, files);
  });

  test('the model deletes all its revisions, and nobody else\'s', async () => {
    const { hub, data, manager } = await downloaded();
    const others = ['acme/tiny2', 'acme/tin', 'acme'].flatMap((repo) => [
      `${repo}/config.json_chunk_0`, `${repo}/x:manifest`,
      `tabagent:file/${repo}/config.json`, `tabagent:used/${repo}`]);
    for (const key of others) data.files.set(key, new Blob(['other']));
    hub.commit(MODEL, { files: CHANGE });
    await manager.updateModel(MODEL);
    await manager.pinModel(MODEL, true);
    await manager.deleteModel(MODEL);
    assert.deepEqual([...data.files.keys()].sort(), others.sort());
    await manager.dispose();
  });
});

describe('revisions by name', () => {
  test('branch, pull request and commit lie side by side', async () => {
    const { hub, data, manager, first } = await downloaded();
    const second = hub.commit(MODEL, { files: CHANGE });
    const direct = await manager.download(
      MODEL, { dtype: 'q4', revision: second });
    assert.equal(direct.commit, second);
    assert.equal(direct.fetchedBytes, sizeOf(CHANGE));
    // What `main` stands for is not changed by that.
    await assertServed(manager, FIRST);
    await assertServed(manager, SECOND, second);
    await assertServed(manager, FIRST, first);
    const moved = await manager.download(MODEL, { dtype: 'q4' });
    assert.deepEqual([moved.commit, moved.fetchedBytes], [second, 0]);
    await manager.dispose();
    await assertStored(data, SECOND);
  });
});

test('what dtypes share is counted for each, and once for the model', async () => {
  const shared = { 'config.json': FIRST['config.json'] };
  const q4 = { [GRAPH]: FIRST[GRAPH] };
  const fp32 = { 'onnx/model.onnx': { size: 70_000, seed: 'fp32' } };
  const hub = createModelHub({ ...shared, ...q4, ...fp32 });
  const data = emptyData();
  const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
  await manager.download(MODEL, { dtype: 'q4' });
  await manager.download(MODEL, { dtype: 'fp32' });
  const [{ dtypes, bytes }] = await manager.models();
  assert.deepEqual(Object.fromEntries(dtypes.map((row) => [row.dtype, row.bytes])),
    { q4: sizeOf({ ...shared, ...q4 }), fp32: sizeOf({ ...shared, ...fp32 }) });
  assert.equal(bytes, storedBytes(data));
  await manager.dispose();
});
