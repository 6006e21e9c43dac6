// SPDX-License-Identifier: Apache-2.0
// The background of an app: ours, and a listener of its own.

import { startBackground } from 'tabagent-wasm/background';

startBackground({ hubUrl: /** @type {any} */ (globalThis).HUB_URL });

const { chrome } = /** @type {any} */ (globalThis);

chrome.runtime.onMessage.addListener((
  /** @type {any} */ message, /** @type {any} */ _sender,
  /** @type {(answer: any) => void} */ sendResponse,
) => {
  if (message?.type !== 'of the app') return false;
  sendResponse({ sinceStartMs: performance.now() });
  return false;
});
