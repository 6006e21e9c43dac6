// SPDX-License-Identifier: Apache-2.0
// The store on disk: a download from a server in another process would share
// the processor as well, so this one is in the same.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createModelManager } from '../../module-under-test.js';
import { median } from '../measure.js';
import { startBenchHub } from './hub.js';

const FILE_BYTES = 256 << 20;
const ROUNDS = 5;
const QUICK_ROUNDS = 2;

const MODEL = 'bench/large';
const WEIGHTS = 'onnx/model_quantized.onnx';

/** @param {() => Promise<unknown>} work */
async function speedOf(work) {
  const start = performance.now();
  await work();
  return FILE_BYTES / 1e3 / (performance.now() - start);
}

/**
 * @param {string} hubUrl
 */
async function measure(hubUrl) {
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-bench-'));
  const manager = await createModelManager({ hubUrl, dataDir });
  try {
    const download = await speedOf(() => manager.download(MODEL));
    const read = await speedOf(async () => {
      const response = await manager.fetch(
        `${hubUrl}/${MODEL}/resolve/main/${WEIGHTS}`);
      await response.arrayBuffer();
    });
    return { download, read };
  } finally {
    await manager.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/**
 * @param {{ isQuick: boolean }} options
 * @returns {Promise<import('../report.js').Section>}
 */
export async function benchStoreNode({ isQuick }) {
  const hub = await startBenchHub(
    () => [{ path: WEIGHTS, bytes: FILE_BYTES }]);
  const results = [];
  for (let i = 0; i < (isQuick ? QUICK_ROUNDS : ROUNDS); i += 1) {
    results.push(await measure(hub.url));
  }
  await hub.close();
  return {
    title: 'The store on disk, in Node',
    notes: [`a file of ${FILE_BYTES >> 20} MiB; the server is in the same `
      + 'process'],
    rows: [{
      what: 'downloaded and verified', unit: 'MB/s',
      result: median(results.map(({ download }) => download)),
    }, {
      what: 'read as one buffer', unit: 'MB/s',
      result: median(results.map(({ read }) => read)),
    }],
  };
}
