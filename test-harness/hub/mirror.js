// SPDX-License-Identifier: Apache-2.0
// A Hub and a mirror of it: the same content under other origins, for clients
// that must give a mirror nothing but the request.

import { startHub } from './server.js';

/**
 * @param {import('./hub.js').HubOptions} [options] of both
 */
export async function startMirrored(options) {
  const [main, mirror] = await Promise.all([startHub(options), startHub(options)]);
  return {
    main, mirror,
    /**
     * Requests to any origin but the Hub's own that say the text anywhere.
     * @param {string} secret
     */
    leaks: (secret) => [...main.hub.requests, ...mirror.hub.requests]
      .filter((entry) => !entry.url.startsWith(`${main.url}/`)
        && JSON.stringify(entry).includes(secret)),
    close: async () => { await Promise.all([main.close(), mirror.close()]); },
  };
}
