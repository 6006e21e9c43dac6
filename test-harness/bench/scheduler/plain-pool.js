// SPDX-License-Identifier: Apache-2.0
// The usual hand-made pool: twelve workers, three retries after 200 ms and
// longer with the slot held, and half as many workers when more than half of
// the last twenty answers were 429.
import { CONCURRENCY } from './scenarios.js';
import { createRandom } from './random.js';
import { fetchStatus } from './world.js';

const RETRIES = 3;
const BASE_MS = 200;
const JITTER_MS = 100;
const HISTORY = 20;

/** @type {import('./world.js').Client} */
export async function runPlainPool(world) {
  const random = createRandom(world.seed + 2);
  let workers = CONCURRENCY;
  let lost = 0;
  let next = 0;
  /** @type {boolean[]} */
  let history = [];

  const note = (/** @type {number} */ status) => {
    history.push(status === 429);
    if (history.length > HISTORY) history.shift();
    const refused = history.filter(Boolean).length;
    if (history.length === HISTORY && refused > HISTORY / 2) {
      workers = Math.max(1, Math.floor(workers / 2));
      history = [];
    }
  };
  const sleep = (/** @type {number} */ ms) =>
    new Promise((resolve) => { world.clock.setTimeout(resolve, ms); });
  const fetchItem = async (/** @type {number} */ item) => {
    for (let attempt = 0; ; attempt += 1) {
      const status = await fetchStatus(world, item);
      note(status);
      if (status === 200) return;
      if (attempt === RETRIES) {
        lost += 1;
        return;
      }
      await sleep(BASE_MS * 2 ** attempt + random() * JITTER_MS);
    }
  };
  const work = async (/** @type {number} */ worker) => {
    while (worker < workers && next < world.size) {
      next += 1;
      await fetchItem(next - 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, i) => work(i)));
  return lost;
}
