// SPDX-License-Identifier: Apache-2.0
// The request pool meets its targets in every scenario of the scheduler
// benchmark, in virtual time.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { buildDriver } from '../bench/scheduler/build-driver.js';
import { runOurs } from '../bench/scheduler/ours.js';
import { scenarios } from '../bench/scheduler/scenarios.js';
import { summarize, targetOf } from '../bench/scheduler/summary.js';

describe('scheduler', () => {
  /** @type {Record<string, any>} */
  let driver;

  before(async () => {
    driver = await buildDriver();
  });

  for (const scenario of scenarios) {
    const { name, about, headers } = scenario;
    it(`${name}: ${about}, headers ${headers ? 'readable' : 'hidden'}`, async () => {
      const result = await summarize((world) => runOurs(world, driver), scenario);
      const target = targetOf(scenario);
      assert.equal(result.lostShare, 0);
      assert.ok(result.refusedShare <= target.refusedShare,
        `${result.refusedShare} of the answers were 429`);
      assert.ok(result.ratio <= target.ratio,
        `${result.ratio} times the lower bound`);
    });
  }
});
