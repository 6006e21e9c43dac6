// SPDX-License-Identifier: Apache-2.0
// What a listing takes at the most, and that nothing of it stays.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The documented limits. */
const WASM_BYTES_MAX = 3 * 1024 * 1024;
const RETAINED_BYTES_MAX = 512 * 1024;
const START_MS_MAX = 5;

/** A message or a request that stayed would take more. */
const HEAP_BYTES_PER_RUN_MAX = 500;

const probe = fileURLToPath(new URL('./memory-probe.js', import.meta.url));
const { stdout } = await promisify(execFile)(
  process.execPath, ['--expose-gc', probe]);
const measured = JSON.parse(stdout);

describe('a listing of 5,000 rows', () => {
  for (const { pageSize, models, wasmBytes, retainedBytes } of measured.listings) {
    test(`in pages of ${pageSize}`, (t) => {
      t.diagnostic(`${wasmBytes} bytes of WebAssembly, ${retainedBytes} retained`);
      assert.equal(models, 250);
      assert.ok(wasmBytes <= WASM_BYTES_MAX, `${wasmBytes}`);
      assert.ok(retainedBytes <= RETAINED_BYTES_MAX, `${retainedBytes}`);
    });
  }
});

describe(`${measured.runs.runs} listings leave`, () => {
  const { heapBytesPerRun, wasmGrowthBytes, listeners, timers, jobs } =
    measured.runs;

  test('the linear memory as it was', () => {
    assert.equal(wasmGrowthBytes, 0);
  });

  test('the heap as it was', (t) => {
    t.diagnostic(`${heapBytesPerRun} bytes a run`);
    assert.ok(heapBytesPerRun <= HEAP_BYTES_PER_RUN_MAX, `${heapBytesPerRun}`);
  });

  test('no listeners, timers or jobs', () => {
    assert.deepEqual({ listeners, timers, jobs },
      { listeners: 0, timers: 0, jobs: 0 });
  });
});

test('managers that were disposed of are collected', () => {
  // The last one may still be held by the engine's own caches.
  assert.ok(measured.managers <= 1, `${measured.managers} stay`);
});

test('a manager is there within milliseconds', (t) => {
  const { startMs, compiledStartMs } = measured;
  t.diagnostic(`${startMs} ms from bytes, ${compiledStartMs} ms compiled`);
  assert.ok(compiledStartMs <= START_MS_MAX, `${compiledStartMs}`);
});
