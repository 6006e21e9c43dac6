// SPDX-License-Identifier: Apache-2.0
// The time below which no client can finish, even one that knows every answer
// time and every limit beforehand. Not always attainable.
import { CONCURRENCY } from './scenarios.js';

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/**
 * Splits the needed requests over windows: when the last one opens and how
 * many requests are left for it.
 * @param {number} count
 * @param {import('./scenarios.js').Scenario['window']} window
 */
function lastWindow(count, window) {
  if (!window) return { opensAt: 0, rest: count };
  const { quota, period, used = 0, left = period } = window;
  const afterFirst = count - (quota - used);
  if (afterFirst <= 0) return { opensAt: 0, rest: count };
  const windows = Math.ceil(afterFirst / quota);
  return {
    opensAt: (left + (windows - 1) * period) * 1000,
    rest: afterFirst - (windows - 1) * quota,
  };
}

/**
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {import('./workload.js').Workload} workload
 * @returns {number} milliseconds
 */
export function lowerBound(scenario, workload) {
  const chains = Array.from({ length: workload.size }, (_, item) =>
    workload.needed(item).map(({ outcome, latency }) =>
      (outcome === 'hang' ? 0 : latency)));
  const latencies = chains.flat().sort((a, b) => a - b);
  const { opensAt, rest } = lastWindow(latencies.length, scenario.window);
  const { burst, rate } = scenario.bucket ?? { burst: Infinity, rate: 1 };
  const inLastWindow = Math.max(
    // At best the quickest requests are left, and they fill every slot.
    sum(latencies.slice(0, rest)) / CONCURRENCY,
    Math.max(0, rest - burst) / rate * 1000,
  );
  return Math.max(opensAt + inLastWindow, ...chains.map(sum));
}
