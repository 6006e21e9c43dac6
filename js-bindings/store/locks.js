// SPDX-License-Identifier: Apache-2.0
// Locks by name: those of the platform where it has them, else a queue within
// this realm.

import { closedError } from './errors.js';

/**
 * @typedef {() => void} Release may be called more than once
 *
 * @typedef {(name: string, signal: AbortSignal) => Promise<Release>} Acquire
 *   waits for the lock; rejects with the reason of the signal
 */

/**
 * The end of the queue of each name that somebody holds.
 * @type {Map<string, Promise<void>>}
 */
const queues = new Map();

/**
 * First come, first served.
 * @type {Acquire}
 */
export async function acquireInRealm(name, signal) {
  signal.throwIfAborted();
  const before = queues.get(name);
  /** @type {Release} */
  let release = () => {};
  const released = new Promise((/** @type {(value: void) => void} */ resolve) => {
    release = resolve;
  });
  const end = Promise.resolve(before).then(() => released);
  queues.set(name, end);
  end.then(() => {
    if (queues.get(name) === end) queues.delete(name);
  });
  try {
    if (before) await untilAborted(before, signal);
    return release;
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * @param {LockManager} locks
 * @returns {Acquire}
 */
export function acquireFrom(locks) {
  return (name, signal) => new Promise((resolve, reject) => {
    locks.request(name, { signal }, () => (
      new Promise((release) => { resolve(() => release(undefined)); })
    )).catch(reject);
  });
}

/**
 * Settles as `promise` does, or rejects when the signal comes first.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
function untilAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}

/** The locks of one store: its end is theirs. */
export class Locks {
  #acquire;
  /** @type {Set<Release>} */
  #held = new Set();
  /**
   * Not listeners of one signal: Node warns of more than ten.
   * @type {Set<AbortController>}
   */
  #waiting = new Set();
  #isClosed = false;

  /** @param {Acquire} acquire */
  constructor(acquire) {
    this.#acquire = acquire;
  }

  /**
   * @param {string} name
   * @param {AbortSignal} [signal]
   * @returns {Promise<Release>}
   */
  async lock(name, signal) {
    const waiting = new AbortController();
    const abort = () => waiting.abort(signal?.reason);
    if (this.#isClosed) waiting.abort(closedError());
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    this.#waiting.add(waiting);
    try {
      const free = await this.#acquire(name, waiting.signal);
      const release = () => {
        if (this.#held.delete(release)) free();
      };
      this.#held.add(release);
      // It may have been granted and aborted in the same moment.
      if (waiting.signal.aborted) {
        release();
        throw waiting.signal.reason;
      }
      return release;
    } finally {
      this.#waiting.delete(waiting);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Releases all that are held and ends every wait for one. */
  close() {
    this.#isClosed = true;
    for (const waiting of this.#waiting) waiting.abort(closedError());
    for (const release of [...this.#held]) release();
  }
}
