// SPDX-License-Identifier: Apache-2.0
// Calls of functions that the user gave us.

/**
 * Calls a function of the user. What it throws is the user's to see, and no
 * reason to stop.
 * @template T
 * @param {() => T} callback
 * @returns {T | undefined} undefined when it threw
 */
export function attempt(callback) {
  try {
    return callback();
  } catch (error) {
    (globalThis.reportError ?? console.error)(error);
    return undefined;
  }
}
