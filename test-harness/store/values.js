// SPDX-License-Identifier: Apache-2.0
// Changes and values in short.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @typedef {import('../../js-bindings/store/layout.js').StoreName} StoreName */

/**
 * @param {string} key
 * @param {Iterable<number>} bytes
 */
export function record(key, bytes) {
  return /** @type {const} */ ({
    kind: 'record', store: 'files', key, bytes: Uint8Array.from(bytes),
  });
}

/**
 * @param {string} key
 * @param {Iterable<number>} bytes
 */
export function content(key, bytes) {
  return /** @type {const} */ ({
    kind: 'content', key, blob: new Blob([Uint8Array.from(bytes)]),
  });
}

/**
 * @template {StoreName} S
 * @param {S} store
 * @param {string} key
 * @param {object} value
 */
export function object(store, key, value) {
  return {
    kind: /** @type {const} */ ('record'), store, key, bytes: json(value),
  };
}

/**
 * @param {string} key
 * @param {object} patch
 */
export function merge(key, patch) {
  return /** @type {const} */ ({
    kind: 'merge', store: 'manifest', key, patch: json(patch),
  });
}

/** @param {unknown} value */
export function json(value) {
  return encoder.encode(JSON.stringify(value));
}

/**
 * @param {Uint8Array | null} bytes JSON text
 * @returns {any} its value
 */
export function text(bytes) {
  return bytes && JSON.parse(decoder.decode(bytes));
}

/** @param {Blob | null} blob */
export async function digest(blob) {
  return new Uint8Array(await crypto.subtle.digest(
    'SHA-256', await blob?.arrayBuffer() ?? new ArrayBuffer(0)));
}
