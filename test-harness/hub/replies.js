// SPDX-License-Identifier: Apache-2.0
// Builds replies with a body of known type and length.

/**
 * @param {string} text
 * @param {ResponseInit} [init]
 */
export function jsonText(text, init = {}) {
  return withBody(text, 'application/json; charset=utf-8', init);
}

/**
 * @param {unknown} value
 * @param {ResponseInit} [init]
 */
export function json(value, init) {
  return jsonText(JSON.stringify(value), init);
}

/**
 * @param {string} text
 * @param {ResponseInit} [init]
 */
export function plainText(text, init = {}) {
  return withBody(text, 'text/plain; charset=utf-8', init);
}

/** @param {string} text */
export function html(text) {
  return withBody(text, 'text/html; charset=utf-8', {});
}

/**
 * @param {string} text
 * @param {string} type
 * @param {ResponseInit} init
 */
function withBody(text, type, init) {
  const bytes = Buffer.from(text);
  const headers = new Headers(init.headers);
  headers.set('Content-Type', type);
  headers.set('Content-Length', String(bytes.length));
  return new Response(bytes, { ...init, headers });
}
