// SPDX-License-Identifier: Apache-2.0
// A dedicated worker with a manager that chats.

import * as calls from './chat-calls.js';

addEventListener('message', async ({ data, ports }) => {
  ports[0].postMessage(
    await /** @type {any} */ (calls)[data.name](data.argument));
});
