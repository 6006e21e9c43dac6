// SPDX-License-Identifier: Apache-2.0
// An extension in the fake browser: our router as its service worker, our host
// in its page, panels with clients.

import { Client } from '../../js-bindings/extension/client-manager.js';
import { Host } from '../../js-bindings/extension/hosting.js';
import { RemoteLoop } from '../../js-bindings/extension/remote-loop.js';
import { Router } from '../../js-bindings/extension/router.js';
import { ModelManager } from '../../js-bindings/model-manager.js';
import { MemoryStore } from '../store/memory-store.js';
import { HUB_URL, loopOf, quiet } from '../store/world.js';
import { FakeBrowser } from './fake-chrome.js';

/**
 * @typedef {import('./fake-chrome.js').FakeContext} FakeContext
 * @typedef {import('../../js-bindings/extension/hosting.js').Made} Made
 */

export const HOST_PAGE = 'tabagent-host.html';

/** Timers that a test lets go off. */
class FakeTimers {
  /** @type {Map<number, { callback: () => void, ms: number }>} */
  #waiting = new Map();
  #last = 0;

  /** @param {() => void} callback @param {number} ms */
  setTimeout = (callback, ms) => {
    this.#last += 1;
    this.#waiting.set(this.#last, { callback, ms });
    return this.#last;
  };

  /** @param {number} timer */
  clearTimeout = (timer) => { this.#waiting.delete(timer); };

  /** Those that are set for at most so long go off. */
  fire(maxMs = Infinity) {
    for (const [timer, { callback, ms }] of [...this.#waiting]) {
      if (ms <= maxMs && this.#waiting.delete(timer)) callback();
    }
  }

  get size() { return this.#waiting.size; }
}

/**
 * What answers to nothing but what it is asked in tests of messages; that it is
 * configured first is tested once.
 * @param {(message: any, sender?: any) => any} handleMessage
 * @param {object} [more]
 * @returns {any}
 */
export function plainMade(handleMessage, more = {}) {
  return {
    manager: {
      resumeJobs: async () => [],
      handleMessage: async (
        /** @type {any} */ message, /** @type {any} */ sender,
      ) => (message.type === 'tabagent:configure' ? { success: true }
        : handleMessage(message, sender)),
    },
    loop: {
      run: async (/** @type {any} */ message) => handleMessage(message),
      jobs: () => [], memory: async () => ({ wasmBytes: 1, sessions: [] }),
    },
    ...more,
  };
}

/**
 * Installs an extension.
 * @param {object} [options]
 * @param {object} [options.background] options of startBackground
 * @param {(options: any) => Promise<Made>} [options.createManager]
 * @param {(context: FakeContext) => void} [options.hostScript] in place of ours
 */
export function installExtension({
  background = {}, createManager = managerMaker(), hostScript,
} = {}) {
  const browser = new FakeBrowser();
  const timers = new FakeTimers();
  /** @type {number} */
  let closed = 0;
  browser.pages.set(HOST_PAGE, hostScript ?? ((context) => {
    new Host(context.platform, {
      createManager,
      locks: context.locks,
      openChannel: (name) => context.openChannel(name),
      now: () => Date.now(),
      setTimeout: timers.setTimeout,
      url: context.url,
      close: () => { closed += 1; context.kill(); },
    });
  }));
  browser.install((context) => {
    new Router(context.platform, {
      hostUrl: HOST_PAGE, allowContentScripts: [], ...background,
    }, {
      locks: context.locks, document: browser.document,
      setTimeout: /** @type {any} */ (timers.setTimeout),
      clearTimeout: /** @type {any} */ (timers.clearTimeout),
    }).listen();
  });
  return {
    browser, timers,
    get closed() { return closed; },
    /** @param {FakeContext} [page] */
    connect(page = browser.openPage()) {
      const loop = new RemoteLoop(page.platform, {
        locks: page.locks, setTimeout: timers.setTimeout,
        clearTimeout: timers.clearTimeout,
      });
      return { page, loop, client: new Client(loop, createLocal) };
    },
  };

  /** @param {any} options @param {any} bringFile */
  async function createLocal(options, bringFile) {
    const { manager } = await createManager({ ...options, bringFile });
    return manager;
  }
}

/**
 * Makes managers of one store, each with a core of its own.
 * @param {{ store?: MemoryStore } & import('../store/world.js').WorldOptions}
 *   [options]
 * @returns {(options: any) => Promise<Made>}
 */
export function managerMaker({ store = new MemoryStore(), ...options } = {}) {
  return async ({ onMessage, bringFile }) => {
    const loop = await loopOf(store, { ...options, onMessage });
    const manager = new ModelManager(
      loop, options.hubUrl ?? HUB_URL, options.fetch ?? fetch, undefined,
      bringFile);
    return { loop, manager };
  };
}

/**
 * Waits until something is so; whatever makes it so takes turns only.
 * @param {() => any} isSo
 */
export async function settle(isSo) {
  for (let i = 0; i < 2000; i += 1) {
    if (await isSo()) return;
    await quiet(1);
  }
  throw new Error(`it never came about: ${isSo}`);
}
