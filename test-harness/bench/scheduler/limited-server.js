// SPDX-License-Identifier: Apache-2.0
// A server in virtual time that answers late, fails, hangs and refuses.
// A request reaches it after half of its answer time; that is when it is
// counted and when the headers of its answer are made.
import { createRandom, drawLatency } from './random.js';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} headers header block as the client may read it
 */

/** A fixed window: `quota` requests until the reset, then all over again. */
class FixedWindow {
  #quota;
  #period;
  #resetAt;
  #left;

  /** @param {{ quota: number, period: number, used?: number, left?: number }}
   *   limit
   */
  constructor({ quota, period, used = 0, left = period }) {
    this.#quota = quota;
    this.#period = period * 1000;
    this.#resetAt = left * 1000;
    this.#left = quota - used;
  }

  /** @param {number} now */
  #roll(now) {
    while (now >= this.#resetAt) {
      this.#resetAt += this.#period;
      this.#left = this.#quota;
    }
  }

  /** @param {number} now */
  isOpen(now) {
    this.#roll(now);
    return this.#left > 0;
  }

  take() {
    this.#left -= 1;
  }

  /** @param {number} now */
  headers(now) {
    this.#roll(now);
    const seconds = Math.ceil((this.#resetAt - now) / 1000);
    return `RateLimit: "resolvers";r=${this.#left};t=${seconds}\r\n`
      + `RateLimit-Policy: "fixed window";"resolvers";q=${this.#quota};`
      + `w=${this.#period / 1000}\r\n`;
  }
}

/** A token bucket: `burst` requests at once, `rate` per second afterwards. */
class TokenBucket {
  #burst;
  #rate;
  #tokens;
  #at = 0;

  /** @param {{ burst: number, rate: number }} limit */
  constructor({ burst, rate }) {
    this.#burst = burst;
    this.#rate = rate / 1000;
    this.#tokens = burst;
  }

  /** @param {number} now */
  isOpen(now) {
    const grown = this.#tokens + (now - this.#at) * this.#rate;
    this.#tokens = Math.min(this.#burst, grown);
    this.#at = now;
    return this.#tokens >= 1;
  }

  take() {
    this.#tokens -= 1;
  }
}

export class LimitedServer {
  #clock;
  #workload;
  #window;
  #limits;
  #showsHeaders;
  /** @type {boolean[][]} attempts under way or made, per item */
  #taken;
  #random;
  requests = 0;
  refused = 0;

  /**
   * @param {import('./scenarios.js').Scenario} scenario
   * @param {import('./workload.js').Workload} workload
   * @param {import('../../hub/virtual-clock.js').VirtualClock} clock
   * @param {number} seed
   */
  constructor(scenario, workload, clock, seed) {
    this.#clock = clock;
    this.#workload = workload;
    this.#window = scenario.window && new FixedWindow(scenario.window);
    const bucket = scenario.bucket && new TokenBucket(scenario.bucket);
    this.#limits = [this.#window, bucket].filter((limit) => limit !== undefined);
    this.#showsHeaders = scenario.headers;
    this.#taken = Array.from({ length: workload.size }, () => []);
    this.#random = createRandom(seed + 1);
  }

  /**
   * @param {number} item
   * @param {(answer: Answer) => void} onAnswer
   * @returns {() => void} aborts: no answer will come
   */
  send(item, onAnswer) {
    this.requests += 1;
    const taken = this.#taken[item];
    const index = taken.concat(false).indexOf(false);
    const attempt = this.#workload.attempt(item, index);
    taken[index] = true;
    const way = attempt.latency / 2;
    let timer = this.#clock.setTimeout(() => {
      const now = this.#clock.now();
      const isRefused = !this.#limits.every((limit) => limit.isOpen(now));
      if (isRefused) {
        this.refused += 1;
        taken[index] = false;
      } else {
        this.#limits.forEach((limit) => limit.take());
        if (attempt.outcome === 'hang') return;
      }
      const headers = this.#showsHeaders ? this.#window?.headers(now) : '';
      const answer = {
        status: isRefused ? 429 : attempt.outcome === 'ok' ? 200 : 503,
        headers: headers ?? '',
      };
      const back = isRefused ? drawLatency(this.#random) / 2 : way;
      timer = this.#clock.setTimeout(() => onAnswer(answer), back);
    }, way);
    return () => this.#clock.clearTimeout(timer);
  }
}
