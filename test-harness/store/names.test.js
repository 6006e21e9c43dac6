// SPDX-License-Identifier: Apache-2.0
// One repository under several names: another case, an older name. It is stored
// once, and found by each of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openStored } from '../../js-bindings/opened-file.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertBytes, contentBytes, createModelHub, FILES, HUB_URL, loopOf, managerOf,
  MODEL, readFile, sizeOf,
} from './world.js';

const OTHER_CASE = 'Acme/TINY';
const FORMER = 'elsewhere/old-name';
const GRAPH = 'onnx/model.onnx';

/** @param {string} modelId @param {string} path */
function urlOf(modelId, path) {
  return `${HUB_URL}/${modelId}/resolve/main/${path}`;
}

/** The Hub, which has had the model under another name. */
function createRenamingHub() {
  const hub = createModelHub();
  return {
    hub,
    /** @type {typeof fetch} */
    fetch: (url, init) => hub.fetch(
      String(url).replace(`/${FORMER}/`, `/${MODEL}/`), init),
  };
}

async function world() {
  const { hub, fetch } = createRenamingHub();
  const data = emptyData();
  return {
    hub, data, fetch,
    open: () => managerOf(new MemoryStore(data), { fetch }),
    offline: () => managerOf(new MemoryStore(data)),
  };
}

for (const [what, name] of [['another case', OTHER_CASE],
  ['a former name', FORMER]]) {
  test(`by ${what} it is stored as by its own`, async () => {
    const { hub, data, open } = await world();
    const manager = await open();
    const plan = await manager.plan(name);
    assert.equal(plan.modelId, MODEL);
    const first = await manager.download(name);
    assert.equal(first.modelId, MODEL);
    assert.deepEqual([...data.files.keys()].filter(
      (key) => key.includes(name)), []);
    const from = hub.requests.length;
    for (const again of [MODEL, name]) {
      const { modelId, fromCache } = await manager.download(again);
      assert.deepEqual([modelId, fromCache], [MODEL, true]);
    }
    const { ok } = await manager.verifyModel(MODEL);
    assert.equal(ok, true);
    assert.equal(contentBytes(hub, from), 0);
    assert.deepEqual((await manager.models()).map(({ modelId }) => modelId),
      [MODEL]);
    await manager.dispose();
  });

  test(`a file fetched by ${what} is stored once`, async () => {
    const { hub, data, open } = await world();
    const manager = await open();
    for (const modelId of [name, MODEL, name]) {
      assert.equal(await readFile(manager, GRAPH, FILES[GRAPH],
        urlOf(modelId, GRAPH)), 'right');
    }
    assert.equal(contentBytes(hub), sizeOf({ graph: FILES[GRAPH] }));
    assert.deepEqual([...data.files.keys()].filter(
      (key) => key.includes(name)), []);
    await manager.dispose();
  });
}

test('by another case it is found without a network', async () => {
  const { data, open, offline } = await world();
  const online = await open();
  await online.download(MODEL);
  await online.dispose();
  const manager = await offline();
  assert.equal(await readFile(manager, GRAPH, FILES[GRAPH],
    urlOf(OTHER_CASE, GRAPH)), 'right');
  assert.equal((await manager.download(OTHER_CASE)).fromCache, true);
  assert.equal((await manager.verifyModel(OTHER_CASE)).ok, true);
  await manager.pinModel(OTHER_CASE, true);
  const [{ modelId, pinned }] = await manager.models();
  assert.deepEqual([modelId, pinned], [MODEL, true]);
  await manager.dispose();
  const loop = await loopOf(new MemoryStore(data));
  const blob = await openStored(
    loop, 'open', { modelId: OTHER_CASE, path: GRAPH });
  assertBytes(await blob.arrayBuffer(), FILES[GRAPH]);
  loop.dispose();
  const last = await offline();
  await last.deleteModel(OTHER_CASE);
  assert.deepEqual(await last.models(), []);
  await last.dispose();
});

test('what was stored under a former name stays there', async () => {
  const { hub, data, open } = await world();
  // Before the repository got its present name.
  const before = await managerOf(new MemoryStore(data), {
    fetch: async (url, init) => {
      const response = await hub.fetch(
        String(url).replace(`/${FORMER}/`, `/${MODEL}/`), init);
      return String(url).includes('/revision/')
        ? Response.json({ ...await response.json(), id: FORMER }) : response;
    },
  });
  assert.equal((await before.download(FORMER)).modelId, FORMER);
  await before.dispose();
  const from = hub.requests.length;
  const manager = await open();
  const { modelId, fromCache } = await manager.download(FORMER);
  assert.deepEqual([modelId, fromCache], [FORMER, true]);
  assert.equal((await manager.checkForUpdate(FORMER)).changedBytes, 0);
  assert.equal(contentBytes(hub, from), 0);
  await manager.dispose();
});

test('a name that is none changes nothing', async () => {
  const hub = createModelHub();
  for (const id of ['../../etc', 7, '', null, MODEL, 'a/b/c']) {
    const manager = await managerOf(new MemoryStore(), {
      fetch: async (url, init) => {
        const response = await hub.fetch(url, init);
        return String(url).includes('/revision/')
          ? Response.json({ ...await response.json(), id }) : response;
      },
    });
    assert.equal((await manager.download(MODEL)).modelId, MODEL);
    await manager.dispose();
  }
});
