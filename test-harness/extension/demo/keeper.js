// SPDX-License-Identifier: Apache-2.0
// The panel's own storage: chats, the last listing, what was chosen. Apart from
// the store of models, which belongs to the product.

const DATABASE = 'tabagent-panel';
const STORE = 'values';

/** @type {Promise<IDBDatabase> | undefined} */
let opening;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => {
      const database = request.result;
      // Another panel may delete it: the next call opens it again.
      database.onversionchange = () => {
        database.close();
        opening = undefined;
      };
      resolve(database);
    };
    request.onerror = () => {
      opening = undefined;
      reject(request.error);
    };
  });
  return opening;
}

/**
 * @template Result
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<Result>} act
 * @returns {Promise<Result>}
 */
async function transact(mode, act) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {string} key */
export function recall(key) {
  return transact('readonly', (store) => store.get(key));
}

/** @param {string} prefix of the keys, which are kept in their order */
export function recallAll(prefix) {
  return transact('readonly', (store) => store.getAll(within(prefix)));
}

/**
 * @param {string} key
 * @param {unknown} value
 */
export async function keep(key, value) {
  await transact('readwrite', (store) => store.put(value, key));
}

/** @param {string} key */
export async function forget(key) {
  await transact('readwrite', (store) => store.delete(key));
}

/** @param {string} prefix */
export async function forgetAll(prefix) {
  await transact('readwrite', (store) => store.delete(within(prefix)));
}

/** @param {string} prefix */
function within(prefix) {
  return IDBKeyRange.bound(prefix, `${prefix}\uffff`);
}
