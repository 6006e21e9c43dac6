// SPDX-License-Identifier: Apache-2.0
// Who is obeyed: pages of this extension, and nobody else. The platform says who
// sent a message; nothing in the message counts.

import { isAccountRequest } from './vault.js';

/**
 * @typedef {import('./platform.js').Platform} Platform
 * @typedef {import('./platform.js').Sender} Sender
 */

/**
 * A page, a worker or the background of this extension. Content scripts are its
 * own as well, but their address is that of the page they are in.
 * @param {Platform} platform
 * @param {Sender | undefined} sender
 */
export function isOwnPage({ runtime }, sender) {
  if (!sender || sender.id !== runtime.id) return false;
  const address = sender.url ?? (sender.origin && `${sender.origin}/`);
  return typeof address === 'string'
    && address.startsWith(runtime.getURL(''));
}

/**
 * Whether the sender may ask for that. A content script never speaks about the
 * account, whatever the app allows, and only in the style of panels: of a message
 * with two names the core would take the other one.
 * @param {Platform} platform
 * @param {Sender | undefined} sender
 * @param {any} message
 * @param {readonly string[]} allowed types that content scripts may send
 */
export function mayAsk(platform, sender, message, allowed) {
  if (isOwnPage(platform, sender)) return true;
  return sender?.id === platform.runtime.id && message?.action === undefined
    && typeof message?.type === 'string' && allowed.includes(message.type)
    && !isAccountRequest(message);
}

/**
 * The host's page, wherever it was opened.
 * @param {Platform} platform
 * @param {Sender | undefined} sender
 * @param {string} hostUrl
 */
export function isHost(platform, sender, hostUrl) {
  return isOwnPage(platform, sender)
    && pathOf(sender?.url) === pathOf(platform.runtime.getURL(hostUrl));
}

/** @param {string | undefined} url */
export function pathOf(url) {
  return url?.replace(/[?#].*$/, '');
}
