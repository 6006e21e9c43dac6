// SPDX-License-Identifier: Apache-2.0
// Carries out what the core wants from files, tokenizer and sessions, and
// reports what came of it; wasm/chat/runtime.h describes the orders.

import { EVENT } from '../abi.js';
import {
  createCache, createSession, cutCache, describeSession, gatherCache, loadOrt,
  releaseCache, runSession,
} from './sessions.js';
import { ChatTokenizer } from './tokenizer.js';

/**
 * @typedef {object} Outside
 * @property {unknown} [ort]
 * @property {unknown} [ortWasmPaths]
 * @property {(request: number, order: any, signal: AbortSignal,
 *   onProgress: (message: any) => void) => Promise<any>} download
 * @property {(request: number, order: any, signal: AbortSignal)
 *   => Promise<Blob>} open
 * @property {(kind: number, event: import('../core.js').CoreEvent) => void}
 *   report
 */

const encoder = new TextEncoder();

/** What was ordered and has not ended, and what was made of it. */
export class Runtime {
  #outside;
  /** @type {Promise<any> | undefined} */
  #ort;
  /** @type {Map<number, AbortController>} */
  #running = new Map();
  /** @type {Map<number, any>} files, tokenizers, sessions and caches */
  #made = new Map();
  /** @type {Set<Promise<unknown>>} what ONNX Runtime is doing */
  #passes = new Set();

  /** @param {Outside} outside */
  constructor(outside) {
    this.#outside = outside;
  }

  /**
   * Starts what `order` says; returns at once.
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   */
  async start(request, order, bytes) {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(request, controller);
    const report = (/** @type {number} */ kind,
      /** @type {Uint8Array | string} */ payload, status = 0) => {
      if (signal.aborted) return;
      this.#outside.report(kind, {
        request, status,
        payload: typeof payload === 'string'
          ? encoder.encode(payload) : payload,
      });
    };
    try {
      const result = await this.#do(request, order, bytes, report, signal);
      report(EVENT.RUNTIME_END,
        result === undefined ? '' : JSON.stringify(result));
    } catch (error) {
      report(EVENT.RUNTIME_FAIL, wordsOf(error));
    } finally {
      this.#running.delete(request);
      if (signal.aborted) await this.#release(request);
    }
  }

  /**
   * Ends an order without a report, or releases what it made.
   * @param {number} request
   */
  abort(request) {
    const controller = this.#running.get(request);
    if (controller) {
      controller.abort();
    } else {
      this.#release(request);
    }
  }

  /** Ends everything. */
  close() {
    for (const controller of this.#running.values()) controller.abort();
    for (const request of [...this.#made.keys()]) this.#release(request);
  }

  /**
   * A session that runs, and the tensors it runs on, must stay to the end.
   * @param {number} request
   */
  async #release(request) {
    const made = this.#made.get(request);
    this.#made.delete(request);
    await Promise.allSettled(this.#passes);
    if (made instanceof Map) releaseCache(made);
    try {
      await made?.release?.();
    } catch {
      // It is gone either way.
    }
  }

  /**
   * @template T
   * @param {Promise<T>} pass
   * @returns {Promise<T>}
   */
  async #watch(pass) {
    this.#passes.add(pass);
    try {
      return await pass;
    } finally {
      this.#passes.delete(pass);
    }
  }

  #loadedOrt() {
    this.#ort ??= loadOrt(this.#outside.ort, this.#outside.ortWasmPaths);
    // A failure must not be kept for the next attempt.
    this.#ort.catch(() => { this.#ort = undefined; });
    return this.#ort;
  }

  /**
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   * @param {(kind: number, payload: Uint8Array | string, status?: number)
   *   => void} report
   * @param {AbortSignal} signal
   * @returns {Promise<any>} what the END tells
   */
  async #do(request, order, bytes, report, signal) {
    const made = this.#made;
    switch (order.do) {
      case 'download':
        return this.#outside.download(request, order, signal, (message) => report(
          EVENT.RUNTIME_PROGRESS, JSON.stringify(message)));
      case 'open': {
        const file = await this.#outside.open(request, order, signal);
        made.set(request, file);
        return { bytes: file.size };
      }
      case 'splice':
        made.set(request, splice(made.get(order.file), order, bytes));
        return undefined;
      case 'device':
        return { webgpu: await hasWebgpu() };
      case 'read': {
        const part = made.get(order.file).slice(order.from, order.to);
        report(EVENT.RUNTIME_DATA, new Uint8Array(await part.arrayBuffer()));
        return undefined;
      }
      case 'tokenizer': {
        const tokenizer = new ChatTokenizer(
          await this.#texts(order.files));
        made.set(request, tokenizer);
        report(EVENT.RUNTIME_DATA, tokenizer.specialTokens);
        return tokenizer.facts;
      }
      case 'render': {
        const tokenizer = made.get(order.tokenizer);
        report(EVENT.RUNTIME_DATA,
          bytesOfIds(tokenizer.encode(tokenizer.render(order), false)));
        return undefined;
      }
      case 'encode':
        report(EVENT.RUNTIME_DATA, bytesOfIds(
          made.get(order.tokenizer).encode(order.text, order.special)));
        return undefined;
      case 'decode':
        report(EVENT.RUNTIME_DATA,
          made.get(order.tokenizer).decode(order.ids, order.special));
        return undefined;
      default:
        return this.#watch(this.#doOrt(request, order, bytes, report));
    }
  }

  /**
   * The same for orders to ONNX Runtime.
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   * @param {(kind: number, payload: Uint8Array | string, status?: number)
   *   => void} report
   */
  async #doOrt(request, order, bytes, report) {
    const ort = await this.#loadedOrt();
    const made = this.#made;
    switch (order.do) {
      case 'session': {
        const external = order.external.map(
          (/** @type {any} */ { path, file }) => (
            { path, data: made.get(file) }));
        const session = await createSession(
          ort, made.get(order.graph), external, order);
        made.set(request, session);
        return describeSession(session);
      }
      case 'cache':
        made.set(request, createCache(ort, order.tensors));
        return undefined;
      case 'run': {
        const rows = await runSession(
          ort, made.get(order.session), made.get(order.cache), order, bytes);
        rows.forEach((row, i) => report(EVENT.RUNTIME_DATA, row, i));
        return undefined;
      }
      case 'cut':
        return cutCache(ort, made.get(order.cache), order);
      case 'gather':
        return gatherCache(ort, made.get(order.cache), order);
      default:
        throw new TypeError(`there is no order "${order.do}"`);
    }
  }

  /**
   * The texts of files, by the names that they are given.
   * @param {Record<string, number>} files
   */
  async #texts(files) {
    return Object.fromEntries(await Promise.all(Object.entries(files).map(
      async ([name, file]) => [name, await this.#made.get(file).text()])));
  }
}

/**
 * A file made of pieces of another and of new bytes.
 * @param {Blob} file
 * @param {{ pieces: number[] }} order
 * @param {Uint8Array} bytes the new ones, one piece after the other
 */
function splice(file, { pieces }, bytes) {
  /** @type {BlobPart[]} */
  const parts = [];
  let used = 0;
  for (let i = 0; i < pieces.length; i += 3) {
    const [from, to, count] = pieces.slice(i, i + 3);
    parts.push(file.slice(from, to), bytes.slice(used, used + count));
    used += count;
  }
  return new Blob(parts);
}

/** Whether there is an adapter that a session could use. */
async function hasWebgpu() {
  const { gpu } = /** @type {any} */ (globalThis.navigator ?? {});
  return Boolean(await gpu?.requestAdapter().catch(() => null));
}

/** @param {number[]} ids */
function bytesOfIds(ids) {
  return new Uint8Array(Int32Array.from(ids).buffer);
}

/** @param {any} error */
function wordsOf(error) {
  return `${error?.code ?? error?.name ?? 'Error'}: ${
    error?.message ?? String(error)}`;
}
