// SPDX-License-Identifier: Apache-2.0
// What both executors of the store have in common: the object stores with
// their key paths, and batches of changes that have been checked.

import { storeError } from './errors.js';
import { mergePatch, parseObject } from './json-object.js';

/**
 * @typedef {'files' | 'manifest' | 'inferenceSettings'} StoreName
 *
 * @typedef {import('./json-object.js').JsonObject} JsonObject
 *
 * @typedef {{ kind: 'record', store: StoreName, key: string,
 *     bytes: Uint8Array }
 *   | { kind: 'content', key: string, blob: Blob }
 *   | { kind: 'delete', store: StoreName, key: string }
 *   | { kind: 'merge', store: StoreName, key: string, patch: Uint8Array }
 *   } Change one change of a batch. The bytes of a record are kept as they are
 *   in `files` and are the JSON text of an object elsewhere; a patch is the
 *   JSON text of an object, applied by RFC 7386.
 *
 * @typedef {{ kind: 'record', key: string, bytes: Uint8Array }
 *   | { kind: 'content', key: string, blob: Blob }
 *   | { kind: 'delete', key: string }
 *   | { kind: 'object', key: string,
 *     change: (old: JsonObject | undefined) => JsonObject }
 *   } Step a change that cannot fail any more but for the platform
 */

/**
 * The object stores and where the key is in their entries.
 * @type {Record<StoreName, string>}
 */
export const KEY_PATHS = {
  files: 'url', manifest: 'repo', inferenceSettings: 'id',
};

export const STORE_NAMES = /** @type {StoreName[]} */ (Object.keys(KEY_PATHS));

/**
 * The largest content that is handed out as bytes: lists and settings fit,
 * chunks of models are read as Blobs.
 */
const GET_BYTES_MAX = 1024 * 1024;

/**
 * @param {Blob} blob
 * @returns {Promise<Uint8Array>}
 */
export async function bytesOfBlob(blob) {
  if (blob.size > GET_BYTES_MAX) {
    throw storeError('TooLargeError', 'content of more than '
      + `${GET_BYTES_MAX} bytes is not read at once, this has ${blob.size}`);
  }
  return new Uint8Array(await blob.arrayBuffer());
}

/**
 * Checks a batch before anything of it is done. Bytes are copied: those of the
 * core change with its next call.
 * @param {Change[]} batch
 * @returns {{ store: StoreName, step: Step }[]}
 */
export function readBatch(batch) {
  return batch.map((change) => {
    const store = change.kind === 'content' ? 'files' : change.store;
    if (!Object.hasOwn(KEY_PATHS, store) || typeof change.key !== 'string') {
      throw new TypeError(`no place of the store: ${store}, ${change.key}`);
    }
    return { store, step: readChange(change, store) };
  });
}

/**
 * @param {Change} change
 * @param {StoreName} store
 * @returns {Step}
 */
function readChange(change, store) {
  const { kind, key } = change;
  switch (kind) {
    case 'content':
      if (!(change.blob instanceof Blob)) throw new TypeError('not a Blob');
      return { kind, key, blob: change.blob };
    case 'record':
      if (store === 'files') return { kind, key, bytes: change.bytes.slice() };
      return objectStep(store, key, change.bytes, (_, value) => value);
    case 'merge':
      if (store === 'files') throw new TypeError('files hold no objects');
      return objectStep(store, key, change.patch, mergePatch);
    case 'delete':
      return { kind, key };
    default:
      throw new TypeError(`no change of the store: ${kind}`);
  }
}

/**
 * An entry always says its own key, whatever the text says.
 * @param {StoreName} store
 * @param {string} key
 * @param {Uint8Array} text
 * @param {(old: JsonObject | undefined, value: JsonObject) => any} combine
 * @returns {Step}
 */
function objectStep(store, key, text, combine) {
  const value = parseObject(text);
  return {
    kind: 'object',
    key,
    change: (old) => ({ ...combine(old, value), [KEY_PATHS[store]]: key }),
  };
}
