// SPDX-License-Identifier: Apache-2.0
// The situations in which the schedulers are compared. Times in seconds; a
// limit is a fixed window (`quota` requests per `period`, with `used` of them
// gone and `left` seconds to go at the start) or a token bucket (`burst`
// requests at once, `rate` per second afterwards), or both.

/**
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} about
 * @property {number} requests
 * @property {{ quota: number, period: number, used?: number, left?: number }}
 *   [window]
 * @property {{ burst: number, rate: number }} [bucket]
 * @property {number} [hangs] share of requests that are never answered
 * @property {boolean} headers whether the client can read RateLimit headers
 */

const HUB_PERIOD = 300;

/** @type {Omit<Scenario, 'headers'>[]} */
const situations = [
  { name: 'A', about: '250 requests, 500 allowed', requests: 250,
    window: { quota: 500, period: HUB_PERIOD } },
  { name: 'B', about: '250 requests, 120 left for 120 s', requests: 250,
    window: { quota: 500, period: HUB_PERIOD, used: 380, left: 120 } },
  { name: 'C', about: '250 requests, burst 20 then 30/s', requests: 250,
    bucket: { burst: 20, rate: 30 } },
  { name: 'D', about: '250 requests, 1 % hang', requests: 250, hangs: 0.01,
    window: { quota: 500, period: HUB_PERIOD } },
  { name: 'E', about: '5,000 requests, 500 per window', requests: 5000,
    window: { quota: 500, period: HUB_PERIOD } },
  { name: 'F', about: '5,000 requests, 3,000 per window', requests: 5000,
    window: { quota: 3000, period: HUB_PERIOD } },
  { name: 'G', about: '5,000 requests, 5,000 per window', requests: 5000,
    window: { quota: 5000, period: HUB_PERIOD } },
  { name: 'H', about: '5,000 requests, 3,000 per window, burst 50 then 60/s',
    requests: 5000, window: { quota: 3000, period: HUB_PERIOD },
    bucket: { burst: 50, rate: 60 } },
  { name: 'I', about: '5,000 requests, 5,000 per window, 1 % hang',
    requests: 5000, hangs: 0.01,
    window: { quota: 5000, period: HUB_PERIOD } },
];

/** A limit without a window has nothing to put into headers. */
const hasHeaders = (/** @type {{ window?: object }} */ s) => Boolean(s.window);

/** @type {Scenario[]} */
export const scenarios = situations.flatMap((situation) => [
  ...(hasHeaders(situation) ? [{ ...situation, headers: true }] : []),
  { ...situation, headers: false },
]);

/** What every client works with. */
export const CONCURRENCY = 12;
export const TIMEOUT_MS = 10000;
