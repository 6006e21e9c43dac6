// SPDX-License-Identifier: Apache-2.0
// How this project's request pool compares with a plain pool and with p-queue
// and p-retry in virtual time: means over seeds. A ratio below 1 is possible
// for clients that give up on items.

import { buildDriver } from './scheduler/build-driver.js';
import { runLibraries } from './scheduler/libraries.js';
import { runOurs } from './scheduler/ours.js';
import { runPlainPool } from './scheduler/plain-pool.js';
import { scenarios } from './scheduler/scenarios.js';
import { summarize, targetOf } from './scheduler/summary.js';

/**
 * @typedef {import('./report.js').Row} Row
 * @typedef {import('./report.js').Section} Section
 * @typedef {import('./scheduler/scenarios.js').Scenario} Scenario
 * @typedef {import('./scheduler/summary.js').Summary} Summary
 */

/**
 * A row of the table per number of a summary.
 * @type {{ key: keyof Omit<Summary, 'makespan'>, what: string, unit: string,
 *   scale: number }[]}
 */
const NUMBERS = [
  { key: 'ratio', what: 'time', unit: 'x', scale: 1 },
  { key: 'refusedShare', what: '429s', unit: '%', scale: 100 },
  { key: 'lostShare', what: 'lost', unit: '%', scale: 100 },
];

/**
 * @param {Scenario} scenario
 * @param {Summary} ours
 * @param {Summary[]} peers
 * @returns {Row[]}
 */
function rowsOf(scenario, ours, peers) {
  const headers = scenario.headers ? 'headers readable' : 'headers hidden';
  const target = targetOf(scenario);
  return NUMBERS.map(({ key, what, unit, scale }) => ({
    what: `${scenario.name} ${scenario.about}, ${headers}: ${what}`,
    peer: peers.map((peer) => (peer[key] * scale).toFixed(2)).join(' / '),
    result: ours[key] * scale,
    unit,
    target: { floor: target[key] * scale, isMost: true },
  }));
}

/** @returns {Promise<Section>} */
export async function benchScheduler() {
  const driver = await buildDriver();
  /** @type {Row[]} */
  const rows = [];
  for (const scenario of scenarios) {
    const ours = await summarize((world) => runOurs(world, driver), scenario);
    const peers = [await summarize(runPlainPool, scenario),
      await summarize(runLibraries, scenario)];
    rows.push(...rowsOf(scenario, ours, peers));
  }
  return {
    title: 'Requests under rate limits, in virtual time',
    notes: [
      'time over the offline lower bound, answers with status 429 per item,',
      'items without a result; peers: a plain pool / p-queue with p-retry',
    ],
    rows,
  };
}
