// SPDX-License-Identifier: Apache-2.0
// In place of demo/connection.js: the panel as an ordinary page, with a manager
// of its own. The address says where the Hub is; tests find the manager as a
// global, to have it do what no Hub can be made to.

// @ts-expect-error the server puts the package there
import { createModelManager } from '/dist/index.js';

/** @returns {Promise<import('tabagent-wasm').ModelManager>} */
export async function openManager() {
  const manager = await createModelManager({
    hubUrl: new URL(location.href).searchParams.get('hub') ?? undefined,
    ort: () => import(/** @type {string} */ ('/ort/ort.wasm.bundle.min.mjs')),
  });
  Object.assign(globalThis, { manager });
  dispatchEvent(new Event('manager'));
  return manager;
}
