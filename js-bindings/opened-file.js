// SPDX-License-Identifier: Apache-2.0
// A stored file as a Blob: its chunks put together, no byte of which has gone
// through JavaScript.

import { errorOfMessage } from './errors.js';

/**
 * Opens a stored file whose bytes are what the Hub vouches for. On disk a
 * deleted file can no longer be read (NotReadableError); in IndexedDB it stays
 * as long as the Blob does.
 * @param {import('./loop.js').Loop} loop
 * @param {string} id
 * @param {object} file
 * @param {string} file.modelId
 * @param {string} file.path in the repository
 * @param {string} [file.revision] or a commit; `main` by default
 * @param {boolean} [file.verify] false: not a byte is read; that all chunks are
 *   there, in their lengths, is certain all the same
 * @param {boolean} [file.repair] false: a damaged chunk is not fetched again
 * @param {string} [file.hfToken] for that
 * @param {AbortSignal | null} [signal]
 * @returns {Promise<Blob>} rejects with `not_stored`, `store_damaged` (without
 *   repair, or when that does not help), and what a download may end with
 */
export async function openStored(loop, id, file, signal) {
  /** @type {Blob | undefined} */
  let opened;
  const end = await loop.run({ action: 'openFile', id, params: file }, {
    signal, isInner: true,
    onOpened: (blob) => { opened = blob; },
  });
  if (end.code !== undefined) throw errorOfMessage(end, signal?.reason);
  return /** @type {Blob} */ (opened);
}
