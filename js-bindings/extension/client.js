// SPDX-License-Identifier: Apache-2.0
// For pages of an extension: what connects them with the host.

import { Client } from './client-manager.js';
import { platformHere } from './platform.js';
import { RemoteLoop } from './remote-loop.js';

/**
 * @typedef {import('../types/index.d.ts').ModelManager} Manager
 * @typedef {import('../types/client.d.ts').ConnectOptions} Options
 */

/**
 * Connects a page with the host, which is started when it is not there.
 * @param {Options} [options]
 * @returns {Manager}
 */
export function connect({ wasm } = {}) {
  const { navigator, setTimeout, clearTimeout } = globalThis;
  const loop = new RemoteLoop(platformHere(), {
    locks: navigator.locks, setTimeout: setTimeout.bind(globalThis),
    clearTimeout: clearTimeout.bind(globalThis),
  });
  return new Client(loop, async (options, bringFile) => {
    const { createModelManager } = await import('../index.js');
    return createModelManager({
      ...options, wasm, [Symbol.for('tabagent-wasm.inside')]: { bringFile },
    });
  });
}
