// SPDX-License-Identifier: Apache-2.0
// Compares ways to do the same thing. All of them run in every round, each
// round in another order, so that whatever disturbs the machine disturbs all;
// what counts is the median of the ratios within a round, not the times.

/** @typedef {{ name: string, run: () => unknown, milliseconds: number[] }} Way */

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Yields whose turn it is, `rounds` rounds after `warmUp` unmeasured ones.
 * @param {string[]} names
 * @param {{ rounds: number, warmUp: number }} options
 */
export function* turns(names, { rounds, warmUp }) {
  for (let round = 0; round < warmUp + rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      yield { name, isMeasured: round >= warmUp };
    }
  }
}

/**
 * Runs `ways` for `rounds` rounds after `warmUp` unmeasured ones.
 * @param {Record<string, () => unknown>} ways
 * @param {{ rounds: number, warmUp: number }} options
 * @returns {Map<string, number[]>} the milliseconds of every round, by name
 */
export function interleave(ways, options) {
  const names = Object.keys(ways);
  const times = new Map(names.map((name) => [name, /** @type {number[]} */ ([])]));
  for (const { name, isMeasured } of turns(names, options)) {
    const start = performance.now();
    ways[name]();
    const elapsed = performance.now() - start;
    if (isMeasured) times.get(name)?.push(elapsed);
  }
  return times;
}

/**
 * As interleave, for ways that are done when their promise is.
 * @param {Record<string, () => unknown>} ways
 * @param {{ rounds: number, warmUp: number }} options
 * @returns {Promise<Map<string, number[]>>}
 */
export async function interleaveAsync(ways, options) {
  const names = Object.keys(ways);
  const times = new Map(names.map((name) => [name, /** @type {number[]} */ ([])]));
  for (const { name, isMeasured } of turns(names, options)) {
    const start = performance.now();
    await ways[name]();
    const elapsed = performance.now() - start;
    if (isMeasured) times.get(name)?.push(elapsed);
  }
  return times;
}

/**
 * @param {number[]} slow the milliseconds of the peer, by round
 * @param {number[]} fast of ours, by round
 * @returns {number} how many times faster ours is, the median of the rounds
 */
export function medianRatio(slow, fast) {
  return median(slow.map((milliseconds, i) => milliseconds / fast[i]));
}
