// SPDX-License-Identifier: Apache-2.0
// What would happen to each request, attempt by attempt: drawn beforehand from
// the seed, so that every client meets the same fate.
import { createRandom, drawLatency } from './random.js';

const ERROR_SHARE = 0.03;

/** @typedef {{ outcome: 'ok' | 'error' | 'hang', latency: number }} Attempt */

export class Workload {
  #items;
  #hangs;

  /**
   * @param {import('./scenarios.js').Scenario} scenario
   * @param {number} seed
   */
  constructor(scenario, seed) {
    this.#hangs = scenario.hangs ?? 0;
    this.#items = Array.from({ length: scenario.requests }, (_, item) => ({
      random: createRandom(seed * 1_000_003 + item * 7919),
      /** @type {Attempt[]} */
      attempts: [],
    }));
  }

  get size() {
    return this.#items.length;
  }

  /**
   * @param {number} item
   * @param {number} index how many attempts went before
   * @returns {Attempt}
   */
  attempt(item, index) {
    const { random, attempts } = this.#items[item];
    while (attempts.length <= index) {
      const draw = random();
      const outcome = draw < this.#hangs ? 'hang'
        : draw < this.#hangs + ERROR_SHARE ? 'error' : 'ok';
      attempts.push({ outcome, latency: drawLatency(random) });
    }
    return attempts[index];
  }

  /**
   * The attempts that even a client which knows everything has to make.
   * @param {number} item
   */
  needed(item) {
    const needed = [];
    do {
      needed.push(this.attempt(item, needed.length));
    } while (needed[needed.length - 1].outcome !== 'ok');
    return needed;
  }
}
