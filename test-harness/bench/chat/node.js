// SPDX-License-Identifier: Apache-2.0
// The chat in Node against transformers.js, both on onnxruntime-web.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import * as ort from 'onnxruntime-web';

import { createHub } from '../../hub/index.js';
import { createModelManager, wasm } from '../../module-under-test.js';
import { measureGeneration } from './measure.js';
import { modelId, repositoryOf } from './models.js';
import { ourSide, theirSide, timedOrt } from './sides.js';

const ROUNDS = 7;
const QUICK_ROUNDS = 3;

/** Not known to the compiler: its declarations have errors. */
const PEER = String('@huggingface/transformers');

/** @param {string} folder that the peer takes models from */
async function loadPeer(folder) {
  Object.assign(globalThis, { [Symbol.for('onnxruntime')]: timedOrt(ort) });
  const library = await import(PEER);
  // It has pointed the runtime to files elsewhere.
  ort.env.wasm.wasmPaths = undefined;
  ort.env.wasm.numThreads = 1;
  Object.assign(library.env,
    { allowRemoteModels: false, localModelPath: folder });
  return library;
}

/**
 * @param {string} folder
 * @param {ReturnType<typeof repositoryOf>} repository
 */
async function write(folder, { id, files }) {
  for (const [path, data] of files) {
    const file = join(folder, id, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, data);
  }
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<import('../report.js').Section>}
 */
export async function benchChat({ isQuick }) {
  const folder = await mkdtemp(join(tmpdir(), 'tabagent-bench-'));
  const repositories = /** @type {const} */ (['small', 'middle', 'large'])
    .map(repositoryOf);
  for (const repository of repositories) await write(folder, repository);
  const hub = createHub(
    { catalogue: [], rateLimits: false, latency: false, repositories });
  const manager = await createModelManager({
    wasm, fetch: hub.fetch, ort: timedOrt(ort), dataDir: join(folder, 'store'),
  });
  const sides = {
    ours: ourSide(manager), theirs: theirSide(await loadPeer(folder)),
  };
  try {
    return {
      title: 'Answers in Node',
      notes: [
        'both on onnxruntime-web, one thread; random weights',
        'two penalties, temperature, top-k 50; streamed',
      ],
      rows: await measureGeneration({
        load: (side, model) => sides[side].load(modelId(model)),
        answer: (side, ...args) => sides[side].answer(...args),
        release: (side) => sides[side].release(),
      }, isQuick ? QUICK_ROUNDS : ROUNDS),
    };
  } finally {
    await manager.dispose();
    await rm(folder, { recursive: true });
  }
}
