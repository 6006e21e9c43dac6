// SPDX-License-Identifier: Apache-2.0
// A store in memory that tests look into, stop and break: entries are values
// of a map, and what is done to them can be watched one by one.

import { closedError, storeError } from '../../js-bindings/store/errors.js';
import { formatObject } from '../../js-bindings/store/json-object.js';
import { bytesOfBlob, readBatch } from '../../js-bindings/store/layout.js';
import { acquireInRealm, Locks } from '../../js-bindings/store/locks.js';

/**
 * @typedef {import('../../js-bindings/store/index.js').Store} Store
 * @typedef {import('../../js-bindings/store/layout.js').StoreName} StoreName
 * @typedef {Uint8Array | Blob | Record<string, any>} Entry record, content or
 *   object
 * @typedef {Record<StoreName, Map<string, Entry>>} Data
 *
 * @typedef {object} Watch what stands before and behind each operation
 * @property {(name: string, batch?: readonly any[]) => void | Promise<void>}
 *   [before] throwing fails the operation, with nothing done
 * @property {(name: string, batch?: readonly any[]) => void | Promise<void>}
 *   [after] it is done, but nobody has been told
 */

/** @returns {Data} */
export function emptyData() {
  return { files: new Map(), manifest: new Map(), inferenceSettings: new Map() };
}

/**
 * As it is now. Entries are never changed, only replaced.
 * @param {Data} data
 * @returns {Data}
 */
export function copyOf(data) {
  return {
    files: new Map(data.files), manifest: new Map(data.manifest),
    inferenceSettings: new Map(data.inferenceSettings),
  };
}

/** Locks are among the stores of one realm that have the same data. */
let lastLock = 0;
/** @type {WeakMap<Data, number>} */
const lockNumbers = new WeakMap();

/** @implements {Store} */
export class MemoryStore {
  data;
  #watch;
  #locks;
  #isClosed = false;
  /**
   * @type {{ usage: number | null, quota: number | null,
   *   persisted?: boolean | null }}
   */
  room = { usage: null, quota: null };

  /**
   * @param {Data} [data]
   * @param {Watch} [watch]
   */
  constructor(data = emptyData(), watch = {}) {
    this.data = data;
    this.#watch = watch;
    let number = lockNumbers.get(data);
    if (number === undefined) lockNumbers.set(data, number = ++lastLock);
    this.#locks = new Locks((name, signal) => (
      acquireInRealm(`memory ${number} ${name}`, signal)));
  }

  /** @type {Store['get']} */
  get(store, key) {
    return this.#do('get', async () => {
      const entry = this.data[store].get(key);
      if (entry === undefined) return null;
      if (entry instanceof Blob) return bytesOfBlob(entry);
      return bytesOf(entry);
    });
  }

  /** @type {Store['list']} */
  list(store, prefix) {
    return this.#do('list', () => (
      keysOf(this.data[store], prefix).flatMap((key) => {
        const entry = this.data[store].get(key);
        return entry === undefined || entry instanceof Blob ? []
          : [{ key, bytes: bytesOf(entry) }];
      })));
  }

  /** @type {Store['keys']} */
  keys(prefix) {
    return this.#do('keys', () => keysOf(this.data.files, prefix));
  }

  /** @type {Store['size']} */
  size(key) {
    return this.#do('size', () => {
      const entry = this.data.files.get(key);
      return entry instanceof Blob ? entry.size : null;
    });
  }

  /** @type {Store['blob']} */
  blob(key) {
    return this.#do('blob', () => {
      const entry = this.data.files.get(key);
      return entry instanceof Blob ? entry : null;
    });
  }

  /** @type {Store['write']} */
  write(batch) {
    const steps = readBatch(batch);
    return this.#do('write', () => {
      for (const { store, step } of steps) this.#take(store, step);
    }, batch);
  }

  /** @type {Store['estimate']} */
  estimate() {
    return this.#do('estimate', () => ({ persisted: null, ...this.room }));
  }

  /** @type {Store['lock']} */
  lock(name, signal) {
    return this.#do('lock', () => this.#locks.lock(name, signal));
  }

  close() {
    this.#isClosed = true;
    this.#locks.close();
  }

  /**
   * @param {StoreName} store
   * @param {import('../../js-bindings/store/layout.js').Step} step
   */
  #take(store, step) {
    const entries = this.data[store];
    const { key } = step;
    switch (step.kind) {
      case 'content': entries.set(key, step.blob); break;
      case 'record': entries.set(key, step.bytes); break;
      case 'delete': entries.delete(key); break;
      default:
        entries.set(key, step.change(/** @type {any} */ (entries.get(key))));
    }
  }

  /**
   * @template T
   * @param {string} name
   * @param {() => T | Promise<T>} work
   * @param {readonly any[]} [batch]
   * @returns {Promise<T>}
   */
  async #do(name, work, batch) {
    if (this.#isClosed) throw closedError();
    await this.#watch.before?.(name, batch);
    const result = await work();
    await this.#watch.after?.(name, batch);
    return result;
  }
}

/**
 * A Blob with other bytes in it. Like a Blob of a disk, it tells nothing of
 * that until it is read.
 * @param {Entry | undefined} entry
 * @param {(bytes: Uint8Array) => Uint8Array} change
 * @returns {Promise<Entry>}
 */
export async function changed(entry, change) {
  if (entry instanceof Blob) {
    const bytes = change(new Uint8Array(await entry.arrayBuffer()));
    return new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)],
      { type: entry.type });
  }
  if (entry instanceof Uint8Array) return change(entry.slice());
  throw storeError('NotReadableError', 'there is no such record');
}

/**
 * @param {Map<string, Entry>} entries
 * @param {string} prefix
 */
function keysOf(entries, prefix) {
  return [...entries.keys()].filter((key) => key.startsWith(prefix)).sort();
}

/** @param {Exclude<Entry, Blob>} entry */
function bytesOf(entry) {
  return entry instanceof Uint8Array ? entry.slice() : formatObject(entry);
}
