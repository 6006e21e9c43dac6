// SPDX-License-Identifier: Apache-2.0
// Averages over seeds, and what ours has to reach.
import { runOnce } from './run.js';

/** @typedef {import('./scenarios.js').Scenario} Scenario */

/**
 * @typedef {object} Summary means over the seeds
 * @property {number} makespan seconds
 * @property {number} ratio makespan over the lower bound
 * @property {number} refusedShare answers with status 429 per item
 * @property {number} lostShare items without a result
 */

const LARGE = 1000;

/** Large scenarios vary little from seed to seed and take longer. */
const SEEDS = { small: 15, large: 3 };

/** @param {number[]} numbers */
const mean = (numbers) =>
  numbers.reduce((total, number) => total + number, 0) / numbers.length;

/**
 * @param {import('./world.js').Client} client
 * @param {Scenario} scenario
 * @returns {Promise<Summary>}
 */
export async function summarize(client, scenario) {
  const { requests } = scenario;
  const results = [];
  const last = requests > LARGE ? SEEDS.large : SEEDS.small;
  for (let seed = 1; seed <= last; seed += 1) {
    results.push(await runOnce(client, scenario, seed));
  }
  return {
    makespan: mean(results.map(({ makespan }) => makespan)),
    ratio: mean(results.map(({ ratio }) => ratio)),
    refusedShare: mean(results.map(({ refused }) => refused)) / requests,
    lostShare: mean(results.map(({ lost }) => lost)) / requests,
  };
}

/** @param {Scenario} scenario */
function ratioTarget({ requests, hangs, headers }) {
  if (hangs) return 1.3;
  if (!headers) return 1.15;
  return requests > LARGE ? 1.03 : 1.07;
}

/** @param {Scenario} scenario */
function refusedTarget({ requests, bucket, headers }) {
  if (headers && !bucket) return 0;
  return requests > LARGE ? 0.005 : 0.06;
}

/**
 * The most that ours may need of each.
 * @param {Scenario} scenario
 * @returns {Omit<Summary, 'makespan'>}
 */
export function targetOf(scenario) {
  return {
    ratio: ratioTarget(scenario),
    refusedShare: refusedTarget(scenario),
    lostShare: 0,
  };
}
