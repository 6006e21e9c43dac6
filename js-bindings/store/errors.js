// SPDX-License-Identifier: Apache-2.0
// Conditions of the store that the platform has no name for. The core knows
// errors of the store by their names.

/**
 * @param {'BlockedError' | 'ClosedError' | 'UnavailableError'
 *   | 'TooLargeError' | 'NotReadableError'} name
 * @param {string} message
 * @param {unknown} [cause]
 */
export function storeError(name, message, cause) {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  error.name = name;
  return error;
}

/** The store was closed by its owner; it does not open again. */
export function closedError() {
  return storeError('ClosedError', 'the store was closed');
}
