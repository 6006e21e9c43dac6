// SPDX-License-Identifier: Apache-2.0
// Time: the platform's clock, the user's made safe, and the one timer that the
// core asks for.

import { attempt } from './callback.js';

/** @typedef {import('./types/index.d.ts').Clock} Clock */

/** The longest delay that `setTimeout` takes; beyond it fires at once. */
const DELAY_MAX_MS = 0x7fffffff;

/**
 * The platform's clock. Its milliseconds since the epoch never go back, as
 * those of `Date.now` do when somebody sets the machine's clock.
 * @type {Clock}
 */
export const platformClock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle),
};

/**
 * The user's clock. Where it throws, or knows no number, the platform's stands
 * in: nobody should wait for ever because of it.
 * @param {Clock} clock
 * @returns {Clock}
 */
export function guardedClock(clock) {
  return {
    now() {
      const ms = attempt(() => clock.now());
      return typeof ms === 'number' && Number.isFinite(ms)
        ? ms : platformClock.now();
    },
    setTimeout(callback, ms) {
      const start = (/** @type {Clock} */ by) => {
        const handle = by.setTimeout(callback, ms);
        return () => by.clearTimeout(handle);
      };
      return attempt(() => start(clock)) ?? start(platformClock);
    },
    clearTimeout: attempt,
  };
}

/** At most one pending call of a function. */
export class Timer {
  #clock;
  #fire;
  /** @type {unknown} */
  #handle = null;

  /**
   * @param {Clock} clock
   * @param {() => void} fire
   */
  constructor(clock, fire) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /**
   * Replaces the pending call, if there is one.
   * @param {number} delayMs from now; a negative one only cancels
   */
  set(delayMs) {
    if (this.#handle !== null) this.#clock.clearTimeout(this.#handle);
    this.#handle = delayMs < 0 ? null : this.#clock.setTimeout(() => {
      this.#handle = null;
      this.#fire();
    }, Math.min(delayMs, DELAY_MAX_MS));
  }
}
