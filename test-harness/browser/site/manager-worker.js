// SPDX-License-Identifier: Apache-2.0
// A service worker with a manager.

import * as calls from './manager-calls.js';

addEventListener('message', async (event) => {
  const { data: { name, argument }, ports } = /** @type {MessageEvent} */ (event);
  ports[0].postMessage(await /** @type {any} */ (calls)[name](argument));
});
