// SPDX-License-Identifier: Apache-2.0
// The libraries most projects take, with their default settings. They use the
// global timers, so the caller puts virtual ones in their place.
import PQueue from 'p-queue';
import pRetry from 'p-retry';
import { CONCURRENCY } from './scenarios.js';
import { fetchStatus } from './world.js';

/** @type {import('./world.js').Client} */
export async function runLibraries(world) {
  let lost = 0;
  const queue = new PQueue({ concurrency: CONCURRENCY });
  for (let item = 0; item < world.size; item += 1) {
    queue.add(() => pRetry(async () => {
      const status = await fetchStatus(world, item);
      if (status !== 200) throw new Error(`status ${status}`);
    })).catch(() => { lost += 1; });
  }
  await queue.onIdle();
  return lost;
}
