// SPDX-License-Identifier: Apache-2.0
// Waiting on a given clock in a way that leaves no timer behind when the one
// who waits gives up.

/**
 * @param {import('./virtual-clock.js').Clock} clock
 * @param {number} ms
 * @param {AbortSignal} signal drops the timer; the promise then stays pending
 * @returns {Promise<void>}
 */
export function pause(clock, ms, signal) {
  if (ms === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = () => clock.clearTimeout(timer);
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
