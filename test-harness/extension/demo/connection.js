// SPDX-License-Identifier: Apache-2.0
// The way to the host of the extension, where the work is done.

import { connect } from 'tabagent-wasm/client';

/** @returns {Promise<import('tabagent-wasm').ModelManager>} */
export async function openManager() {
  return connect();
}
