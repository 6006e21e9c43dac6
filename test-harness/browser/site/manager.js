// SPDX-License-Identifier: Apache-2.0
// A page with a manager on the browser's own IndexedDB; the test calls these
// functions.

// @ts-expect-error the server puts the sources there
import { Core, loadCore } from '/js-bindings/core.js';
// @ts-expect-error likewise
import { Loop } from '/js-bindings/loop.js';
// @ts-expect-error likewise
import { openStored } from '/js-bindings/opened-file.js';
// @ts-expect-error likewise
import { readOptions } from '/js-bindings/options.js';
import * as calls from './manager-calls.js';

/** @type {Blob} the file that was opened last */
let file;

/**
 * Opens a stored file. Other parts of the package do that, no manager does.
 * @param {{ hubUrl: string, params: any }} order
 * @returns {Promise<string>} 'open', or the code of the error
 */
async function openFile({ hubUrl, params }) {
  const options = readOptions({ hubUrl });
  const core = new Core(await loadCore('/dist/tabagent.wasm'),
    { ...options, now: Date.now });
  const loop = new Loop(core, options);
  try {
    file = await openStored(loop, 'open', params);
    return 'open';
  } catch (error) {
    return /** @type {any} */ (error).code;
  } finally {
    loop.dispose();
  }
}

/** What it has in it: as a whole, or by a reader of its stream. */
function readOpened(/** @type {string} */ how) {
  return calls.describeBody(new Response(how === 'blob' ? file : file.stream()),
    how === 'blob' ? 'arrayBuffer' : how);
}

/** How often the collector runs when it is forced to. */
const COLLECT_EVERY_MS = 2;

/** Forces garbage collections until the page goes. */
function keepCollecting() {
  setInterval(() => /** @type {any} */ (globalThis).gc(), COLLECT_EVERY_MS);
}

/**
 * Has the service worker do something.
 * @param {{ name: string, argument: unknown }} order
 */
async function askServiceWorker(order) {
  await navigator.serviceWorker.register('manager-worker.js',
    { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    active?.postMessage(order, [port2]);
  });
}

/**
 * Works on the object store of files behind the manager's back.
 * @param {(files: IDBObjectStore) => void} work
 * @returns {Promise<void>}
 */
function tamper(work) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('TabAgentModels');
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      const transaction = database.transaction('files', 'readwrite');
      transaction.oncomplete = () => {
        database.close();
        resolve();
      };
      transaction.onabort = () => reject(transaction.error);
      work(transaction.objectStore('files'));
    };
  });
}

/**
 * Writes over a byte of a stored content.
 * @param {string} key
 */
async function damage(key) {
  /** @type {IDBRequest | undefined} */
  let read;
  await tamper((files) => { read = files.get(key); });
  const bytes = new Uint8Array(await read?.result.blob.arrayBuffer());
  bytes[bytes.length >> 1] ^= 1;
  await tamper((files) => { files.put({ url: key, blob: new Blob([bytes]) }); });
}

/**
 * Removes the first chunks of a file.
 * @param {string} key without the number
 * @param {number} count
 */
function remove(key, count) {
  return tamper((files) => {
    for (let i = 0; i < count; i += 1) files.delete(`${key}${i}`);
  });
}

function deleteDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase('TabAgentModels');
    request.onsuccess = () => resolve(undefined);
    request.onerror = () => reject(request.error);
  });
}

Object.assign(globalThis,
  { ...calls, openFile, readOpened, keepCollecting, askServiceWorker, damage, remove,
    deleteDatabase });
