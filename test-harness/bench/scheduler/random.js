// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers and the distribution of answer times.

/**
 * Mulberry32: small, fast, good enough for simulations.
 * @param {number} seed
 * @returns {() => number} numbers in [0, 1)
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 4294967296;
  };
}

const MEDIAN_MS = 80;
const SIGMA = 0.6;

/**
 * A log-normal answer time (Box and Muller's method).
 * @param {() => number} random
 */
export function drawLatency(random) {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const normal = radius * Math.cos(2 * Math.PI * random());
  return MEDIAN_MS * Math.exp(SIGMA * normal);
}
