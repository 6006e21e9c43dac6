// SPDX-License-Identifier: Apache-2.0
// Carries out what the core wants from files, tokenizer and sessions, and
// reports what came of it; wasm/chat/runtime.h describes the orders.

import { EVENT, VERSION } from '../abi.js';
import {
  createCache, createSession, cutCache, describeSession, gatherCache, loadOrt,
  releaseCache, runSession,
} from './sessions.js';
import { ChatTokenizer } from './tokenizer.js';
import { yieldTurn } from './turns.js';

/**
 * @typedef {object} Outside
 * @property {unknown} [ort]
 * @property {unknown} [ortWasmPaths]
 * @property {(request: number, order: any, signal: AbortSignal,
 *   onProgress: (message: any) => void) => Promise<any>} download
 * @property {(request: number, order: any, signal: AbortSignal)
 *   => Promise<any>} ask
 * @property {(request: number, order: any, signal: AbortSignal)
 *   => Promise<Blob>} open
 * @property {(kind: number, event: import('../core.js').CoreEvent) => void}
 *   report
 *
 * @typedef {object} SessionFacts
 * @property {number} bytes of graph and weights
 * @property {string} executionProvider the first of those it was made for
 */

const encoder = new TextEncoder();

/** An order that has not ended. */
class Task {
  isAborted = false;
  /** @type {AbortController | undefined} */
  #controller;

  /** For work that can be broken off; most cannot. */
  get signal() {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  abort() {
    this.isAborted = true;
    this.#controller?.abort();
  }
}

/** What was ordered and has not ended, and what was made of it. */
export class Runtime {
  #outside;
  /** @type {Promise<any> | undefined} */
  #ort;
  /** @type {Map<number, Task>} */
  #running = new Map();
  /** @type {Map<number, any>} files, tokenizers, sessions and caches */
  #made = new Map();
  /** @type {Set<Promise<unknown>>} what ONNX Runtime is doing */
  #passes = new Set();
  /** @type {Map<number, SessionFacts>} of the sessions that were made */
  #sessions = new Map();

  /** @param {Outside} outside */
  constructor(outside) {
    this.#outside = outside;
  }

  /**
   * Starts what `order` says. What needs no waiting is reported at once: there
   * are two orders for each token.
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   */
  start(request, order, bytes) {
    const task = new Task();
    this.#running.set(request, task);
    const report = (/** @type {number} */ kind,
      /** @type {Uint8Array | string} */ payload, status = 0) => {
      if (task.isAborted) return;
      this.#outside.report(kind, {
        request, status,
        payload: typeof payload === 'string'
          ? encoder.encode(payload) : payload,
      });
    };
    const end = (/** @type {number} */ kind, /** @type {string} */ payload) => {
      this.#running.delete(request);
      if (task.isAborted) this.#release(request);
      else report(kind, payload);
    };
    const succeed = (/** @type {any} */ result) => end(
      EVENT.RUNTIME_END, result === undefined ? '' : JSON.stringify(result));
    const fail = (/** @type {unknown} */ error) => end(
      EVENT.RUNTIME_FAIL, wordsOf(error));
    let result;
    try {
      result = this.#do(request, order, bytes, report, task);
    } catch (error) {
      fail(error);
      return;
    }
    if (result instanceof Promise) result.then(succeed, fail);
    else succeed(result);
  }

  /**
   * Ends an order without a report, or releases what it made.
   * @param {number} request
   */
  abort(request) {
    const task = this.#running.get(request);
    if (task) {
      task.abort();
    } else {
      this.#release(request);
    }
  }

  /**
   * Takes what somebody else made for `request`.
   * @param {number} request
   * @param {unknown} made
   */
  put(request, made) {
    this.#made.set(request, made);
  }

  /**
   * Begins what takes long and every load needs.
   * @param {number} threads that WebAssembly shall have
   */
  warm(threads) {
    this.#loadedOrt(threads).catch(() => {});
  }

  /** @returns {Promise<SessionFacts[]>} of the sessions that there are */
  async sessions() {
    return [...this.#sessions.values()];
  }

  /** Ends everything. */
  close() {
    for (const task of this.#running.values()) task.abort();
    for (const request of [...this.#made.keys()]) this.#release(request);
  }

  /**
   * A session that runs, and the tensors it runs on, must stay to the end.
   * @param {number} request
   */
  async #release(request) {
    const made = this.#made.get(request);
    this.#made.delete(request);
    this.#sessions.delete(request);
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

  /** @param {number} [threads] that WebAssembly shall have */
  #loadedOrt(threads = 1) {
    const { ort, ortWasmPaths } = this.#outside;
    this.#ort ??= loadOrt(ort, ortWasmPaths, threads).catch((error) => {
      // A failure must not be kept for the next attempt.
      this.#ort = undefined;
      throw error;
    });
    return this.#ort;
  }

  /**
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes
   * @param {(kind: number, payload: Uint8Array | string, status?: number)
   *   => void} report
   * @param {Task} task
   * @returns {any} what the END tells, or a promise of that
   */
  #do(request, order, bytes, report, task) {
    const made = this.#made;
    const give = (/** @type {Uint8Array | string} */ data) => report(
      EVENT.RUNTIME_DATA, data);
    switch (order.do) {
      case 'download':
        // A load begins. There is time until somebody needs it.
        this.warm(order.threads);
        return this.#outside.download(request, order, task.signal,
          (message) => report(
            EVENT.RUNTIME_PROGRESS, JSON.stringify(message)));
      case 'ask':
        return this.#outside.ask(request, order, task.signal);
      case 'open':
        return this.#outside.open(request, order, task.signal)
          .then((file) => {
            made.set(request, file);
            return { bytes: file.size };
          });
      case 'splice':
        made.set(request, splice(made.get(order.file), order, bytes));
        return undefined;
      case 'device':
        return describeDevice();
      case 'rest':
        return undefined; // here nothing can be given back
      case 'read':
        return made.get(order.file).slice(order.from, order.to).arrayBuffer()
          .then((/** @type {ArrayBuffer} */ part) => give(new Uint8Array(part)));
      case 'tokenizer':
        return this.#texts(order.files).then((texts) => {
          const tokenizer = new ChatTokenizer(texts);
          made.set(request, tokenizer);
          give(tokenizer.specialTokens);
          return tokenizer.facts;
        });
      case 'render': {
        const tokenizer = made.get(order.tokenizer);
        return give(
          bytesOfIds(tokenizer.encode(tokenizer.render(order), false)));
      }
      case 'encode':
        return give(bytesOfIds(
          made.get(order.tokenizer).encode(order.text, order.special)));
      case 'decode':
        return give(
          made.get(order.tokenizer).decode(order.ids, order.special));
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
    const ort = await this.#loadedOrt(order.threads);
    const made = this.#made;
    switch (order.do) {
      case 'session': {
        const external = order.external.map(
          (/** @type {any} */ { path, file }) => (
            { path, data: made.get(file) }));
        const session = await createSession(
          ort, made.get(order.graph), external, order,
          () => report(EVENT.RUNTIME_PROGRESS, ''));
        made.set(request, session);
        this.#sessions.set(request, {
          bytes: external.reduce(
            (/** @type {number} */ sum, /** @type {any} */ { data }) => (
              sum + data.size), made.get(order.graph).size),
          executionProvider: order.providers[0],
        });
        return describeSession(session);
      }
      case 'cache':
        made.set(request, createCache(ort, order.tensors));
        return undefined;
      case 'run': {
        await yieldTurn();
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

/** What there is to run a session on. */
async function describeDevice() {
  const { crossOriginIsolated, navigator, process } = /** @type {any} */ (
    globalThis);
  const adapter = await navigator?.gpu?.requestAdapter().catch(() => null);
  const { vendor, architecture, device, description } = adapter?.info ?? {};
  return {
    webgpu: adapter ? {
      features: [...adapter.features ?? []],
      driver: [vendor, architecture, device, description].join(' '),
    } : null,
    isolated: Boolean(crossOriginIsolated),
    cores: navigator?.hardwareConcurrency ?? 1,
    software: `${VERSION} ${process?.version ?? navigator?.userAgent}`,
  };
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
