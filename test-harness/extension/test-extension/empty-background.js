// SPDX-License-Identifier: Apache-2.0
// What an app has in its background besides us.

const { chrome } = /** @type {any} */ (globalThis);

chrome.runtime.onMessage.addListener((
  /** @type {any} */ message, /** @type {any} */ _sender,
  /** @type {(answer: any) => void} */ sendResponse,
) => {
  if (message?.type !== 'of the app') return false;
  sendResponse({ sinceStartMs: performance.now() });
  return false;
});
