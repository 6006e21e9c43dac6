// SPDX-License-Identifier: Apache-2.0
// In place of demo/connection.js: the panel as an ordinary page, with a manager
// of its own. The test says in the address where the Hub is.

// @ts-expect-error the server puts the package there
import { createModelManager } from '/dist/index.js';

/** @returns {Promise<import('../../../dist/index.js').ModelManager>} */
export function openManager() {
  return createModelManager({
    hubUrl: new URL(location.href).searchParams.get('hub') ?? undefined,
    ort: () => import(/** @type {string} */ ('/ort/ort.wasm.bundle.min.mjs')),
  });
}
