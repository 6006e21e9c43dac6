// SPDX-License-Identifier: Apache-2.0
// A listing stays far ahead of JSON.parse. The real figures are those of
// npm run bench; this only catches a build or a change that loses the speed
// (without inlining, for example, the ratio is 1.3).

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compareListing } from '../bench/listing-speed.js';
import { wasm } from '../module-under-test.js';

/** Half of what a loaded machine shows, so that only real losses fail. */
const RATIO_MIN = 2.5;

/** Other tests run at the same time: one good measurement is enough. */
const ATTEMPTS = 4;

const ROUNDS = Object.freeze({ rounds: 5, warmUp: 5 });

test('the best 250 of 5,000 rows are listed faster than by JSON.parse', async () => {
  let best = 0;
  for (let i = 0; i < ATTEMPTS && best < RATIO_MIN; i += 1) {
    const comparisons = await compareListing(wasm, 'base', ROUNDS);
    const ratio = comparisons.find(({ what }) => what === 'top 250')?.ratio;
    best = Math.max(best, ratio ?? 0);
  }
  assert.ok(best >= RATIO_MIN, `${best.toFixed(2)} times as fast`);
});
