// SPDX-License-Identifier: Apache-2.0
// What tests ask of a manager, in a page or a service worker.

// @ts-expect-error the server puts the package there
import { createModelManager } from '/dist/index.js';

/** @type {any} */
let manager;

/** Bytes that a reader asks for at a time: no multiple of anything. */
const READ_BYTES = 300_007;

/**
 * Progress of downloads, the last one of each model.
 * @type {Record<string, any>}
 */
export const progress = {};

/**
 * Ends of what was begun.
 * @type {Record<string, Promise<any>>}
 */
const begun = {};

/** @param {object} options */
export async function openManager(options) {
  manager = await createModelManager(options);
}

/**
 * Calls a method; an error comes as an object that says what it says.
 * @param {{ name: string, args: any[] }} call
 */
export async function callManager({ name, args }) {
  try {
    return await manager[name](...args);
  } catch (error) {
    return { failure: describe(error) };
  }
}

/** @param {any} error */
function describe(error) {
  const {
    name, code, message, stage, retryable, neededBytes, freeBytes, quotaBytes,
  } = error;
  return {
    name, code, message, stage, retryable, neededBytes, freeBytes, quotaBytes,
  };
}

/**
 * Begins a download; `endOfDownload` has the rest.
 * @param {{ modelId: string, options?: object }} order
 */
export function beginDownload({ modelId, options }) {
  begun[modelId] = callManager({
    name: 'download',
    args: [modelId, {
      ...options,
      onProgress: (/** @type {any} */ message) => {
        progress[modelId] = message;
      },
    }],
  });
}

/** @param {string} modelId */
export function endOfDownload(modelId) {
  return begun[modelId];
}

/** @param {string} modelId */
export function loadedOf(modelId) {
  return progress[modelId]?.loaded ?? 0;
}

/**
 * Fetches a file and says what came: status, headers, and the SHA-256 of the
 * body as it was read.
 * @param {{ url: string, init?: RequestInit, how?: string }} order how:
 *   `arrayBuffer`, `blob`, `byob` or `default`
 */
export async function fetchFile({ url, init, how = 'arrayBuffer' }) {
  try {
    const response = await manager.fetch(url, init);
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      ...await describeBody(response, how),
    };
  } catch (error) {
    return { failure: describe(error) };
  }
}

/**
 * @param {Response} response
 * @param {string} how it is read
 */
export async function describeBody(response, how) {
  const bytes = await readBody(response, how);
  return { bytes: bytes.length, sha256: await sha256(bytes) };
}

/**
 * Reads the first bytes of a file and leaves.
 * @param {{ url: string, bytes: number }} order
 */
export async function readBeginning({ url, bytes }) {
  const response = await manager.fetch(url);
  const reader = response.body.getReader();
  let count = 0;
  while (count < bytes) count += (await reader.read()).value.length;
  await reader.cancel();
  return count;
}

/**
 * @param {Response} response
 * @param {string} how
 */
async function readBody(response, how) {
  if (how === 'arrayBuffer') return new Uint8Array(await response.arrayBuffer());
  if (how === 'blob') {
    return new Uint8Array(await (await response.blob()).arrayBuffer());
  }
  return joined(how === 'byob'
    ? await readWithBuffers(response) : await readPieces(response));
}

/** @param {Response} response */
async function readPieces(response) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  const reader = /** @type {ReadableStream} */ (response.body).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return pieces;
    pieces.push(value);
  }
}

/** @param {Response} response */
async function readWithBuffers(response) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  const reader = /** @type {ReadableStream} */ (response.body)
    .getReader({ mode: 'byob' });
  let buffer = new ArrayBuffer(READ_BYTES);
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(buffer));
    if (done) return pieces;
    pieces.push(value.slice());
    buffer = /** @type {ArrayBuffer} */ (value.buffer);
  }
}

/** @param {Uint8Array[]} pieces */
function joined(pieces) {
  const whole = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** @param {Uint8Array} bytes */
async function sha256(bytes) {
  const digest = await crypto.subtle.digest('SHA-256',
    /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What `manager.cache` has. @param {string} url */
export async function matchFile(url) {
  const response = await manager.cache.match(url);
  return response && sha256(new Uint8Array(await response.arrayBuffer()));
}
