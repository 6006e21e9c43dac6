// SPDX-License-Identifier: Apache-2.0
// The background of the demo: the product's, and the button that opens the
// panel.

import { startBackground } from 'tabagent-wasm/background';

import { HUB_URL } from './hub.js';

startBackground({ hubUrl: HUB_URL });

const { browser, chrome } = /** @type {any} */ (globalThis);
chrome.sidePanel?.setPanelBehavior({ openPanelOnActionClick: true });
if (!chrome.sidePanel) {
  browser.action.onClicked.addListener(() => browser.sidebarAction.toggle());
}
