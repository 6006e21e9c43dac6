// SPDX-License-Identifier: Apache-2.0
// Objects of the store as JSON text, and changes of them.

/** @typedef {Record<string, any>} JsonObject */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * @param {unknown} value
 * @returns {value is JsonObject}
 */
function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @param {Uint8Array} text
 * @returns {JsonObject}
 */
export function parseObject(text) {
  const value = JSON.parse(decoder.decode(text));
  if (!isObject(value)) throw new TypeError('not the JSON text of an object');
  return value;
}

/** @param {JsonObject} object */
export function formatObject(object) {
  return encoder.encode(JSON.stringify(object));
}

/**
 * JSON merge patch, RFC 7386. A Map in between, because a name like
 * "__proto__" is a name like any other here.
 * @param {unknown} target
 * @param {unknown} patch
 * @returns {any}
 */
export function mergePatch(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}
