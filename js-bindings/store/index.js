// SPDX-License-Identifier: Apache-2.0
// The store: durable records and contents under keys, and which executor of it
// is used.

import { IndexedDbStore } from './indexed-db.js';

/**
 * @typedef {import('./layout.js').StoreName} StoreName
 * @typedef {import('./layout.js').Change} Change
 *
 * @typedef {object} Store
 * @property {(store: StoreName, key: string) => Promise<Uint8Array | null>} get
 *   bytes of a record, of a content of at most 1 MiB (a larger one is a
 *   TooLargeError), or the JSON text of an object; null when there is none
 * @property {(store: StoreName, prefix: string)
 *   => Promise<{ key: string, bytes: Uint8Array }[]>} list the records or
 *   objects whose keys begin so, in the order of keys; contents are left out
 * @property {(prefix: string) => Promise<string[]>} keys those of `files`, in
 *   order; nothing is loaded
 * @property {(key: string) => Promise<number | null>} size bytes of a content
 * @property {(key: string) => Promise<Blob | null>} blob a content
 * @property {(batch: Change[]) => Promise<void>} write all of the batch or
 *   nothing; resolves when it is durable
 * @property {() => Promise<{ usage: number | null, quota: number | null,
 *   persisted: boolean | null }>} estimate null stands for unknown
 * @property {(name: string, signal?: AbortSignal) => Promise<() => void>} lock
 *   waits until nobody else holds it; resolves to what releases it. Rejects
 *   with the reason of the signal
 * @property {() => void} close releases the locks. Whatever is called later
 *   rejects with a ClosedError
 */

/**
 * @param {{ dataDir?: string, indexedDB?: IDBFactory }} options
 * @returns {Promise<Store>}
 */
export async function openStore({ dataDir, indexedDB }) {
  if (dataDir === undefined) {
    return new IndexedDbStore(indexedDB ?? platformFactory());
  }
  // For Node only: an address that bundlers cannot follow.
  const address = import.meta.url.replace(/[^/]*$/, 'disk-store.js');
  const { DiskStore } = await import(
    /* webpackIgnore: true */ /* @vite-ignore */ address);
  return new DiskStore(dataDir);
}

/** Merely looking at it is refused to some pages. */
function platformFactory() {
  try {
    return globalThis.indexedDB;
  } catch {
    return undefined;
  }
}
