// SPDX-License-Identifier: Apache-2.0
// What is stored, and what is on its way.

import { wasCancelled } from './problem.js';

/**
 * @typedef {import('tabagent-wasm').ModelManager} ModelManager
 * @typedef {import('tabagent-wasm').StoredModel} StoredModel
 * @typedef {import('tabagent-wasm').StorageUse} StorageUse
 * @typedef {import('tabagent-wasm').DownloadProgress} Progress
 *
 * @typedef {object} Transfer
 * @property {string} key
 * @property {string} modelId
 * @property {string | null} dtype
 * @property {string | null} id in the product's queue, once it is known
 * @property {'queued' | 'running' | 'paused' | 'failed'} state
 * @property {Progress['phase']} phase
 * @property {number} loaded
 * @property {number} total 0: not known yet
 * @property {number} rate bytes per second
 * @property {number | null} etaMs
 * @property {unknown} error
 * @property {boolean} isOurs this panel hears of its progress
 * @property {number} seenAt when its size was last seen
 */

/** How often the queue is asked while something is on its way. */
const POLL_MS = 500;

/** @param {string} modelId @param {string | null} dtype */
function keyOf(modelId, dtype) {
  return `${modelId} ${dtype ?? ''}`;
}

/**
 * What the queue says of a download that another panel has begun: its rate is
 * what has come since the last time.
 * @param {Transfer} transfer
 * @param {number} loaded
 * @param {number} total
 */
function measure(transfer, loaded, total) {
  const now = performance.now();
  const come = loaded - transfer.loaded;
  if (transfer.seenAt > 0 && come > 0) {
    const rate = come / (now - transfer.seenAt) * 1000;
    transfer.rate = transfer.rate > 0 ? (3 * transfer.rate + rate) / 4 : rate;
    transfer.etaMs = (total - loaded) / transfer.rate * 1000;
  }
  if (come > 0 || transfer.seenAt === 0) transfer.seenAt = now;
  Object.assign(transfer, { loaded, total, phase: 'download' });
}

/** Emits `change` (of what is stored) and `progress` (of transfers). */
export class Library extends EventTarget {
  /** @type {StoredModel[]} */
  models = [];
  /** @type {StorageUse | null} */
  use = null;
  /** @type {Map<string, Transfer>} */
  transfers = new Map();
  isKnown = false;
  #manager;
  #isPolling = false;

  /** @param {ModelManager} manager */
  constructor(manager) {
    super();
    this.#manager = manager;
    // Nobody looks at a hidden panel: it asks again when it is seen.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && this.isKnown) this.#poll().catch(() => {});
    });
  }

  async refresh() {
    const [models, use] = await Promise.all(
      [this.#manager.models(), this.#manager.storage()]);
    this.models = models;
    this.use = use;
    this.isKnown = true;
    this.dispatchEvent(new Event('change'));
    await this.#poll();
  }

  /**
   * The variants that can be loaded, each as the chat offers it.
   */
  ready() {
    return this.models.filter(({ current }) => current)
      .flatMap(({ modelId, dtypes }) => dtypes
        .filter(({ complete }) => complete)
        .map(({ dtype, bytes }) => ({ modelId, dtype, bytes })));
  }

  /** @param {string} modelId @param {string} [dtype] */
  isStored(modelId, dtype) {
    return this.ready().some((one) => one.modelId === modelId
      && (dtype === undefined || one.dtype === dtype));
  }

  /** @param {string} modelId @param {string} dtype */
  transferOf(modelId, dtype) {
    return this.transfers.get(keyOf(modelId, dtype));
  }

  /**
   * @param {string} modelId
   * @param {string} dtype
   */
  async download(modelId, dtype) {
    const transfer = this.#transfer(modelId, dtype);
    if (transfer.state !== 'failed' && transfer.isOurs) return;
    Object.assign(transfer, { state: 'queued', error: null, isOurs: true });
    this.#progressed();
    this.#watch();
    try {
      await this.#manager.download(modelId, {
        dtype,
        onProgress: ({ phase, loaded, total, bytesPerSecond, etaMs }) => {
          Object.assign(transfer,
            { phase, loaded, total, rate: bytesPerSecond, etaMs });
          if (phase !== 'waiting' && transfer.state === 'queued') {
            transfer.state = 'running';
          }
          this.#progressed();
        },
      });
      this.transfers.delete(transfer.key);
    } catch (error) {
      this.#fail(transfer, error);
    }
    this.#progressed();
    await this.refresh();
  }

  /** @param {Transfer} transfer */
  async pause(transfer) {
    await this.#act(transfer, (id) => this.#manager.pauseDownload(id));
  }

  /** @param {Transfer} transfer */
  async resume(transfer) {
    await this.#act(transfer, (id) => this.#manager.resumeDownload(id));
    this.#watch();
  }

  /**
   * What is stored of it stays, for the next attempt.
   * @param {Transfer} transfer
   */
  async cancel(transfer) {
    await this.#act(transfer, (id) => this.#manager.cancelDownload(id));
  }

  /** @param {Transfer} transfer that failed */
  dismiss(transfer) {
    this.transfers.delete(transfer.key);
    this.#progressed();
  }

  /**
   * @param {Transfer} transfer
   * @param {(id: string) => Promise<void>} act
   */
  async #act(transfer, act) {
    if (transfer.id === null) await this.#poll();
    if (transfer.id === null) return;
    try {
      await act(transfer.id);
    } catch (error) {
      // It has ended in the meantime.
      if (/** @type {any} */ (error)?.code !== 'not_found') throw error;
    }
    await this.#poll();
  }

  /** @param {Transfer} transfer @param {unknown} error */
  #fail(transfer, error) {
    if (wasCancelled(error)) {
      this.transfers.delete(transfer.key);
    } else {
      Object.assign(transfer, { state: 'failed', error, id: null, isOurs: false });
    }
  }

  /**
   * @param {string} modelId
   * @param {string | null} dtype
   * @returns {Transfer}
   */
  #transfer(modelId, dtype) {
    const key = keyOf(modelId, dtype);
    let transfer = this.transfers.get(key);
    if (!transfer) {
      transfer = {
        key, modelId, dtype, id: null, state: 'queued', phase: 'waiting',
        loaded: 0, total: 0, rate: 0, etaMs: null, error: null, isOurs: false,
        seenAt: 0,
      };
      this.transfers.set(key, transfer);
    }
    return transfer;
  }

  /** Takes up the product's queue: also what another panel began. */
  async #poll() {
    const downloads = await this.#manager.downloads();
    const there = new Set();
    for (const { id, modelId, dtype, state, loaded, total } of downloads) {
      const transfer = this.#transfer(modelId, dtype);
      there.add(transfer.key);
      Object.assign(transfer, { id, state });
      if (!transfer.isOurs) measure(transfer, loaded, total);
      if (state === 'paused') Object.assign(transfer, { rate: 0, etaMs: null });
    }
    let hasEnded = false;
    for (const transfer of this.transfers.values()) {
      if (transfer.isOurs || transfer.state === 'failed' || there.has(transfer.key)) {
        continue;
      }
      this.transfers.delete(transfer.key);
      hasEnded = true;
    }
    this.#progressed();
    // What is paused goes on only when somebody says so, and then is asked for.
    if (downloads.some(({ state }) => state !== 'paused')) this.#watch();
    if (hasEnded) await this.refresh();
  }

  #watch() {
    if (this.#isPolling || document.hidden) return;
    this.#isPolling = true;
    setTimeout(async () => {
      this.#isPolling = false;
      await this.#poll().catch(() => this.#watch());
    }, POLL_MS);
  }

  #progressed() {
    this.dispatchEvent(new Event('progress'));
  }
}
