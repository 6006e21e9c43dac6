// SPDX-License-Identifier: Apache-2.0
// A manager whose work is done by the host. What moves bytes is done in the
// page, on the same store.

import { errorOfMessage } from '../errors.js';
import { lazyStream } from '../lazy-stream.js';
import { ModelManager } from '../model-manager.js';

/**
 * @typedef {import('../types/index.d.ts').ModelManager} Manager
 *
 * @typedef {(options: { hubUrl?: string, mirrors?: string[] },
 *   bringFile: import('../model-manager.js').BringFile) => Promise<Manager>}
 *   CreateLocal
 */

/** Documented in types/client.d.ts. */
export class Client extends ModelManager {
  #loop;
  #createLocal;
  #lastFile = 0;
  /** @type {Promise<Manager> | undefined} */
  #local;

  /**
   * @param {import('./remote-loop.js').RemoteLoop} loop
   * @param {CreateLocal} createLocal
   */
  constructor(loop, createLocal) {
    super(loop, '', globalThis.fetch);
    this.#loop = loop;
    this.#createLocal = createLocal;
    /** @type {Manager['cache']} */
    const cache = {
      match: async (request) => (await this.#here()).cache.match(request),
      put: async (request, response) => (
        (await this.#here()).cache.put(request, response)),
    };
    this.cache = cache;
  }

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   */
  async fetch(input, init) {
    return (await this.#here()).fetch(input, init);
  }

  /** @type {Manager['exportModel']} */
  exportModel(modelId, options) {
    return lazyStream(
      async () => (await this.#here()).exportModel(modelId, options));
  }

  /** @type {Manager['importModel']} */
  async importModel(source, options) {
    return (await this.#here()).importModel(source, options);
  }

  /** @type {Manager['login']} */
  async login(token, { persist } = {}) {
    const { name, role } = await this.#loop.account(
      'login', { token, persist });
    return { name, role };
  }

  /** @type {Manager['logout']} */
  async logout() {
    await this.#loop.account('logout', {});
  }

  /** @type {Manager['log']} */
  log() {
    return this.#loop.log();
  }

  /** @type {Manager['dispose']} */
  async dispose() {
    await super.dispose();
    const local = await this.#local?.catch(() => undefined);
    await local?.dispose();
  }

  /**
   * Here is no token: what needs one the host fetches into the store.
   * @param {string} url
   * @param {AbortSignal | null} [signal]
   */
  async #bringFile(url, signal) {
    this.#lastFile += 1;
    const end = await this.#loop.run({
      action: 'storeFile', id: `storeFile-${this.#loop.life}${this.#lastFile}`,
      params: { url },
    }, { signal });
    if (end.code !== undefined) throw errorOfMessage(end, signal?.reason);
    return end.outcome === 'file';
  }

  /** The manager of this page, of the same store and the same Hub. */
  #here() {
    this.#local ??= this.#loop.hub()
      .then((hub) => this.#createLocal(
        hub, (url, signal) => this.#bringFile(url, signal)))
      .catch((error) => {
        this.#local = undefined;
        throw error;
      });
    return this.#local;
  }
}
