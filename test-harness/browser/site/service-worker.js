// SPDX-License-Identifier: Apache-2.0
// A service worker that lists: no import(), no Worker, no XMLHttpRequest there.

import { listModels } from './listing.js';

addEventListener('message', async (event) => {
  const { data, ports } = /** @type {MessageEvent} */ (event);
  ports[0].postMessage(await listModels(data));
});
