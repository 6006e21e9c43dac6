// SPDX-License-Identifier: Apache-2.0
// The store in IndexedDB, in the layout of TabAgent's database.

import { Database } from './database.js';
import { bytesOfBlob, KEY_PATHS, readBatch } from './layout.js';
import { formatObject } from './json-object.js';
import { acquireFrom, acquireInRealm, Locks } from './locks.js';

/**
 * @typedef {import('./index.js').Store} Store
 *
 * @typedef {object} Read
 * @property {string} store
 * @property {(objects: IDBObjectStore) => IDBRequest<any>} ask
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

const DATABASE = 'TabAgentModels';

/** @implements {Store} */
export class IndexedDbStore {
  #database;
  #locks;
  /** @type {Read[]} what was asked for since the microtask began */
  #reads = [];

  /** @param {IDBFactory | undefined} indexedDB */
  constructor(indexedDB) {
    this.#database = new Database(indexedDB, DATABASE);
    const { locks } = globalThis.navigator ?? {};
    this.#locks = new Locks(locks ? acquireFrom(locks) : acquireInRealm);
  }

  /** @type {Store['get']} */
  async get(store, key) {
    const entry = await this.#read(store, (objects) => objects.get(key));
    const blob = blobOf(entry);
    if (store === 'files' && blob) return bytesOfBlob(blob);
    return bytesOf(store, entry);
  }

  /** @type {Store['list']} */
  async list(store, prefix) {
    /** @type {any[]} */
    const entries = await this.#read(
      store, (objects) => objects.getAll(rangeOf(prefix)));
    return entries.flatMap((entry) => {
      const bytes = bytesOf(store, entry);
      return bytes ? [{ key: entry[KEY_PATHS[store]], bytes }] : [];
    });
  }

  /** @type {Store['keys']} */
  async keys(prefix) {
    return this.#read('files', (files) => files.getAllKeys(rangeOf(prefix)));
  }

  /** @type {Store['size']} */
  async size(key) {
    return (await this.blob(key))?.size ?? null;
  }

  /** @type {Store['blob']} */
  async blob(key) {
    return blobOf(await this.#read('files', (files) => files.get(key)));
  }

  /** @type {Store['write']} */
  async write(batch) {
    const steps = readBatch(batch);
    const stores = [...new Set(steps.map(({ store }) => store))];
    if (stores.length === 0) return;
    await this.#database.transact(stores, 'readwrite', (transaction, fail) => {
      takeSteps(transaction, steps, fail);
      return () => {};
    });
  }

  /** @type {Store['estimate']} */
  async estimate() {
    const { storage } = globalThis.navigator ?? {};
    const { usage, quota } = await storage?.estimate?.() ?? {};
    const persisted = await storage?.persisted?.();
    return {
      usage: usage ?? null, quota: quota ?? null, persisted: persisted ?? null,
    };
  }

  /** @type {Store['lock']} */
  async lock(name, signal) {
    return this.#locks.lock(`${DATABASE}:${name}`, signal);
  }

  /** @type {Store['close']} */
  close() {
    this.#locks.close();
    this.#database.close();
  }

  /**
   * What is asked for at once shares a transaction, whose beginning and end
   * take longer than a read.
   * @param {string} store
   * @param {(objects: IDBObjectStore) => IDBRequest<any>} ask
   * @returns {Promise<any>}
   */
  #read(store, ask) {
    return new Promise((resolve, reject) => {
      this.#reads.push({ store, ask, resolve, reject });
      if (this.#reads.length === 1) {
        queueMicrotask(() => this.#readAll(this.#reads.splice(0)));
      }
    });
  }

  /** @param {Read[]} reads */
  async #readAll(reads) {
    const stores = [...new Set(reads.map(({ store }) => store))];
    try {
      const results = await this.#database.transact(
        stores, 'readonly', (transaction) => {
          const requests = reads.map(
            ({ store, ask }) => ask(transaction.objectStore(store)));
          return () => requests.map(({ result }) => result);
        });
      for (const [i, { resolve }] of reads.entries()) resolve(results[i]);
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
}

/**
 * One after the other: a step may depend on what the one before it left.
 * @param {IDBTransaction} transaction
 * @param {ReturnType<typeof readBatch>} steps
 * @param {(error: unknown) => void} fail
 */
function takeSteps(transaction, steps, fail) {
  for (const [i, { store, step }] of steps.entries()) {
    const objects = transaction.objectStore(store);
    if (step.kind === 'object') {
      const request = objects.get(step.key);
      request.onsuccess = () => {
        try {
          objects.put(step.change(request.result));
          takeSteps(transaction, steps.slice(i + 1), fail);
        } catch (error) {
          fail(error);
        }
      };
      return;
    }
    if (step.kind === 'delete') objects.delete(step.key);
    else objects.put(entryOf(step));
  }
}

/**
 * Beside a record stands what readers of TabAgent's look at: they take every
 * entry for a file.
 * @param {Extract<import('./layout.js').Step, { kind: 'record' | 'content' }>}
 *   step
 */
function entryOf(step) {
  return step.kind === 'content' ? { url: step.key, blob: step.blob } : {
    url: step.key,
    blob: { size: step.bytes.length, type: 'application/octet-stream' },
    record: step.bytes,
  };
}

/**
 * @param {any} entry
 * @returns {Blob | null}
 */
function blobOf(entry) {
  return entry?.blob instanceof Blob ? entry.blob : null;
}

/**
 * @param {string} store
 * @param {any} entry
 * @returns {Uint8Array | null}
 */
function bytesOf(store, entry) {
  if (store !== 'files') return entry ? formatObject(entry) : null;
  return entry?.record instanceof Uint8Array ? entry.record : null;
}

/**
 * All keys that begin with `prefix`: up to the next text of its length.
 * @param {string} prefix
 */
function rangeOf(prefix) {
  const stem = prefix.replace(/\uffff+$/, '');
  if (stem === '') return IDBKeyRange.lowerBound(prefix);
  const next = stem.slice(0, -1)
    + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1);
  return IDBKeyRange.bound(prefix, next, false, true);
}
