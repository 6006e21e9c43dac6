// SPDX-License-Identifier: Apache-2.0
// How the chat has a model stored, and asks the store for other things: as
// anybody.

import { errorOfMessage } from '../errors.js';

/** @typedef {import('../loop.js').Loop} Loop */

/**
 * Stores what a dtype needs, unless all of it is stored. With `onlyCached`
 * nothing is fetched: it rejects with `not_stored`.
 * @param {Loop} loop
 * @param {number} request whose order it is
 * @param {{ modelId: string, dtype?: string, revision?: string,
 *   onlyCached?: boolean }} order
 * @param {AbortSignal} signal
 * @param {(message: any) => void} onProgress
 * @returns {Promise<{ modelId: string, commit: string, dtype: string,
 *   files: string[] }>}
 */
export async function downloadModel(
  loop, request, { modelId, dtype, revision, onlyCached }, signal, onProgress,
) {
  const end = await loop.run({
    action: 'ensureModel', id: `load-${request}`,
    params: { modelId, dtype, revision, onlyCached },
  }, { signal, onProgress, isInner: true });
  if (end.code !== undefined) throw errorOfMessage(end, signal.reason);
  return {
    modelId: end.modelId, commit: end.commit, dtype: end.dtype,
    files: end.files.map((/** @type {any} */ file) => file.path),
  };
}

/**
 * Asks the store for what `order` says.
 * @param {Loop} loop
 * @param {number} request whose order it is
 * @param {{ action: string, params: object, rows?: unknown[] }} order
 * @param {AbortSignal} signal
 * @returns {Promise<any>} the terminal message, when it is no error
 */
export async function askStore(loop, request, { action, params, rows }, signal) {
  const end = await loop.run(
    { action, id: `ask-${request}`, params }, { signal, rows, isInner: true });
  if (end.code !== undefined) throw errorOfMessage(end, signal.reason);
  return end;
}
