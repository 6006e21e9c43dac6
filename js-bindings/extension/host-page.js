// SPDX-License-Identifier: Apache-2.0
// Opens the page of the host: an offscreen document, of which an extension has
// one at the most, or a frame where the background is a document itself.

import { OPENED_BY_US } from './names.js';
import { pathOf } from './senders.js';

/**
 * Opens the page, or joins one that is there already, whoever opened it.
 * @param {import('./platform.js').Platform} platform
 * @param {string} hostUrl
 * @param {Document | undefined} document of the background, if it is one
 * @returns {Promise<void>}
 */
export async function openHostPage(platform, hostUrl, document) {
  const { offscreen } = platform;
  if (!offscreen) {
    openFrame(platform, hostUrl, document);
    return;
  }
  try {
    await offscreen.createDocument({
      url: `${hostUrl}${OPENED_BY_US}`, reasons: ['WORKERS'],
      justification: 'Language models run in workers of this page.',
    });
  } catch (error) {
    // Somebody was faster, or it has been there all the time.
    const [other] = await platform.runtime.getContexts?.(
      { contextTypes: ['OFFSCREEN_DOCUMENT'] }) ?? [];
    if (!other) throw error;
    if (pathOf(other.documentUrl) !== pathOf(
      platform.runtime.getURL(hostUrl))) {
      throw new Error(`the extension has another offscreen document, ${
        other.documentUrl}: import tabagent-wasm/host there, and give its `
        + 'address as hostUrl', { cause: error });
    }
  }
}

/**
 * @param {import('./platform.js').Platform} platform
 * @param {string} hostUrl
 * @param {Document | undefined} document
 */
function openFrame(platform, hostUrl, document) {
  if (!document) {
    throw new Error('there are neither offscreen documents nor a document '
      + 'here: is the permission "offscreen" in the manifest?');
  }
  const url = `${platform.runtime.getURL(hostUrl)}${OPENED_BY_US}`;
  const frames = [...document.querySelectorAll('iframe')];
  if (frames.some((frame) => frame.src === url)) return;
  const frame = document.createElement('iframe');
  frame.src = url;
  document.documentElement.append(frame);
}
