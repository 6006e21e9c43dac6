// SPDX-License-Identifier: Apache-2.0
// A page with the store on the browser's own IndexedDB; the test calls these
// functions.

// @ts-expect-error the server puts the sources there
import { openStore } from '/js-bindings/store/index.js';
// @ts-expect-error likewise
import { contract } from '/store/contract.js';

/** @typedef {import('../../store/contract.js').Store} Store */

/** @type {Store[]} */
const opened = [];

/** @type {Store | undefined} the one that is used from outside */
let store;

/** @returns {Promise<Store>} */
async function open() {
  const store = await openStore({});
  opened.push(store);
  return store;
}

/** Ends all that this page has open. */
function closeAll() {
  for (const store of opened.splice(0)) store.close();
}

function deleteDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase('TabAgentModels');
    request.onsuccess = () => resolve(undefined);
    request.onerror = () => reject(request.error);
  });
}

/** @param {string} title of a case of the contract */
async function runCase(title) {
  await deleteDatabase();
  try {
    await contract.find((/** @type {any} */ one) => one.title === title)
      .run(open);
  } finally {
    closeAll();
  }
}

/**
 * Calls a method of this page's store; results that are bytes come as arrays.
 * @param {{ name: string, args: any[] }} call
 */
async function callStore({ name, args }) {
  store ??= await open();
  const result = await /** @type {any} */ (store)[name](...args);
  return result instanceof Uint8Array ? [...result] : result;
}

/**
 * @param {{ key: string, bytes: number[] }} change
 */
async function writeRecord({ key, bytes }) {
  store ??= await open();
  await store.write([{
    kind: 'record', store: 'files', key, bytes: Uint8Array.from(bytes),
  }]);
}

/** @param {string} name of a lock that is held until the page goes */
async function holdLock(name) {
  store ??= await open();
  await store.lock(name);
}

Object.assign(globalThis, {
  runCase, deleteDatabase, callStore, writeRecord, holdLock, closeAll,
});
