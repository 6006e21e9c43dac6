// SPDX-License-Identifier: Apache-2.0
// Everything at once, on several seeds: whatever goes wrong on the way, the
// models at the end are those of an undisturbed run.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateCatalogue } from '../hub/catalogue.js';
import { list } from './listing.js';

const SEEDS = 10;

const params = /** @type {const} */ ({
  pageSize: 100, maxCandidates: 120, fetchConfigs: 'all', timeoutMs: 8000,
});

/** @type {import('../hub/faults.js').Rule[]} */
const CHAOS = [
  { probability: 0.03, status: 503 },
  { probability: 0.03, status: 500, headers: { 'retry-after': '3' } },
  { probability: 0.03, status: 429 },
  { probability: 0.03, status: 429, rateLimit: false },
  { probability: 0.03, resetAfter: 40 },
  { probability: 0.02, stallHead: true },
  { probability: 0.02, stallAfter: 100 },
  { probability: 0.1, slow: { bytes: 20_000, everyMs: 50 } },
  { probability: 0.1, delayHeadMs: 3000 },
  { bucket: 'api', probability: 0.1, endAfter: 3000 },
  { bucket: 'api', limitAbove: 60, status: 504 },
];

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`seed ${seed}`, async () => {
    const catalogue = generateCatalogue({ seed, models: 500 }).models;
    const hub = { seed, catalogue };
    const { models: expected } = await list({ hub, params });
    const { error, models, meta, hub: disturbed } = await list({
      hub, params, faults: CHAOS, manager: { seed },
    });
    assert.equal(error, undefined);
    assert.deepEqual(models, expected);
    assert.equal(meta.partial, false);
    assert.equal(meta.rate_limited, true);
    const hits = disturbed.faults.list().map((rule) => rule.hits);
    assert.ok(hits.filter((n) => n > 0).length >= CHAOS.length - 2, `${hits}`);
  });
}
