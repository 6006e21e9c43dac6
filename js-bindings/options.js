// SPDX-License-Identifier: Apache-2.0
// Checks the options of `createModelManager`, and fills in the platform's own,
// and those of single calls.

import { TabAgentError } from './errors.js';
import { openStore } from './store/index.js';
import { guardedClock, platformClock } from './timer.js';

/** @typedef {import('./types/index.d.ts').ModelManagerOptions} Options */

/** Where the models are, unless somebody says otherwise. */
const HUB_URL = 'https://huggingface.co';

/** Bytes in the core's seed. */
const SEED_BYTES = 16;

/**
 * What is expected of each option, for a value that is something else.
 * @typedef {Record<string, (value: any) => string | false>} Checks
 */

/** @type {Checks} */
const MANAGER_CHECKS = {
  wasm: (value) => !isWasmSource(value)
    && 'a URL, a string, a BufferSource or a WebAssembly.Module',
  hubUrl: (value) => !addressOf(value) && 'an http or https address',
  mirrors: (value) => !(Array.isArray(value) && value.every(addressOf))
    && 'an array of http or https addresses',
  dataDir: (value) => (typeof value !== 'string' || value === '')
    && 'the path of a directory',
  fetch: (value) => typeof value !== 'function' && 'a function',
  indexedDB: () => false,
  ort: (value) => !['object', 'function'].includes(typeof value)
    && 'the module onnxruntime-web or a function that brings it',
  ortWasmPaths: (value) => !['object', 'string'].includes(typeof value)
    && 'a string or an object, as onnxruntime-web takes it',
  clock: (value) => !isClock(value)
    && 'an object with the functions now, setTimeout and clearTimeout',
  seed: (value) => !isSeed(value) && 'an integer or 16 bytes',
  onMessage: (value) => typeof value !== 'function' && 'a function',
  telemetry: (value) => typeof value !== 'function' && 'a function',
  journal: (value) => typeof value !== 'boolean' && 'true or false',
};

/** @type {Checks} */
const STREAM_CHECKS = {
  signal: (value) => value !== null && !isSignal(value) && 'an AbortSignal',
};

/** @type {Checks} */
const CALL_CHECKS = {
  ...STREAM_CHECKS,
  onProgress: (value) => value !== null && typeof value !== 'function'
    && 'a function',
};

/** @type {Checks} */
const LOGIN_CHECKS = {
  ...STREAM_CHECKS,
  persist: (value) => typeof value !== 'boolean' && 'true or false',
};

/** @type {Checks} */
const TOKEN_CHECKS = {
  ...STREAM_CHECKS, onToken: CALL_CHECKS.onProgress,
};

/** @type {Checks} the core has an opinion about their values */
const SCOPE_CHECKS = { modelId: () => false, dtype: () => false };

/**
 * The members of an object that somebody hands in, each read once.
 * @param {any} object
 * @param {string} [what] it is
 */
function membersOf(object, what = 'options') {
  if (typeof object !== 'object' || object === null) {
    throw optionError(`${what}: expected an object, got ${quote(object)}`);
  }
  try {
    return { ...object };
  } catch (error) {
    throw optionError(`${what}: one cannot be read: ${error}`, error);
  }
}

/**
 * @param {any} object
 * @param {Checks} checks
 * @param {string} [what] it is
 */
function check(object, checks, what = 'options') {
  const options = membersOf(object, what);
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(checks, name)) {
      throw optionError(`there is no option "${name}"`);
    }
    const expected = value !== undefined && checks[name](value);
    if (expected) {
      throw optionError(
        `option ${name}: expected ${expected}, got ${quote(value)}`);
    }
  }
  return options;
}

/**
 * Options of any call: who hears of its progress, and what ends it.
 * @param {any} [options]
 */
export function readCallOptions(options = {}) {
  return check(options, CALL_CHECKS);
}

/**
 * Options of a request for an answer, as those of any other call.
 * @param {any} [options]
 */
export function readTokenOptions(options = {}) {
  const { onToken, signal } = check(options, TOKEN_CHECKS);
  return { onProgress: onToken, signal };
}

/**
 * Options of a login. A manager has no place of its own for a secret: keeping
 * it is for whoever has one, as the background of an extension.
 * @param {any} [options]
 */
export function readLoginOptions(options = {}) {
  const { persist = false, ...call } = check(options, LOGIN_CHECKS);
  if (persist) {
    throw optionError('option persist: the token is kept in memory only; a '
      + 'login through the client of the extension can keep it');
  }
  return call;
}

/**
 * Whose settings are meant.
 * @param {any} [scope]
 */
export function readScope(scope = {}) {
  return check(scope, SCOPE_CHECKS, 'scope');
}

/**
 * Options of a call to the store: those that JavaScript needs, and the
 * parameters, which the core checks.
 * @param {any} [options]
 */
export function splitOptions(options = {}) {
  const { onProgress, signal, ...rest } = membersOf(options);
  return { call: check({ onProgress, signal }, CALL_CHECKS), rest };
}

/**
 * Which jobs are to be told.
 * @param {any} [options]
 */
export function readJobsOptions(options = {}) {
  return Boolean(check(options, {
    ended: (value) => typeof value !== 'boolean' && 'true or false',
  }).ended);
}

/**
 * From where on somebody wants to hear a job.
 * @param {unknown} jobId
 * @param {unknown} fromSeq
 */
export function checkSubscription(jobId, fromSeq) {
  if (typeof jobId !== 'string') {
    throw optionError(`jobId: expected a string, got ${quote(jobId)}`);
  }
  if (!Number.isInteger(fromSeq)) {
    throw optionError(`fromSeq: expected an integer, got ${quote(fromSeq)}`);
  }
}

/**
 * @param {{ signal?: AbortSignal }} [options]
 */
export function readStreamOptions(options = {}) {
  return check(options, STREAM_CHECKS);
}

/**
 * @param {Options} given
 */
export function readOptions(given) {
  /** @type {Options} */
  const options = check(given, MANAGER_CHECKS);
  return {
    wasm: options.wasm,
    hubUrl: addressOf(options.hubUrl ?? HUB_URL) ?? '',
    mirrors: (options.mirrors ?? []).map((url) => addressOf(url) ?? ''),
    fetch: options.fetch ?? platformFetch,
    openStore: () => openStore(options),
    isOutside: areBodiesOutside(),
    ort: options.ort,
    ortWasmPaths: options.ortWasmPaths,
    clock: options.clock ? guardedClock(options.clock) : platformClock,
    seed: seedBytes(options.seed),
    onMessage: options.onMessage,
    telemetry: options.telemetry,
    journal: options.journal,
  };
}

/** Browsers keep Blobs in a process of their own, Node in its buffers. */
function areBodiesOutside() {
  const { process } = /** @type {any} */ (globalThis);
  return !process?.versions?.node;
}

/**
 * Called with the receiver that it demands.
 * @type {typeof fetch}
 */
const platformFetch = (...args) => globalThis.fetch(...args);

/**
 * An address as `URL` spells it, for which many spellings are one.
 * @param {unknown} value
 */
function addressOf(value) {
  try {
    return typeof value === 'string' || value instanceof URL
      ? new URL(value).href.replace(/\/+$/, '') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * By its looks: there are several, of other realms and libraries.
 * @param {any} value
 */
function isSignal(value) {
  return typeof value.aborted === 'boolean'
    && typeof value.addEventListener === 'function';
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
 * What a cache may be given, or an error.
 * @param {any} response
 */
export function checkResponse(response) {
  if (!(response instanceof Response) || !response.ok || response.bodyUsed) {
    throw optionError('response: expected a Response that is ok and not read, '
      + `got ${response instanceof Response
        ? `one of status ${response.status}` : quote(response)}`);
  }
}

/**
 * What `importModel` takes, or an error.
 * @param {any} source
 */
export function checkImportSource(source) {
  const isFine = (source instanceof ReadableStream && !source.locked)
    || source instanceof Blob
    || (Array.isArray(source) && source.length > 0
      && source.every((file) => file instanceof Blob && 'name' in file));
  if (!isFine) {
    throw optionError('source: expected a ReadableStream that nobody reads, a '
      + `Blob or an array of Files, got ${quote(source)}`);
  }
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

/**
 * @param {string} message
 * @param {unknown} [cause]
 */
function optionError(message, cause) {
  return new TabAgentError(
    'invalid_argument', message, { stage: 'options', cause });
}
