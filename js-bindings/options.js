// SPDX-License-Identifier: Apache-2.0
// Checks the options of `createModelManager` and fills in the platform's own.

import { TabAgentError } from './errors.js';
import { guardedClock, platformClock } from './timer.js';

/** @typedef {import('./types/index.d.ts').ModelManagerOptions} Options */

/** Where the models are, unless somebody says otherwise. */
const HUB_URL = 'https://huggingface.co';

/** Bytes in the core's seed. */
const SEED_BYTES = 16;

/** What each option may be. Those of the store and the chat are for later. */
const CHECKS = /** @type {Record<string, (value: any) => string | false>} */ ({
  wasm: (value) => !isWasmSource(value)
    && 'a URL, a string, a BufferSource or a WebAssembly.Module',
  hubUrl: (value) => !(typeof value === 'string' || value instanceof URL)
    && 'an http or https address',
  mirrors: (value) => !Array.isArray(value) && 'an array of URLs',
  dataDir: (value) => typeof value !== 'string' && 'the path of a directory',
  fetch: (value) => typeof value !== 'function' && 'a function',
  indexedDB: () => false,
  ort: () => false,
  ortWasmPaths: () => false,
  clock: (value) => !isClock(value)
    && 'an object with the functions now, setTimeout and clearTimeout',
  seed: (value) => !isSeed(value) && 'an integer or 16 bytes',
  onMessage: (value) => typeof value !== 'function' && 'a function',
  telemetry: (value) => typeof value !== 'function' && 'a function',
});

/**
 * @param {Options} options
 */
export function readOptions(options) {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(CHECKS, name)) {
      throw optionError(`there is no option "${name}"`);
    }
    const expected = value !== undefined && CHECKS[name](value);
    if (expected) {
      throw optionError(
        `option ${name}: expected ${expected}, got ${quote(value)}`);
    }
  }
  return {
    wasm: options.wasm,
    hubUrl: String(options.hubUrl ?? HUB_URL),
    // Called without a receiver, as the platform's fetch demands.
    fetch: options.fetch ?? ((/** @type {any[]} */ ...args) => (
      globalThis.fetch(.../** @type {[any]} */ (args)))),
    clock: options.clock ? guardedClock(options.clock) : platformClock,
    seed: seedBytes(options.seed),
    onMessage: options.onMessage,
    telemetry: options.telemetry,
  };
}

/** @param {any} value */
function isWasmSource(value) {
  return typeof value === 'string' || value instanceof URL
    || value instanceof WebAssembly.Module || value instanceof ArrayBuffer
    || ArrayBuffer.isView(value);
}

/** @param {any} value */
function isClock(value) {
  return ['now', 'setTimeout', 'clearTimeout']
    .every((name) => typeof value?.[name] === 'function');
}

/** @param {any} value */
function isSeed(value) {
  return Number.isSafeInteger(value)
    || (value instanceof Uint8Array && value.length === SEED_BYTES);
}

/** @param {number | Uint8Array | undefined} seed */
function seedBytes(seed) {
  if (seed === undefined) {
    return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
  }
  if (typeof seed !== 'number') return seed;
  const bytes = new Uint8Array(SEED_BYTES);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(seed), true);
  return bytes;
}

/**
 * A short text that shows a value and its type.
 * @param {unknown} value
 */
function quote(value) {
  if (typeof value === 'string') return `"${value.slice(0, 100)}"`;
  if (value === null || typeof value !== 'object') {
    return `${typeof value} ${String(value)}`.slice(0, 100);
  }
  return value instanceof Uint8Array
    ? `${value.length} bytes` : `a ${value.constructor?.name ?? 'object'}`;
}

/** @param {string} message */
function optionError(message) {
  return new TabAgentError('invalid_argument', message, { stage: 'options' });
}
