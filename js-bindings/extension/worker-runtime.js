// SPDX-License-Identifier: Apache-2.0
// The runtime of models in a worker of its own, with the face of the runtime
// that runs here: orders go over, reports come back. What needs the core, which
// is here, is done here. Without a model there is no worker: its end is the one
// way in which WebAssembly gives memory back.

import { EVENT } from '../abi.js';

/**
 * @typedef {import('../chat/runtime.js').Outside} Outside
 * @typedef {import('../chat/runtime.js').SessionFacts} SessionFacts
 *
 * @typedef {object} WorkerLike what there is of `Worker`
 * @property {(message: any, transfer?: any[]) => void} postMessage
 * @property {(name: any, listener: (event: any) => void) => void}
 *   addEventListener
 * @property {() => void} terminate
 *
 * @typedef {object} Options
 * @property {(name: string) => WorkerLike} createWorker
 * @property {{ request: (name: string, granted: () => any) => any }} [locks] tell
 *   when a worker is gone
 */

/** Orders that make something, which lives until it is dropped. */
const MAKERS = ['open', 'splice', 'tokenizer', 'session', 'cache'];

/** What the names of our workers begin with. */
export const WORKER_NAME = 'tabagent-ort-';

const encoder = new TextEncoder();

/** Runs orders in a worker; documented in chat/runtime.js. */
export class WorkerRuntime {
  #outside;
  #options;
  /** @type {WorkerLike | undefined} */
  #worker;
  #workers = 0;
  /** @type {Map<number, { verb: string, controller?: AbortController }>} */
  #running = new Map();
  /** @type {Set<number>} what was made and not dropped */
  #made = new Set();
  /** @type {((sessions: SessionFacts[]) => void)[]} who waits for an answer */
  #asking = [];

  /**
   * @param {Outside} outside
   * @param {Options} options
   */
  constructor(outside, options) {
    this.#outside = outside;
    this.#options = options;
  }

  /**
   * @param {number} request
   * @param {any} order
   * @param {Uint8Array} bytes taken over
   */
  start(request, order, bytes) {
    switch (order.do) {
      case 'download':
        this.#post({ do: 'warm', threads: order.threads });
        this.#doHere(request, order, (signal) => this.#outside.download(
          request, order, signal, (message) => this.#report(
            EVENT.RUNTIME_PROGRESS, request, JSON.stringify(message))));
        break;
      case 'ask':
        this.#doHere(request, order,
          (signal) => this.#outside.ask(request, order, signal));
        break;
      case 'open':
        this.#doHere(request, order, async (signal) => {
          const file = await this.#outside.open(request, order, signal);
          if (!signal.aborted) this.#post({ do: 'put', request, file });
          return { bytes: file.size };
        });
        break;
      case 'rest':
        this.#doHere(request, order, async () => {
          if (this.#made.size > 0) return;
          this.#end();
          this.#post({ do: 'warm', threads: order.threads });
        });
        break;
      default:
        this.#running.set(request, { verb: order.do });
        if (handlesOf(order).some((handle) => !this.#made.has(handle))) {
          this.#fail(request, 'worker_died: the worker that held it is gone');
          break;
        }
        this.#post({ do: 'start', request, order, bytes }, [bytes.buffer]);
    }
  }

  /** @param {number} request */
  abort(request) {
    const running = this.#running.get(request);
    // Most numbers are those of others.
    if (!running && !this.#made.has(request)) return;
    running?.controller?.abort();
    this.#running.delete(request);
    this.#made.delete(request);
    if (this.#worker) this.#post({ do: 'abort', request });
    this.#restLater();
  }

  /** @returns {Promise<SessionFacts[]>} */
  sessions() {
    if (!this.#worker) return Promise.resolve([]);
    return new Promise((resolve) => {
      this.#asking.push(resolve);
      this.#post({ do: 'sessions' });
    });
  }

  close() {
    for (const { controller } of this.#running.values()) controller?.abort();
    this.#running.clear();
    this.#made.clear();
    this.#end();
  }

  /**
   * @param {any} message
   * @param {any[]} [transfer]
   */
  #post(message, transfer = []) {
    try {
      this.#worker ??= this.#create();
      this.#worker.postMessage(message, transfer);
    } catch (error) {
      // Whoever waits for an answer must get one, but not within their call.
      queueMicrotask(() => this.#die(error));
    }
  }

  #create() {
    this.#workers += 1;
    const name = `${WORKER_NAME}${this.#workers}-${crypto.randomUUID()}`;
    const worker = this.#options.createWorker(name);
    const isOurs = () => worker === this.#worker;
    worker.addEventListener('message', ({ data }) => {
      if (!isOurs()) return;
      if (data.isReady) this.#watch(name, isOurs);
      else this.#take(data);
    });
    for (const failure of ['error', 'messageerror']) {
      worker.addEventListener(failure, (event) => {
        event.preventDefault?.();
        if (isOurs()) this.#die(event.message ?? failure);
      });
    }
    return worker;
  }

  /**
   * A worker holds a lock as long as it lives.
   * @param {string} name
   * @param {() => boolean} isOurs
   */
  #watch(name, isOurs) {
    this.#options.locks?.request(name, () => {
      if (isOurs()) this.#die('it has ended');
    });
  }

  /** @param {any} data what the worker says */
  #take({ sessions, kind, event }) {
    if (sessions) {
      this.#asking.shift()?.(sessions);
      return;
    }
    const { request } = event;
    const running = this.#running.get(request);
    if (!running) return; // it was aborted
    if (kind === EVENT.RUNTIME_END || kind === EVENT.RUNTIME_FAIL) {
      this.#running.delete(request);
    }
    if (kind === EVENT.RUNTIME_END && MAKERS.includes(running.verb)) {
      this.#made.add(request);
    }
    this.#outside.report(kind, event);
  }

  /**
   * Carries out an order on this side.
   * @param {number} request
   * @param {any} order
   * @param {(signal: AbortSignal) => Promise<any>} act
   */
  #doHere(request, order, act) {
    const controller = new AbortController();
    this.#running.set(request, { verb: order.do, controller });
    act(controller.signal).then((result) => {
      if (controller.signal.aborted) return;
      this.#running.delete(request);
      if (MAKERS.includes(order.do)) this.#made.add(request);
      this.#report(EVENT.RUNTIME_END, request, JSON.stringify(result));
    }, (error) => {
      if (!controller.signal.aborted) {
        this.#fail(request, `${error?.code ?? error?.name ?? 'Error'}: ${
          error?.message ?? String(error)}`);
      }
    });
  }

  /**
   * @param {number} request
   * @param {string} words
   */
  #fail(request, words) {
    this.#running.delete(request);
    this.#report(EVENT.RUNTIME_FAIL, request, words);
    this.#restLater();
  }

  /**
   * @param {number} kind
   * @param {number} request
   * @param {string} text
   */
  #report(kind, request, text) {
    this.#outside.report(kind, { request, payload: encoder.encode(text) });
  }

  /** @param {unknown} reason why there is no worker any more */
  #die(reason) {
    this.#made.clear();
    this.#end();
    for (const [request, { controller }] of [...this.#running]) {
      if (!controller && this.#running.has(request)) {
        this.#fail(request, `worker_died: ${reason}`);
      }
    }
  }

  /** Ends the worker when nobody has any use for it. */
  #restLater() {
    // What else the core does in this turn may need the worker.
    queueMicrotask(() => {
      const isUsed = [...this.#running.values()]
        .some(({ verb }) => !['download', 'ask'].includes(verb));
      if (this.#made.size === 0 && !isUsed) this.#end();
    });
  }

  #end() {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const answer of this.#asking.splice(0)) answer([]);
  }
}

/**
 * What an order needs of what others made.
 * @param {any} order
 * @returns {number[]}
 */
function handlesOf({
  file, graph, tokenizer, session, cache, files = {}, external = [],
}) {
  return [
    file, graph, tokenizer, session, cache, ...Object.values(files),
    ...external.map((/** @type {any} */ one) => one.file),
  ].filter(Boolean);
}
