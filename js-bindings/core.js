// SPDX-License-Identifier: Apache-2.0
// The WebAssembly module: loading it, and its exports as one object with
// events going in and actions coming out.

import { ABI_VERSION, CAPS, ERRORS, EVENT, WORD } from './abi.js';
import { TabAgentError } from './errors.js';

/**
 * @typedef {import('./types/index.d.ts').WasmSource} WasmSource
 *
 * @typedef {object} CoreEvent
 * @property {number} [op]
 * @property {number} [request]
 * @property {number} [status]
 * @property {number} [flags]
 * @property {Uint8Array} [payload]
 *
 * @typedef {object} Action
 * @property {number} kind
 * @property {number} op
 * @property {number} request
 * @property {number} flags
 * @property {Uint8Array} first valid until the next call of the core
 * @property {Uint8Array} second likewise
 *
 * @typedef {object} Exports what the module exports; see wasm/abi/abi.c
 * @property {WebAssembly.Memory} memory
 * @property {() => void} [_initialize]
 * @property {() => number} tam_abi_version
 * @property {(len: number) => number} tam_abi_alloc
 * @property {(ptr: number) => void} tam_abi_free
 * @property {(urlPtr: number, urlLen: number, seedPtr: number) => number}
 *   tam_abi_manager_new
 * @property {(manager: number) => void} tam_abi_manager_del
 * @property {(manager: number, len: number) => number} tam_abi_in_buf
 * @property {(manager: number, kind: number, op: number, request: number,
 *   status: number, flags: number, len: number, nowMs: number) => number}
 *   tam_abi_feed
 * @property {(manager: number) => number} tam_abi_next
 * @property {(manager: number, nowMs: number) => number} tam_abi_deadline
 * @property {(manager: number) => number} tam_abi_busy
 */

const NOTHING = new Uint8Array(0);
const RECORD_WORDS = Object.keys(WORD).length;

/**
 * Events whose payload is a stretch of a longer text and may be cut.
 * @type {Set<number>}
 */
const STREAMED = new Set([
  EVENT.LISTING_DATA, EVENT.HTTP_DATA, EVENT.STORE_DATA, EVENT.RUNTIME_DATA,
]);

/**
 * Loads and starts the module.
 * @param {WasmSource} [source] the file beside this module when absent
 * @returns {Promise<Exports>}
 */
export async function loadCore(
  source = new URL('./tabagent.wasm', import.meta.url),
) {
  const module = await compile(source).catch((error) => {
    throw error instanceof TabAgentError ? error : loadError(
      'invalid_argument', `cannot load tabagent.wasm: ${error.message}`, error);
  });
  const instance = await WebAssembly.instantiate(module);
  const exports = exportsOf(instance);
  exports._initialize?.();
  const version = exports.tam_abi_version?.();
  if (version !== ABI_VERSION) {
    throw loadError('invalid_argument',
      `tabagent.wasm has ABI version ${version}, expected ${ABI_VERSION}`);
  }
  return exports;
}

/**
 * @param {any} instance
 * @returns {Exports} checked by their version only
 */
function exportsOf(instance) {
  return instance.exports;
}

/**
 * @param {WasmSource} source
 * @returns {Promise<WebAssembly.Module>}
 */
async function compile(source) {
  if (source instanceof WebAssembly.Module) return source;
  // Of all that may hold bytes, V8 refuses a DataView.
  if (source instanceof DataView) {
    return WebAssembly.compile(new Uint8Array(
      /** @type {ArrayBuffer} */ (source.buffer),
      source.byteOffset, source.byteLength));
  }
  if (typeof source !== 'string' && !(source instanceof URL)) {
    return WebAssembly.compile(source);
  }
  const url = String(source);
  if (isNodeFile(url)) {
    // An address that bundlers for browsers do not follow.
    const address = ['node', 'fs/promises'].join(':');
    const fs = await import(
      /* webpackIgnore: true */ /* @vite-ignore */ address);
    return WebAssembly.compile(await fs.readFile(
      url.startsWith('file:') ? new URL(url) : url));
  }
  const response = await fetch(url).catch((error) => {
    throw loadError('network', `cannot fetch ${url}: ${error.message}`, error);
  });
  if (!response.ok) {
    throw loadError('http_status', `${url} answered ${response.status}`);
  }
  const type = response.headers.get('content-type');
  return type === 'application/wasm'
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Node's fetch knows no files: those are read from disk. A text that is not a
 * URL is a path there.
 * @param {string} url
 */
function isNodeFile(url) {
  const { process } = /** @type {any} */ (globalThis);
  return process?.versions?.node && !/^(https?|data|blob):/.test(url);
}

/**
 * @param {string} code
 * @param {string} message
 * @param {unknown} [cause]
 */
function loadError(code, message, cause) {
  return new TabAgentError(code, message, { stage: 'wasm', cause });
}

/** One manager of the core: all state of the product. */
export class Core {
  #exports;
  #now;
  #manager;

  /**
   * @param {Exports} exports
   * @param {{ hubUrl: string, mirrors?: string[], seed: Uint8Array,
   *   now: () => number }} options
   */
  constructor(exports, { hubUrl, mirrors = [], seed, now }) {
    this.#exports = exports;
    this.#now = now;
    const url = new TextEncoder().encode([hubUrl, ...mirrors].join('\n'));
    const ptr = exports.tam_abi_alloc(seed.length + url.length);
    if (ptr === 0) throw new TabAgentError('out_of_memory', 'out of memory');
    this.#write(ptr, seed);
    this.#write(ptr + seed.length, url);
    this.#manager = exports.tam_abi_manager_new(
      ptr + seed.length, url.length, ptr);
    exports.tam_abi_free(ptr);
    if (this.#manager === 0) {
      const names = mirrors.length > 0 ? 'hubUrl or mirrors' : 'hubUrl';
      throw new TabAgentError('invalid_argument', `option ${names}: expected an `
        + `http or https address, got "${[hubUrl, ...mirrors].join('", "')}"`,
      { stage: 'options' });
    }
  }

  /** Size of the linear memory. */
  get memoryBytes() {
    return this.#exports.memory.buffer.byteLength;
  }

  /** How many operations have not ended. */
  get busy() {
    return this.#exports.tam_abi_busy(this.#manager);
  }

  /**
   * Tells the core what happened.
   * @param {number} kind one of `EVENT`
   * @param {CoreEvent} [event]
   * @returns {number} 0, or a negative error
   */
  feed(kind, { op, request, status, flags, payload = NOTHING } = {}) {
    const max = kind >= EVENT.RUNTIME_DATA
      ? CAPS.EVENT_RUNTIME_PAYLOAD_MAX : CAPS.EVENT_PAYLOAD_MAX;
    let at = 0;
    do {
      const piece = STREAMED.has(kind)
        ? payload.subarray(at, at + max) : payload;
      if (piece.length > max) return numberOf('TOO_LARGE');
      const ptr = this.#exports.tam_abi_in_buf(this.#manager, piece.length);
      if (ptr === 0) return numberOf('OUT_OF_MEMORY');
      this.#write(ptr, piece);
      const error = this.#exports.tam_abi_feed(this.#manager, kind, op ?? 0,
        request ?? 0, status ?? 0, flags ?? 0, piece.length, this.#now());
      if (error < 0) return error;
      at += piece.length;
    } while (at < payload.length);
    return 0;
  }

  /**
   * @returns {Action | null} what the core wants done, or null when nothing
   */
  next() {
    const at = this.#exports.tam_abi_next(this.#manager);
    if (at === 0) return null;
    const { buffer } = this.#exports.memory;
    const word = new Uint32Array(buffer, at, RECORD_WORDS);
    return {
      kind: word[WORD.kind],
      op: word[WORD.op],
      request: word[WORD.request],
      flags: word[WORD.flags],
      first: new Uint8Array(buffer, word[WORD.firstPtr], word[WORD.firstLen]),
      second: new Uint8Array(
        buffer, word[WORD.secondPtr], word[WORD.secondLen]),
    };
  }

  /** Milliseconds until the core wants a TIMER event; -1: it wants none. */
  deadline() {
    return this.#exports.tam_abi_deadline(this.#manager, this.#now());
  }

  /** Frees the manager; no other method may be called afterwards. */
  delete() {
    this.#exports.tam_abi_manager_del(this.#manager);
    this.#manager = 0;
  }

  /**
   * A view is made for each use: growing memory detaches older ones.
   * @param {number} ptr
   * @param {Uint8Array} bytes
   */
  #write(ptr, bytes) {
    new Uint8Array(this.#exports.memory.buffer, ptr).set(bytes);
  }
}

/** @param {string} name */
function numberOf(name) {
  return Number(ERRORS.find((error) => error.name === name)?.number);
}
