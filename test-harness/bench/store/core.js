// SPDX-License-Identifier: Apache-2.0
// What the core costs for a large model: all calls of the module are timed, but
// those that hash bytes.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { EVENT } from '../../../js-bindings/abi.js';
import { createModelManager, PACKAGE_DIR } from '../../module-under-test.js';
import { median } from '../measure.js';

const FILES = 200;
const MODEL_BYTES = 3e9;

const HUB_URL = 'https://hub.test';
const MODEL = 'bench/large';

const ROUNDS = 9;

/** A graph with its weights in parts, and what stands around. */
function tree() {
  const small = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
  const parts = Array.from({ length: FILES - small.length }, (_, i) => (
    `onnx/model_quantized.onnx${i === 0 ? '' : `_data${i === 1 ? '' : `_${i - 1}`}`}`));
  return [...small, ...parts].map((path, i) => ({
    type: 'file', path, oid: 'c'.repeat(40),
    size: Math.floor(MODEL_BYTES / FILES),
    lfs: {
      oid: String(i).padStart(64, '0'),
      size: Math.floor(MODEL_BYTES / FILES), pointerSize: 134,
    },
  }));
}

/** @param {unknown} value */
function reply(value) {
  return new Response(JSON.stringify(value),
    { headers: { 'content-type': 'application/json' } });
}

/**
 * Instantiates a module whose calls are timed.
 * @param {WebAssembly.Module} module
 * @param {{ milliseconds: number }} spent
 */
async function timedInstance(module, spent) {
  const { exports } = await WebAssembly.instantiate(module);
  const timed = (/** @type {Function} */ call) => (
    /** @type {any[]} */ ...args) => {
    const start = performance.now();
    const result = call(...args);
    // The second argument of feed is what happened.
    if (args[1] !== EVENT.STORE_DATA || args.length < 8) {
      spent.milliseconds += performance.now() - start;
    }
    return result;
  };
  return {
    exports: Object.fromEntries(Object.entries(exports).map(
      ([name, value]) => [name,
        typeof value === 'function' ? timed(value) : value])),
  };
}

/** @param {WebAssembly.Module} module */
async function planOnce(module) {
  const spent = { milliseconds: 0 };
  const { instantiate } = WebAssembly;
  const instance = await timedInstance(module, spent);
  const replaced = /** @type {any} */ (WebAssembly);
  replaced.instantiate = async () => instance;
  const rows = tree();
  try {
    const manager = await createModelManager({
      hubUrl: HUB_URL, wasm: module,
      dataDir: join(PACKAGE_DIR, '../bench-store'),
      fetch: async (url) => reply(String(url).includes('/tree/')
        ? rows : { sha: 'b'.repeat(40), pipeline_tag: 'text-generation' }),
    });
    const { files } = await manager.plan(MODEL);
    if (files.length !== FILES) throw new Error(`${files.length} are planned`);
    await manager.dispose();
  } finally {
    replaced.instantiate = instantiate;
  }
  return spent.milliseconds;
}

/** @returns {Promise<import('../report.js').Section>} */
export async function benchStoreCore() {
  const module = await WebAssembly.compile(
    await readFile(join(PACKAGE_DIR, 'tabagent.wasm')));
  const times = [];
  for (let i = 0; i < ROUNDS; i += 1) times.push(await planOnce(module));
  return {
    title: 'The core on a large model',
    notes: [`${MODEL_BYTES / 1e9} GB in ${FILES} files; from the Hub's list to `
      + 'the plan, everything but the waiting'],
    rows: [{
      what: 'planned', unit: 'ms', result: median(times),
      target: { floor: 5, isMost: true },
    }],
  };
}
