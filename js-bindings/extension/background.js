// SPDX-License-Identifier: Apache-2.0
// The background of an extension, in one call.

import { HOST_URL } from './names.js';
import { platformHere } from './platform.js';
import { Router } from './router.js';

export { hubOAuth } from './oauth.js';

/** @typedef {import('../types/background.d.ts').BackgroundOptions} Options */

/**
 * Starts the background. To be called at the top level of its script: whoever
 * wakes it must find it listening.
 * @param {Options} [options]
 */
export function startBackground(options = {}) {
  const { navigator, document, setTimeout, clearTimeout } = globalThis;
  new Router(platformHere(), readOptions(options), {
    locks: navigator?.locks, document,
    setTimeout: setTimeout.bind(globalThis),
    clearTimeout: clearTimeout.bind(globalThis),
    target: globalThis,
  }).listen();
}

/** What each option must be. */
const EXPECTED = {
  hostUrl: (/** @type {unknown} */ value) => typeof value === 'string',
  hubUrl: isAddress,
  mirrors: (/** @type {unknown} */ value) => (
    Array.isArray(value) && value.every(isAddress)),
  allowContentScripts: (/** @type {unknown} */ value) => (
    Array.isArray(value) && value.every((one) => typeof one === 'string')),
  idle: (/** @type {unknown} */ value) => (
    typeof value === 'object' && value !== null),
  oauth: (/** @type {unknown} */ value) => typeof value === 'function',
};

/** @param {unknown} value */
function isAddress(value) {
  return /^https?:\/\//.test(String(value));
}

/**
 * @param {any} options
 * @returns {import('./router.js').RouterOptions}
 */
function readOptions(options) {
  for (const [name, value] of Object.entries(options)) {
    const check = /** @type {any} */ (EXPECTED)[name];
    if (!check || (value !== undefined && !check(value))) {
      throw Object.assign(
        new TypeError(check ? `option ${name} is not what it has to be`
          : `there is no option "${name}"`), { code: 'invalid_argument' });
    }
  }
  return {
    ...options, hostUrl: options.hostUrl ?? HOST_URL,
    hubUrl: options.hubUrl && String(options.hubUrl),
    allowContentScripts: options.allowContentScripts ?? [],
  };
}
