// SPDX-License-Identifier: Apache-2.0
// How long it takes until the manager is there, and what has to be loaded.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { createModelManager, PACKAGE_DIR } from '../module-under-test.js';
import { median } from './measure.js';

/** @typedef {import('./report.js').Section} Section */

const STARTS = 31;

const KIB = 1024;

/**
 * The module with a custom section that no other copy has, so that the engine
 * cannot take a compiled one out of its cache.
 * @param {Uint8Array} wasm
 * @param {number} number below 128
 */
function unique(wasm, number) {
  const CUSTOM_SECTION = 0;
  return Buffer.concat([wasm, Uint8Array.of(CUSTOM_SECTION, 2, 1, number)]);
}

/** @param {Uint8Array} wasm */
async function startTimes(wasm) {
  const times = [];
  for (let i = 0; i < STARTS; i += 1) {
    const copy = unique(wasm, i);
    const startMs = performance.now();
    const manager = await createModelManager({ wasm: copy });
    times.push(performance.now() - startMs);
    await manager.dispose();
  }
  return times;
}

/** @returns {Promise<Section>} */
export async function benchStartup() {
  const wasm = await readFile(join(PACKAGE_DIR, 'tabagent.wasm'));
  const shim = await readFile(join(PACKAGE_DIR, 'index.js'));
  const gzip = (/** @type {Uint8Array} */ bytes) =>
    gzipSync(bytes, { level: 9 }).length / KIB;
  return {
    title: 'Start and size',
    notes: ['createModelManager with bytes that were never compiled before'],
    rows: [
      {
        what: `start, median of ${STARTS}`, unit: 'ms',
        result: median(await startTimes(wasm)),
        target: { floor: 5, isMost: true },
      },
      {
        what: 'tabagent.wasm', unit: 'KiB', result: wasm.length / KIB,
        target: { floor: 240, isMost: true },
      },
      { what: 'tabagent.wasm, gzip', unit: 'KiB', result: gzip(wasm) },
      {
        what: 'index.js, gzip', unit: 'KiB', result: gzip(shim),
        target: { floor: 28, isMost: true },
      },
    ],
  };
}
