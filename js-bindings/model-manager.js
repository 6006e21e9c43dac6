// SPDX-License-Identifier: Apache-2.0
// The face of the product: methods that become requests to the core.

import { PROTOCOL_VERSION, VERSION } from './abi.js';
import { WorkerEventNames } from './constants.js';
import { Core, loadCore } from './core.js';
import { errorOfMessage, TabAgentError } from './errors.js';
import { EventLog, loggedCore } from './event-log.js';
import { gatherFacts } from './facts.js';
import { lazyStream } from './lazy-stream.js';
import { Loop } from './loop.js';
import { messageStream, partStream } from './message-stream.js';
import {
  checkImportSource, checkResponse, checkSubscription, readCallOptions,
  readJobsOptions, readLoginOptions, readOptions, readScope, readStreamOptions,
  readTokenOptions, splitOptions,
} from './options.js';
import { serveFile, wantedOf } from './served-file.js';
import { StreamInput } from './stream-input.js';

/**
 * @typedef {import('./types/index.d.ts').ModelManager} Manager
 * @typedef {import('./types/index.d.ts').ModelManagerOptions} Options
 * @typedef {import('./types/index.d.ts').ListChatModelsParams} Params
 *
 * @typedef {object} ManagedLoop a loop, here or elsewhere
 * @property {Loop['run']} run
 * @property {(withEnded?: boolean) => Promise<Job[]> | Job[]} jobs
 * @property {(id: string, seq: number, signal?: AbortSignal)
 *   => AsyncGenerator<any, void, void>} subscribe
 * @property {Loop['memory']} memory
 * @property {() => void} dispose
 * @property {number} [memoryBytes] of a core that is here
 * @property {Clock} [clock] of a core that is here
 * @property {string} life what makes ids those of this manager
 *
 * @typedef {import('./types/index.d.ts').Clock} Clock
 * @typedef {import('./types/index.d.ts').Job} Job
 */

/**
 * Has somebody who has a token store a file of the Hub.
 * @typedef {(url: string, signal?: AbortSignal | null) => Promise<boolean>}
 *   BringFile
 */

/**
 * Under it the host of an extension, which is a file of its own, adds what
 * nobody else needs.
 */
const INSIDE = Symbol.for('tabagent-wasm.inside');

/**
 * Loads the core and makes a manager.
 * @param {Options & { [INSIDE]?: {
 *   openRuntime?: import('./loop.js').Outside['openRuntime'],
 *   bringFile?: BringFile,
 *   onMade?: (parts: { loop: Loop, log: EventLog,
 *     openStore: import('./loop.js').Outside['openStore'] }) => void } }}
 *   [options]
 * @returns {Promise<Manager>}
 */
export async function createModelManager(options = {}) {
  const { openRuntime, bringFile, onMade } = options?.[INSIDE] ?? {};
  const { wasm, hubUrl, mirrors, seed, ...outside } = readOptions(options);
  const exports = await loadCore(wasm);
  const now = () => outside.clock.now();
  const log = new EventLog(now);
  const core = loggedCore(
    new Core(exports, { hubUrl, mirrors, seed, now }), log);
  const loop = new Loop(core, { ...outside, openRuntime });
  onMade?.({ loop, log, openStore: outside.openStore });
  return new ModelManager(loop, hubUrl, outside.fetch, log, bringFile);
}

/**
 * All that can be done with models; documented in types/index.d.ts.
 * @implements {Manager}
 */
export class ModelManager {
  #loop;
  #hubUrl;
  #fetch;
  #log;
  #bringFile;
  #lastId = 0;

  /**
   * @param {ManagedLoop} loop
   * @param {string} hubUrl
   * @param {typeof fetch} fetch for what is not the store's business
   * @param {EventLog} [log] of what the core hears and says
   * @param {BringFile} [bringFile] for what is refused to us
   */
  constructor(
    loop, hubUrl, fetch, log = new EventLog(Date.now), bringFile = undefined,
  ) {
    this.#loop = loop;
    this.#hubUrl = hubUrl;
    this.#fetch = fetch;
    this.#log = log;
    this.#bringFile = bringFile;
    // Libraries take them off and call them alone.
    this.fetch = this.fetch.bind(this);
    this.cache = {
      match: this.#match.bind(this), put: this.#put.bind(this),
    };
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

  /** @type {Manager['plan']} */
  plan(modelId, options) {
    return this.#ask('plan', { modelId }, options);
  }

  /** @type {Manager['download']} */
  download(modelId, options) {
    return this.#ask('download', { modelId }, options);
  }

  /** @type {Manager['models']} */
  async models() {
    return (await this.#ask('models')).models;
  }

  /** @type {Manager['deleteModel']} */
  async deleteModel(modelId, options) {
    await this.#ask('deleteModel', { modelId }, options);
  }

  /** @type {Manager['verifyModel']} */
  verifyModel(modelId, options) {
    return this.#ask('verifyModel', { modelId }, options);
  }

  /** @type {Manager['pinModel']} */
  async pinModel(modelId, pinned) {
    await this.#ask('pinModel', { modelId, pinned });
  }

  /** @type {Manager['checkForUpdate']} */
  checkForUpdate(modelId, options) {
    return this.#ask('checkForUpdate', { modelId }, options);
  }

  /** @type {Manager['updateModel']} */
  updateModel(modelId, options) {
    return this.#ask('updateModel', { modelId }, options);
  }

  /** @type {Manager['rollbackModel']} */
  rollbackModel(modelId) {
    return this.#ask('rollbackModel', { modelId });
  }

  /** @type {Manager['exportModel']} */
  exportModel(modelId, options) {
    return lazyStream(async () => {
      const { writeArchive } = await import('./archive.js');
      const model = await this.#ask('exportModel', { modelId }, options);
      return writeArchive(model, (path) => this.#openStored(model, path));
    });
  }

  /** @type {Manager['importModel']} */
  async importModel(source, options) {
    checkImportSource(source);
    const { call: { signal } } = splitOptions(options);
    const { archiveOf, FilesInput, readArchive } = await import('./archive.js');
    const archive = archiveOf(source);
    if (!archive) {
      const input = new FilesInput(/** @type {File[]} */ (source));
      return this.#ask('importFiles', { input: true }, options,
        { input, rows: input.rows });
    }
    const { description, input } = await readArchive(
      archive, /** @type {Clock} */ (this.#loop.clock), signal);
    const { files, modelId, revision, commit, task } = description;
    try {
      return await this.#ask('importModel',
        { modelId, revision, commit, task, input: true },
        options, { input, rows: files });
    } finally {
      input.close();
    }
  }

  /** @type {Manager['downloads']} */
  async downloads() {
    return (await this.#ask('downloads')).downloads;
  }

  /** @type {Manager['pauseDownload']} */
  async pauseDownload(id) {
    await this.#ask('pauseDownload', { id });
  }

  /** @type {Manager['resumeDownload']} */
  async resumeDownload(id) {
    await this.#ask('resumeDownload', { id });
  }

  /** @type {Manager['cancelDownload']} */
  async cancelDownload(id, options) {
    await this.#ask('cancelDownload', { id }, options);
  }

  /** @type {Manager['clearStore']} */
  async clearStore() {
    await this.#ask('clearStore');
  }

  /** @type {Manager['doctor']} */
  async doctor() {
    const facts = await gatherFacts();
    return (await this.#ask('doctor', {
      facts,
      unlimitedStorage:
        facts?.manifest?.permissions.includes('unlimitedStorage'),
    })).checks;
  }

  /** @type {Manager['storage']} */
  storage() {
    return this.#ask('storage');
  }

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    const signal = init?.signal
      ?? (input instanceof Request ? input.signal : undefined);
    const wanted = wantedOf(input, init);
    const serve = () => serveFile(
      this.#loop, this.#nextId('fetchFile'), wanted, signal);
    // What is elsewhere does not depend on the core in any way.
    let served = wanted.url.startsWith(`${this.#hubUrl}/`) && await serve();
    if (served === 'refused' && await this.#bringFile?.(wanted.url, signal)) {
      served = await serve();
    }
    return served instanceof Response ? served : this.#fetch(input, init);
  }

  /** @type {Manager['load']} */
  async load(request, options) {
    return this.#ask('load', request, bare(readCallOptions(options)));
  }

  /** @type {Manager['generate']} */
  async generate(request, options) {
    return this.#ask('generate', request, bare(readTokenOptions(options)));
  }

  /** @type {Manager['generateStream']} */
  async* generateStream(request, options) {
    const { signal } = readStreamOptions(options);
    return yield* partStream(
      (inner) => this.#ask('generate', request, bare(inner)), signal);
  }

  /** @type {Manager['settings']} */
  async settings(scope) {
    return (await this.#ask('settings', readScope(scope))).settings;
  }

  /** @type {Manager['updateSettings']} */
  async updateSettings(patch, scope) {
    return (await this.#ask(
      'updateSettings', { ...readScope(scope), settings: patch })).settings;
  }

  /** @type {Manager['stop']} */
  async stop() {
    await this.#ask('stop');
  }

  /** @type {Manager['reset']} */
  async reset() {
    await this.#ask('reset');
  }

  /** @type {Manager['state']} */
  state() {
    return this.#ask('state');
  }

  /** @type {Manager['login']} */
  async login(token, options) {
    return this.#ask('login', { token }, readLoginOptions(options));
  }

  /** @type {Manager['logout']} */
  async logout() {
    await this.#ask('logout');
  }

  /** @type {Manager['account']} */
  async account() {
    return (await this.#ask('account')).account;
  }

  /** @type {Manager['handleMessage']} */
  async handleMessage(message) {
    try {
      return await this.#loop.run(this.#withMemory(message));
    } catch (error) {
      if (error instanceof TabAgentError && error.code === 'not_ours') {
        return undefined;
      }
      throw error;
    }
  }

  /** @type {Manager['jobs']} */
  async jobs(options) {
    return this.#loop.jobs(readJobsOptions(options));
  }

  /** @type {Manager['subscribe']} */
  subscribe(jobId, fromSeq = -1, options) {
    checkSubscription(jobId, fromSeq);
    const { signal } = readStreamOptions(options);
    if (!this.#loop.subscribe) {
      throw new TabAgentError('invalid_state', 'jobs are kept by the host');
    }
    return this.#loop.subscribe(jobId, fromSeq, signal ?? undefined);
  }

  /** @type {Manager['resumeJobs']} */
  async resumeJobs(options) {
    const { jobs } = await this.#ask(
      'resumeJobs', {}, readStreamOptions(options));
    return jobs;
  }

  /** @type {Manager['log']} */
  async log() {
    return {
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION,
      platform: globalThis.navigator?.userAgent ?? null,
      entries: this.#log.entries(),
    };
  }

  /** @type {Manager['memory']} */
  async memory() {
    const [memory, storage] = await Promise.all([
      this.#loop.memory(), this.storage().catch(() => null),
    ]);
    return { ...memory, storeBytes: storage?.usedBytes ?? null };
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
  #listChatModels(params = {}, options) {
    return this.#run('listChatModels', params, options);
  }

  /**
   * @param {string} action
   * @param {object} [params]
   * @param {object} [options] of the call; parameters are among them
   * @param {Pick<import('./loop.js').CallOptions, 'input' | 'rows'>} [handedIn]
   * @returns {Promise<any>} what the terminal message carries
   */
  async #ask(action, params = {}, options, handedIn = {}) {
    const { call, rest } = splitOptions(options);
    const { action: name, id, seq, ts, protocolVersion, ...result }
      = await this.#run(action, { ...rest, ...params },
        { ...call, ...handedIn });
    return result;
  }

  /**
   * @param {string} action
   * @param {object} params
   * @param {import('./loop.js').CallOptions} options
   * @returns {Promise<any>} the terminal message
   */
  async #run(action, params, options) {
    const end = await this.#loop.run(
      { action, id: this.#nextId(action), params }, options);
    if (end.code !== undefined) {
      throw errorOfMessage(end, options.signal?.reason);
    }
    return end;
  }

  /**
   * @param {{ modelId: string, commit: string }} model
   * @param {string} path
   * @returns {Promise<ReadableStream<Uint8Array>>}
   */
  async #openStored({ modelId, commit }, path) {
    const served = await serveFile(this.#loop, this.#nextId('export'), {
      url: `${this.#hubUrl}/${modelId}/resolve/${commit}/${
        path.split('/').map(encodeURIComponent).join('/')}`,
      method: 'GET', onlyCached: true,
    });
    if (!(served instanceof Response) || !served.body) {
      throw new TabAgentError('store_damaged',
        `${path} is no longer in the store`, { stage: 'export', modelId });
    }
    return served.body;
  }

  /**
   * Puts what only the platform knows into a question for it.
   * @param {any} message
   * @returns {unknown}
   */
  #withMemory(message) {
    if (message?.type !== WorkerEventNames.REQUEST_MEMORY_STATS) return message;
    const { usedJSHeapSize, totalJSHeapSize, jsHeapSizeLimit }
      = /** @type {any} */ (performance).memory ?? {};
    return { ...message, payload: {
      usedJSHeapSize, totalJSHeapSize, jsHeapSizeLimit,
      wasmBytes: this.#loop.memoryBytes,
    } };
  }

  /** @param {string} action */
  #nextId(action) {
    this.#lastId += 1;
    return `${action}-${this.#loop.life}${this.#lastId}`;
  }

  /**
   * @param {RequestInfo | URL} request
   * @returns {Promise<Response | undefined>}
   */
  async #match(request) {
    const served = await serveFile(this.#loop, this.#nextId('match'), {
      ...wantedOf(request), onlyCached: true,
    });
    return served instanceof Response && served.ok ? served : undefined;
  }

  /**
   * @param {RequestInfo | URL} request
   * @param {Response} response
   */
  async #put(request, response) {
    checkResponse(response);
    const body = new StreamInput(response.body);
    const input = { read: (
      /** @type {string} */ _path, /** @type {number} */ from,
      /** @type {number | undefined} */ to,
      /** @type {(bytes: number) => void} */ onBytes) => (
      body.read(from, to, onBytes)) };
    try {
      const stored = await serveFile(this.#loop, this.#nextId('put'),
        { ...wantedOf(request), input: true }, null, input);
      if (stored instanceof Response) await stored.body?.cancel();
    } finally {
      await body.close();
    }
  }
}

/**
 * Has progress told without what makes a message of it.
 * @template {import('./loop.js').CallOptions} Options
 * @param {Options} options
 * @returns {Options}
 */
function bare({ onProgress, ...options }) {
  return /** @type {any} */ ({
    ...options,
    onProgress: onProgress && ((/** @type {any} */ message) => {
      const { action, id, protocolVersion, seq, ts, ...rest } = message;
      return onProgress(rest);
    }),
  });
}
