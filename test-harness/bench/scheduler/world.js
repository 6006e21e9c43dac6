// SPDX-License-Identifier: Apache-2.0
// What a client gets to work with, and the one thing all but ours do alike.
import { TIMEOUT_MS } from './scenarios.js';

/**
 * @typedef {object} World
 * @property {import('../../hub/virtual-clock.js').VirtualClock} clock
 * @property {import('./limited-server.js').LimitedServer} server
 * @property {number} size
 * @property {number} seed
 */

/** @typedef {(world: World) => Promise<number>} Client resolves to the lost items */

/**
 * One request with a timeout.
 * @param {World} world
 * @param {number} item
 * @returns {Promise<number>} the status, 0 for a timeout
 */
export function fetchStatus({ clock, server }, item) {
  return new Promise((resolve) => {
    const abort = server.send(item, ({ status }) => {
      clock.clearTimeout(timer);
      resolve(status);
    });
    const timer = clock.setTimeout(() => {
      abort();
      resolve(0);
    }, TIMEOUT_MS);
  });
}
