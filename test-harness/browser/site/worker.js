// SPDX-License-Identifier: Apache-2.0
// A dedicated worker that lists.

import { listModels } from './listing.js';

addEventListener('message', async ({ data }) => {
  postMessage(await listModels(data));
});
