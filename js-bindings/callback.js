// SPDX-License-Identifier: Apache-2.0
// Calls of functions that the user gave us.

/**
 * Calls a function of the user. What it throws, at once or later, is the user's
 * to see, and no reason to stop.
 * @template T
 * @param {() => T} callback
 * @returns {T | undefined} undefined when it threw
 */
export function attempt(callback) {
  try {
    const result = callback();
    if (result instanceof Promise) result.catch(tell);
    return result;
  } catch (error) {
    tell(error);
    return undefined;
  }
}

/** @param {unknown} error */
function tell(error) {
  (globalThis.reportError ?? console.error)(error);
}
