// SPDX-License-Identifier: Apache-2.0
// The one connection to the database: opened when it is needed, and again when
// the browser has closed it.

import { closedError, storeError } from './errors.js';
import { KEY_PATHS, STORE_NAMES } from './layout.js';

/** How often another context may overtake us while we add object stores. */
const OPEN_ATTEMPTS_MAX = 5;

/** Why a database that could not be opened may be a moment later. */
const TRY_AGAIN = ['VersionError', 'AbortError'];

/** A connection that opens itself. */
export class Database {
  #factory;
  #name;
  /** @type {IDBDatabase | null} */
  #connection = null;
  /** @type {Promise<IDBDatabase> | null} */
  #opening = null;
  #isBlocked = false;
  #isClosed = false;

  /**
   * @param {IDBFactory | undefined} factory
   * @param {string} name
   */
  constructor(factory, name) {
    this.#factory = factory;
    this.#name = name;
  }

  /**
   * Runs one transaction. A connection that turns out to be closed is opened
   * again, once.
   * @template T
   * @param {string[]} stores
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction, fail: (error: unknown) => void)
   *   => () => T} work makes the requests, and returns what makes the result
   *   when all is done; `fail` aborts the transaction
   * @returns {Promise<T>}
   */
  async transact(stores, mode, work) {
    const connection = await this.#open();
    try {
      return await this.#run(connection, stores, mode, work);
    } catch (error) {
      if (!isNotOpen(error)) throw error;
      this.#forget(connection);
    }
    const again = await this.#open();
    try {
      return await this.#run(again, stores, mode, work);
    } catch (error) {
      if (!isNotOpen(error)) throw error;
      this.#forget(again);
      throw storeError('ClosedError', 'the browser closed the database', error);
    }
  }

  /** Closes for good. */
  close() {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
  }

  /**
   * @template T
   * @param {IDBDatabase} connection
   * @param {string[]} stores
   * @param {IDBTransactionMode} mode
   * @param {(transaction: IDBTransaction, fail: (error: unknown) => void)
   *   => () => T} work
   * @returns {Promise<T>}
   */
  #run(connection, stores, mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = connection.transaction(
        stores, mode, { durability: 'strict' });
      /** @type {unknown} */
      let failure;
      const fail = (/** @type {unknown} */ error) => {
        failure ??= error;
        transaction.abort();
      };
      let result = () => /** @type {T} */ (undefined);
      transaction.oncomplete = () => {
        try {
          resolve(result());
        } catch (error) {
          reject(error);
        }
      };
      transaction.onabort = () => {
        reject(failure ?? reasonOf(transaction.error));
      };
      try {
        result = work(transaction, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    if (this.#isClosed) throw closedError();
    if (this.#connection) return this.#connection;
    // What waits for another context would wait behind it.
    if (this.#isBlocked) throw blockedError();
    this.#opening ??= this.#connect().finally(() => { this.#opening = null; });
    return this.#opening;
  }

  /**
   * Opens whatever version there is, and adds the object stores that are
   * missing; nothing else is touched.
   */
  async #connect() {
    let version;
    for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt += 1) {
      const connection = await this.#request(version);
      if (!connection) {
        version = undefined;
        continue;
      }
      if (hasAllStores(connection)) return this.#adopt(connection);
      version = connection.version + 1;
      connection.close();
    }
    throw storeError('UnavailableError', 'the database keeps changing');
  }

  /**
   * @param {number} [version]
   * @returns {Promise<IDBDatabase | null>} null when it is to be tried again:
   *   the database has a higher version than that by now, or was deleted while
   *   it was being opened, as when the user clears the data of a site
   */
  #request(version) {
    return new Promise((resolve, reject) => {
      const request = this.#openRequest(version);
      request.onupgradeneeded = () => addStores(request.result);
      request.onblocked = () => {
        this.#isBlocked = true;
        reject(blockedError());
      };
      request.onsuccess = () => {
        if (this.#isBlocked) this.#adopt(request.result);
        this.#isBlocked = false;
        resolve(request.result);
      };
      request.onerror = () => {
        this.#isBlocked = false;
        const { error } = request;
        if (TRY_AGAIN.includes(error?.name ?? '')) resolve(null);
        else if (error?.name === 'QuotaExceededError') reject(error);
        else reject(unavailableError(error));
      };
    });
  }

  /** @param {number} [version] */
  #openRequest(version) {
    if (!this.#factory) throw unavailableError('there is no IndexedDB');
    try {
      return this.#factory.open(this.#name, version);
    } catch (error) {
      throw unavailableError(error);
    }
  }

  /** @param {IDBDatabase} connection */
  #adopt(connection) {
    if (this.#isClosed) connection.close();
    // Another context wants to upgrade or delete, and waits for us.
    connection.onversionchange = () => {
      connection.close();
      this.#forget(connection);
    };
    connection.onclose = () => this.#forget(connection);
    this.#connection = connection;
    return connection;
  }

  /** @param {IDBDatabase} connection */
  #forget(connection) {
    if (this.#connection === connection) this.#connection = null;
  }
}

/** @param {IDBDatabase} database */
function hasAllStores(database) {
  return STORE_NAMES.every((name) => database.objectStoreNames.contains(name));
}

/** @param {IDBDatabase} database */
function addStores(database) {
  for (const name of STORE_NAMES) {
    if (database.objectStoreNames.contains(name)) continue;
    database.createObjectStore(name, { keyPath: KEY_PATHS[name] });
  }
}

/** @param {any} error */
function isNotOpen(error) {
  return error?.name === 'InvalidStateError';
}

/**
 * Why the browser aborted a transaction: it says nothing, or as little, when it
 * closes the connection.
 * @param {DOMException | null} error
 */
function reasonOf(error) {
  return error && error.name !== 'AbortError' ? error : storeError(
    'ClosedError', 'the browser closed the database', error);
}

function blockedError() {
  return storeError('BlockedError',
    'another tab keeps an older version of the database open');
}

/** @param {any} cause */
function unavailableError(cause) {
  return storeError('UnavailableError',
    `IndexedDB cannot be used: ${cause?.message ?? cause}`, cause);
}
