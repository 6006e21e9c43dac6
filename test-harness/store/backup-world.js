// SPDX-License-Identifier: Apache-2.0
// The model that tests of archives and of files of the user bring into a store.

import assert from 'node:assert/strict';

import { emptyData, MemoryStore } from './memory-store.js';
import { CHUNK, managerOf, urlOf } from './world.js';

export const GRAPH = 'onnx/model_q4.onnx';

/** @type {import('./world.js').Files} */
export const FILES = {
  'config.json': '{"model_type":"llama","architectures":["LlamaForCausalLM"]}',
  'tokenizer.json': '{"version":"1.0"}',
  'tokenizer_config.json': '{"version":"2.0"}',
  'vocab.txt': '',
  [GRAPH]: { size: 300_000, seed: 'graph' },
  [`${GRAPH}_data`]: { size: CHUNK + 70_000, seed: 'data' },
};

/** A store that is empty and cannot reach anybody. */
export async function emptyStore(data = emptyData()) {
  return { data, manager: await managerOf(new MemoryStore(data)) };
}

/** Nothing of a model is visible, and nothing is left of it but records. */
export async function assertNothing(
  /** @type {import('./world.js').Manager} */ manager,
  /** @type {import('./memory-store.js').Data} */ data) {
  for (const path of Object.keys(FILES)) {
    assert.equal(await manager.cache.match(urlOf(path)), undefined, path);
  }
  assert.deepEqual(
    [...data.files.keys()].filter((key) => key.includes(':manifest')), []);
}
