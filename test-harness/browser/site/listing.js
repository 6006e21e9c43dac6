// SPDX-License-Identifier: Apache-2.0
// One listing in whatever context imports this: page, worker, service worker.

// @ts-expect-error the server puts the package there
import { createModelManager } from '/dist/index.js';

/**
 * @typedef {object} Order what the test wants done
 * @property {string} hubUrl
 * @property {object} params
 * @property {string} [abortAt] status of the message at which to cancel
 */

/**
 * @param {Order} order
 * @param {(message: any) => void} [onProgress]
 * @returns {Promise<{ models?: any[], meta?: any, error?: any,
 *   progress: any[], wasmBytes: number }>}
 */
export async function listModels({ hubUrl, params, abortAt }, onProgress) {
  const controller = new AbortController();
  const manager = await createModelManager({ hubUrl, seed: 1 });
  /** @type {any[]} */
  const progress = [];
  const outcome = await manager.listChatModels(params, {
    signal: controller.signal,
    onProgress(/** @type {any} */ message) {
      progress.push(message);
      onProgress?.(message);
      if (message.status === abortAt) controller.abort();
    },
  }).catch((/** @type {any} */ { code, message, meta }) => (
    { error: { code, message, meta } }));
  const { wasmBytes } = await manager.memory();
  await manager.dispose();
  return { ...outcome, progress, wasmBytes };
}
