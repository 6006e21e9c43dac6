// SPDX-License-Identifier: Apache-2.0
// The background of an app: ours, and a listener of its own.

import { startBackground } from 'tabagent-wasm/background';

import './empty-background.js';

startBackground(/** @type {any} */ (globalThis).OPTIONS);
