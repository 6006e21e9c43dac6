// SPDX-License-Identifier: Apache-2.0
// Files that the user has: those that the Hub vouches for end up in the store, and
// nothing else.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { uploadedContent } from '../hub/content.js';
import { assertNothing, emptyStore, FILES, GRAPH } from './backup-world.js';
import { emptyData, MemoryStore } from './memory-store.js';
import {
  assertStored, CHUNK, contentBytes, createModelHub, managerOf, MODEL, sizeOf,
} from './world.js';

describe('files that the user has', () => {
  /**
   * @param {string} path
   * @param {import('./world.js').Files[string]} file
   * @param {string} [folder] that was picked
   */
  function pickedFile(path, file, folder) {
    const content = uploadedContent(file);
    const picked = new File([/** @type {any} */ (
      content.read(0, content.size))], path.split('/').at(-1) ?? '');
    if (folder) {
      Object.defineProperty(picked, 'webkitRelativePath',
        { value: `${folder}/${path}` });
    }
    return picked;
  }

  test('are taken by their paths, unknown ones left out', async () => {
    const hub = createModelHub(FILES);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const files = Object.entries(FILES)
      .map(([path, file]) => pickedFile(path, file, 'my-models'));
    files.push(pickedFile('.DS_Store', 'junk', 'my-models'),
      pickedFile('onnx/other.onnx', 'junk', 'my-models'));
    const { bytes } = await manager.importModel(files, { modelId: MODEL });
    assert.equal(bytes, sizeOf(FILES));
    assert.equal(contentBytes(hub), 0);
    await manager.dispose();
    await assertStored(data, FILES);
    assert.ok(![...data.files.keys()].some((key) => /DS_Store|other/.test(key)));
  });

  test('are known by their names when their folder is not told', async () => {
    const files = { ...FILES, 'onnx/a/twin.json': '{}', 'onnx/b/twin.json': '[]' };
    const hub = createModelHub(files);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const { bytes } = await manager.importModel(
      [...Object.entries(FILES).map(([path, file]) => pickedFile(path, file)),
        pickedFile('twin.json', '{}')], { modelId: MODEL });
    assert.equal(bytes, sizeOf(FILES));
    assert.equal(contentBytes(hub), 0);
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('may lie beside files with names that no file of the Hub has', async () => {
    const known = { 'config.json': FILES['config.json'] };
    const hub = createModelHub(FILES);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const { bytes } = await manager.importModel(
      [...['Icon\r', '', '../config.json', 'a'.repeat(3000)].map((name) => (
        new File(['junk'], name))),
      pickedFile('config.json', FILES['config.json'])], { modelId: MODEL });
    assert.equal(bytes, sizeOf(known));
    await manager.dispose();
    await assertStored(data, known);
  });

  test('complete each other, and the download the rest', async () => {
    const hub = createModelHub(FILES);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    const { bytes } = await manager.importModel(
      [pickedFile(`${GRAPH}_data`, FILES[`${GRAPH}_data`], 'x')],
      { modelId: MODEL });
    assert.equal(bytes, CHUNK + 70_000);
    const { fetchedBytes } = await manager.download(MODEL);
    assert.equal(fetchedBytes, sizeOf(FILES) - CHUNK - 70_000);
    await manager.dispose();
    await assertStored(data, FILES);
  });

  test('are refused with another content', async () => {
    const hub = createModelHub(FILES);
    const data = emptyData();
    const manager = await managerOf(new MemoryStore(data), { fetch: hub.fetch });
    for (const [wrong, code, said] of /** @type {[string, string, RegExp][]} */ ([
      ['{"version":"1.1"}', 'hash_mismatch', /not those/],
      ['{"version":"2.0"}', 'hash_mismatch', /not those/],
      ['{"version":"1"}', 'unexpected_shape',
        /^a file was handed in that has another length: tokenizer\.json$/]])) {
      const error = await manager.importModel(
        [pickedFile('tokenizer.json', wrong)], { modelId: MODEL })
        .then(() => null, (reason) => reason);
      assert.equal(error?.code, code, error?.message);
      assert.match(error.message, said);
    }
    await assertNothing(manager, data);
    await manager.dispose();
  });

  test('need a model', async () => {
    const { manager } = await emptyStore();
    await assert.rejects(manager.importModel([pickedFile('a.json', '{}')]),
      { code: 'invalid_params', message: /modelId/ });
    await manager.dispose();
  });
});
