// SPDX-License-Identifier: Apache-2.0
import 'tabagent-wasm/host';

// Tests measure memory without what is garbage already.
const { gc } = /** @type {any} */ (globalThis);
const channel = new BroadcastChannel('collect');
channel.addEventListener('message', () => {
  gc();
  channel.postMessage('collected');
});
