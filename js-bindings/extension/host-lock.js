// SPDX-License-Identifier: Apache-2.0
// The lock that the host holds as long as it lives. A port does not tell of its
// end: the router has the other end of it as well.

import { HOST_LOCK } from './names.js';

/** @typedef {Pick<LockManager, 'request'>} Locks */

/**
 * Waits until no other host is there, and holds the lock from then on.
 * @param {Locks} locks
 * @returns {Promise<void>}
 */
export function becomeHost(locks) {
  return new Promise((resolve, reject) => {
    locks.request(HOST_LOCK, () => {
      resolve();
      return new Promise(() => {}); // the platform takes it away
    }).catch(reject);
  });
}

/**
 * Waits until the host is gone.
 * @param {Locks} locks
 * @param {AbortSignal} [signal] nobody wants to know any more
 * @returns {Promise<void>} never settles then
 */
export function whenHostGone(locks, signal) {
  return new Promise((resolve) => {
    locks.request(HOST_LOCK, signal ? { mode: 'shared', signal }
      : { mode: 'shared' }, () => resolve()).catch(() => {});
  });
}
