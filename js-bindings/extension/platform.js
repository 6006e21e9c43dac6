// SPDX-License-Identifier: Apache-2.0
// What of an extension's platform is used.

/**
 * @typedef {object} Sender
 * @property {string} [id] of the extension
 * @property {string} [url]
 * @property {string} [origin]
 * @property {string} [documentId]
 * @property {number} [frameId]
 * @property {{ id?: number }} [tab]
 *
 * @typedef {object} Listeners
 * @property {(listener: (...args: any[]) => any) => void} addListener
 * @property {(listener: (...args: any[]) => any) => void} removeListener
 *
 * @typedef {object} Port
 * @property {string} name
 * @property {Sender} [sender]
 * @property {(message: any) => void} postMessage
 * @property {() => void} disconnect
 * @property {Listeners} onMessage
 * @property {Listeners} onDisconnect
 *
 * @typedef {object} StorageArea
 * @property {(keys: any) => Promise<Record<string, any>>} get
 * @property {(items: Record<string, any>) => Promise<void>} set
 * @property {(keys: any) => Promise<void>} remove
 *
 * @typedef {object} Platform `chrome`, or `browser`
 * @property {{ id: string, getURL: (path: string) => string,
 *   sendMessage: (message: any) => Promise<any>,
 *   connect: (options: { name: string }) => Port,
 *   getContexts?: (filter: any) => Promise<{ documentUrl?: string }[]>,
 *   getPlatformInfo?: () => Promise<any>,
 *   onMessage: Listeners, onConnect: Listeners, onSuspend?: Listeners }}
 *   runtime
 * @property {{ createDocument: (options: any) => Promise<void> }} [offscreen]
 * @property {Record<string, StorageArea>} [storage]
 */

/**
 * A background that is a document, as in Firefox, is ended with all that is in it
 * when it has got no event and called nothing of the platform for so long. An
 * open port does not count.
 */
export const EVENT_PAGE_MS = 30_000;

/** @returns {Platform} that of this extension */
export function platformHere() {
  const { browser, chrome } = /** @type {any} */ (globalThis);
  const platform = browser?.runtime?.id ? browser : chrome;
  if (!platform?.runtime?.id) {
    throw new TypeError('this is no page or worker of an extension');
  }
  return platform;
}

/**
 * Sends a message to all other contexts.
 * @param {Platform} platform
 * @param {any} message
 * @returns {Promise<any>} undefined when nobody answers
 */
export async function send(platform, message) {
  try {
    return await platform.runtime.sendMessage(message);
  } catch {
    // Nobody is there, or nobody wants it.
    return undefined;
  }
}
