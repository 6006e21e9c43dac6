// SPDX-License-Identifier: Apache-2.0
// Seeded pseudo-random numbers: everything the simulator invents comes from
// here, so that one seed gives one Hub.

/**
 * 32-bit hash of a text (FNV-1a with a final avalanche).
 * @param {string} text
 * @param {number} [seed]
 * @returns {number} unsigned 32-bit integer
 */
export function hashText(text, seed = 0) {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mix32(hash);
}

/**
 * Avalanche of one 32-bit word: every input bit touches every output bit.
 * @param {number} word
 * @returns {number} unsigned 32-bit integer
 */
export function mix32(word) {
  let x = word >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

/**
 * Hexadecimal digits that depend only on the text, used where the real Hub
 * shows an opaque hash of something the simulator does not have.
 * @param {string} text
 * @param {number} digits
 */
export function hexOf(text, digits) {
  let hex = '';
  for (let i = 0; hex.length < digits; i += 1) {
    hex += hashText(text, i + 1).toString(16).padStart(8, '0');
  }
  return hex.slice(0, digits);
}

/** A stream of random numbers (sfc32), fully determined by its seed. */
export class Random {
  #a;
  #b;
  #c;
  #counter = 1;

  /** @param {number | string} seed */
  constructor(seed) {
    const text = String(seed);
    this.#a = hashText(text, 1);
    this.#b = hashText(text, 2);
    this.#c = hashText(text, 3);
  }

  /** @returns {number} in [0, 1) */
  next() {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t | 0;
    return (t >>> 0) / 0x100000000;
  }

  /**
   * @param {number} bound
   * @returns {number} integer in [0, bound)
   */
  below(bound) {
    return Math.floor(this.next() * bound);
  }

  /**
   * @param {number} low
   * @param {number} high
   * @returns {number} integer in [low, high]
   */
  between(low, high) {
    return low + this.below(high - low + 1);
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @returns {T}
   */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** Standard normal deviate (Box-Muller). */
  gaussian() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /**
   * Log-normal value: the usual shape of latencies and of download counts.
   * @param {number} median
   * @param {number} sigma
   */
  logNormal(median, sigma) {
    return median * Math.exp(sigma * this.gaussian());
  }
}
