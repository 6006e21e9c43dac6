// SPDX-License-Identifier: Apache-2.0
// A process that downloads a model into a directory. Its argument is JSON; it
// says on lines of their own what happens.

import { writeSync } from 'node:fs';

import { createModelManager, wasm } from '../module-under-test.js';

const { dataDir, hubUrl, modelId, isQuiet } = JSON.parse(process.argv[2]);

/** @param {object} line which is out when this returns */
function say(line) {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Bytes of this process that are in memory; as Linux counts, at the most. */
const peakBytes = () => process.resourceUsage().maxRSS * 1024;

const manager = await createModelManager({ wasm, dataDir, hubUrl });
// What it takes to be there at all, the store and the first requests too.
await manager.plan(modelId);
say({ idleBytes: peakBytes() });
try {
  const { resumedBytes, fetchedBytes } = await manager.download(modelId, {
    onProgress: ({ loaded }) => {
      // Garbage is not what is measured, and its collector takes its time.
      globalThis.gc?.();
      if (!isQuiet) say({ loaded });
    },
  });
  say({ resumedBytes, fetchedBytes, peakBytes: peakBytes() });
} catch (error) {
  say({ code: /** @type {any} */ (error).code });
}
await manager.dispose();
