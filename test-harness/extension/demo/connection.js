// SPDX-License-Identifier: Apache-2.0
// The way to the host of the extension, which does the work.

// @ts-ignore made by the build
import { connect } from '../../../dist/client.js';

/** @returns {Promise<import('../../../dist/index.js').ModelManager>} */
export async function openManager() {
  return connect();
}
