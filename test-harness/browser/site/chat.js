// SPDX-License-Identifier: Apache-2.0
// A page with a manager that chats, and a dedicated worker with another one;
// the test calls these functions.

import * as calls from './chat-calls.js';

/** @type {Worker | undefined} */
let worker;

/**
 * Has the worker do something.
 * @param {{ name: string, argument: unknown }} order
 */
function askWorker(order) {
  worker ??= new Worker('chat-worker.js', { type: 'module' });
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(order, [port2]);
  return new Promise((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
}

Object.assign(globalThis, { ...calls, askWorker });
