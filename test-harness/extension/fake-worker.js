// SPDX-License-Identifier: Apache-2.0
// Workers that run in this thread, behind the platform's own message channels:
// what cannot be cloned or moved fails as it does between threads.

import { serveRuntime } from '../../js-bindings/extension/ort-worker.js';

/** The workers that a test has made. */
export class FakeWorkers {
  /** @type {FakeWorker[]} */
  all = [];
  ort;
  /** @type {(() => void) | undefined} called before one is made */
  onCreate;

  /** @param {unknown} ort what runs in them */
  constructor(ort) {
    this.ort = ort;
  }

  get living() {
    return this.all.filter(({ isAlive }) => isAlive);
  }

  /** @param {string} name */
  create = (name) => {
    this.onCreate?.();
    const worker = new FakeWorker(this, name);
    this.all.push(worker);
    return worker;
  };

  /** What the runtime takes; with it, a death is noticed. */
  locks = {
    /**
     * @param {string} name
     * @param {() => void} granted
     */
    request: async (name, granted) => {
      await this.all.find((worker) => worker.name === name)?.ended;
      granted();
    },
  };
}

/** One worker. */
class FakeWorker {
  isAlive = true;
  name;
  /** @type {Promise<void>} */
  ended;
  #channel = new MessageChannel();
  /** @type {((event: any) => void)[]} */
  #failed = [];
  #end = () => {};

  /**
   * @param {FakeWorkers} workers
   * @param {string} name
   */
  constructor(workers, name) {
    this.name = name;
    this.ended = new Promise((resolve) => { this.#end = resolve; });
    const { port2 } = this.#channel;
    serveRuntime({
      name,
      postMessage: (message, transfer = []) => {
        if (this.isAlive) port2.postMessage(message, transfer);
      },
      addEventListener: (_, listener) => {
        port2.addEventListener('message', (event) => {
          if (this.isAlive) listener(event);
        });
        port2.start();
      },
    }, { ort: workers.ort });
  }

  /**
   * @param {any} message
   * @param {any[]} [transfer]
   */
  postMessage(message, transfer = []) {
    this.#channel.port1.postMessage(message, transfer);
  }

  /**
   * @param {string} name
   * @param {(event: any) => void} listener
   */
  addEventListener(name, listener) {
    if (name === 'error') this.#failed.push(listener);
    if (name !== 'message') return;
    this.#channel.port1.addEventListener('message', listener);
    this.#channel.port1.start();
  }

  terminate() {
    this.isAlive = false;
    this.#channel.port1.close();
    this.#end();
  }

  /** Ends as by the platform: nobody is told but by the lock. */
  kill() {
    this.terminate();
  }

  /** @param {string} message */
  crash(message) {
    for (const listener of this.#failed) listener({ message });
  }
}
