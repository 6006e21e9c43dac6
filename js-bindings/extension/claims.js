// SPDX-License-Identifier: Apache-2.0
// A message of a panel reaches the host on two ways: directly, when it is there,
// and from the router, which cannot know that. Whichever comes first is obeyed;
// the other one is not.

/** By then both have come, or never will. */
const EXPIRES_MS = 10_000;

/** More than there are messages in that time; beyond, the oldest are gone. */
const MAX = 1000;

/** @typedef {'direct' | 'relayed'} Way */

/** Messages that have come on one way only. */
export class Claims {
  /** @type {{ key: string, way: Way, atMs: number }[]} */
  #waiting = [];
  #now;

  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.#now = now;
  }

  /**
   * @param {any} message
   * @param {import('./platform.js').Sender | undefined} sender
   * @param {Way} way
   * @returns {boolean} whether it is to be obeyed
   */
  claim(message, sender, way) {
    const atMs = this.#now();
    const key = keyOf(message, sender);
    this.#waiting = this.#waiting.filter(
      (one) => atMs - one.atMs < EXPIRES_MS).slice(-MAX);
    const other = this.#waiting.findIndex(
      (one) => one.key === key && one.way !== way);
    if (other < 0) {
      this.#waiting.push({ key, way, atMs });
      return true;
    }
    this.#waiting.splice(other, 1);
    return false;
  }
}

/**
 * @param {any} message
 * @param {import('./platform.js').Sender | undefined} sender
 */
function keyOf(message, sender) {
  const { documentId, url, frameId, tab } = sender ?? {};
  return JSON.stringify(
    [documentId ?? [url, frameId, tab?.id], message]);
}
