// SPDX-License-Identifier: Apache-2.0
// The machine's clock, movable forward so that another process can jump over
// a rate-limit window without waiting for it.

/** Wall time plus an offset; timers run in real time. */
export class RealClock {
  #offsetMs = 0;

  now = () => Date.now() + this.#offsetMs;

  setTimeout = globalThis.setTimeout;

  clearTimeout = globalThis.clearTimeout;

  /** @param {number} ms */
  advance(ms) {
    this.#offsetMs += ms;
  }
}
