// SPDX-License-Identifier: Apache-2.0
// For panels, popups and other pages of an extension.

import type { ModelManager, WasmSource } from './index.js';

export interface ConnectOptions {
  /**
   * `tabagent.wasm`, for what is done in this page; by default the file beside
   * the module.
   */
  wasm?: WasmSource;
}

/**
 * Connects this page with the host of the extension, which is started when it
 * is not there. All requests go there, and go on when the page is closed;
 * `fetch`, `cache`, `exportModel` and `importModel` work in this page, on the
 * same store; a file that needs the token of the login is fetched into it by the
 * host. `dispose` leaves the host and ends nothing there.
 * @throws {TabAgentError} from every method: `host_unavailable` when there is no
 *   host and none can be started; `host_died` when it ended, and nobody can
 *   tell how far it had come
 */
export function connect(options?: ConnectOptions): ModelManager;
