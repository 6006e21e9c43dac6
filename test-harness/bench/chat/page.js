// SPDX-License-Identifier: Apache-2.0
// One side of the comparison in a page; the benchmark calls these functions.

/** @type {import('./sides.js').Side} */
let side;

/** @param {string} path of a module of the server */
function load(path) {
  return import(path);
}

/**
 * Loads the code of a side, and no model.
 * @param {{ name: 'ours' | 'theirs', hubUrl: string, bundle: string }} order
 *   bundle: the file of onnxruntime-web
 */
export async function openSide({ name, hubUrl, bundle }) {
  const plain = await load(`/ort/${bundle}`);
  const { ourSide, theirSide, timedOrt } = await load('/bench/sides.js');
  const ort = timedOrt(plain);
  if (name === 'ours') {
    const { createModelManager } = await load('/dist/index.js');
    side = ourSide(await createModelManager({ hubUrl, ort }));
  } else {
    Object.assign(globalThis, { [Symbol.for('onnxruntime')]: ort });
    const library = await load('/peer.js');
    library.env.remoteHost = `${hubUrl}/`;
    library.env.allowLocalModels = false;
    // It has pointed the runtime to files elsewhere.
    plain.env.wasm.wasmPaths = undefined;
    plain.env.wasm.numThreads = 1;
    plain.env.logLevel = 'error';
    side = theirSide(library);
  }
}

/**
 * @param {string} modelId
 * @returns {Promise<number>} milliseconds until it could be asked
 */
export async function loadModel(modelId) {
  const start = performance.now();
  await side.load(modelId);
  return performance.now() - start;
}

/** @param {Parameters<import('./sides.js').Side['answer']>} args */
export function answer(args) {
  return side.answer(...args);
}

export function release() {
  return side.release();
}

export function collect() {
  /** @type {any} */ (globalThis).gc();
}
