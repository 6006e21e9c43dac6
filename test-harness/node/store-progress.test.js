// SPDX-License-Identifier: Apache-2.0
// What a download says of itself while it runs, held against what the server
// has sent.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startHub } from '../hub/index.js';
import { createModelManager, wasm } from '../module-under-test.js';

/** Several chunks, so that some are written while others arrive. */
const WEIGHT_BYTES = 100_000_000;

test('no more is claimed to be loaded than was sent', async (context) => {
  const files = new Map(Object.entries({
    'config.json': '{}',
    'onnx/model.onnx': { size: WEIGHT_BYTES, seed: 1 },
  }));
  const server = await startHub(
    { models: 1, repositories: [{ id: 'owner/model', files }] });
  context.after(() => server.close());
  // So slowly that the server is never far ahead of the client.
  server.hub.faults.add(
    { content: true, slow: { bytes: 262_144, everyMs: 5 } });
  const dataDir = await mkdtemp(join(tmpdir(), 'tabagent-progress-'));
  context.after(() => rm(dataDir, { recursive: true }));
  const manager = await createModelManager(
    { wasm, hubUrl: server.url, dataDir, seed: 1 });
  context.after(() => manager.dispose());

  /** @type {{ loaded: number, total: number, sent: number }[]} */
  const reports = [];
  await manager.download('owner/model', {
    onProgress({ phase, loaded, total }) {
      if (phase === 'waiting') return; // for the lock: nothing is known yet
      const sent = server.hub.requests
        .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
      reports.push({ loaded, total, sent });
    },
  });
  assert.equal(reports.length > 1, true);
  for (const { loaded, total, sent } of reports) {
    assert.equal(loaded <= sent, true, `${loaded} of ${sent} bytes`);
    assert.equal(total, WEIGHT_BYTES + 2);
  }
});
