// SPDX-License-Identifier: Apache-2.0
// Runs one client through one scenario in virtual time.
import { createVirtualClock } from '../../hub/virtual-clock.js';
import { LimitedServer } from './limited-server.js';
import { lowerBound } from './lower-bound.js';
import { Workload } from './workload.js';

/** @typedef {import('./scenarios.js').Scenario} Scenario */

/**
 * @typedef {object} Result
 * @property {number} makespan seconds
 * @property {number} ratio makespan over the lower bound
 * @property {number} requests
 * @property {number} refused answers with status 429
 * @property {number} lost items without a result
 */

/**
 * @template T
 * @param {import('../../hub/virtual-clock.js').VirtualClock} clock
 * @param {() => T} work
 */
async function withGlobalTimers(clock, work) {
  const { setTimeout, clearTimeout } = globalThis;
  Object.assign(globalThis, {
    setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout,
  });
  try {
    return await work();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
}

/**
 * @param {import('./world.js').Client} client
 * @param {Scenario} scenario
 * @param {number} seed
 * @returns {Promise<Result>}
 */
export async function runOnce(client, scenario, seed) {
  const clock = createVirtualClock(0);
  const workload = new Workload(scenario, seed);
  const server = new LimitedServer(scenario, workload, clock, seed);
  const world = { clock, server, size: workload.size, seed };
  const lost = await withGlobalTimers(clock, () => clock.run(client(world)));
  return {
    makespan: clock.now() / 1000,
    ratio: clock.now() / lowerBound(scenario, workload),
    requests: server.requests,
    refused: server.refused,
    lost,
  };
}
