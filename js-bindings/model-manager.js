// SPDX-License-Identifier: Apache-2.0
// The face of the product: methods that become requests to the core.

import { Core, loadCore } from './core.js';
import { errorOfMessage } from './errors.js';
import { Loop } from './loop.js';
import { messageStream } from './message-stream.js';
import { readCallOptions, readOptions, readStreamOptions }
  from './options.js';

/**
 * @typedef {import('./types/index.d.ts').ModelManager} Manager
 * @typedef {import('./types/index.d.ts').ModelManagerOptions} Options
 * @typedef {import('./types/index.d.ts').ListChatModelsParams} Params
 */

/**
 * Loads the core and makes a manager.
 * @param {Options} [options]
 * @returns {Promise<Manager>}
 */
export async function createModelManager(options = {}) {
  const { wasm, hubUrl, seed, ...outside } = readOptions(options);
  const exports = await loadCore(wasm);
  const now = () => outside.clock.now();
  const core = new Core(exports, { hubUrl, seed, now });
  return new ModelManager(new Loop(core, outside));
}

/**
 * All that can be done with models; documented in types/index.d.ts.
 * @implements {Manager}
 */
class ModelManager {
  #loop;
  #lastId = 0;

  /** @param {Loop} loop */
  constructor(loop) {
    this.#loop = loop;
  }

  /** @type {Manager['listChatModels']} */
  async listChatModels(params, options) {
    const { models, meta } = await this.#listChatModels(
      params, readCallOptions(options));
    return { models, meta };
  }

  /** @type {Manager['listChatModelsStream']} */
  async* listChatModelsStream(params, options) {
    const { signal } = readStreamOptions(options);
    yield* messageStream(
      (inner) => this.#listChatModels(params, inner), signal);
  }

  /** @type {Manager['handleMessage']} */
  async handleMessage(message) {
    return this.#loop.run(message);
  }

  /** @type {Manager['jobs']} */
  async jobs() {
    return this.#loop.jobs();
  }

  /** @type {Manager['memory']} */
  async memory() {
    return { wasmBytes: this.#loop.memoryBytes };
  }

  /** @type {Manager['dispose']} */
  async dispose() {
    this.#loop.dispose();
  }

  /**
   * @param {Params | undefined} params
   * @param {import('./loop.js').CallOptions} options
   * @returns {Promise<any>} the terminal message
   */
  async #listChatModels(params = {}, options) {
    this.#lastId += 1;
    const end = await this.#loop.run({
      action: 'listChatModels', id: `listChatModels-${this.#lastId}`, params,
    }, options);
    if (end.code !== undefined) {
      throw errorOfMessage(end, options.signal?.reason);
    }
    return end;
  }
}
