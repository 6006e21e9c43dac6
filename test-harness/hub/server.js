// SPDX-License-Identifier: Apache-2.0
// Front with a network: the handler behind two real HTTP listeners, one for
// the Hub's origin and one for the origin of large files.

import { createAdaptorServer } from '@hono/node-server';

import { listen } from '../listen.js';
import { createControl, CONTROL_PREFIX } from './control.js';
import { visibleToPage } from './cors.js';
import { createHub } from './hub.js';

/** Needed by any client to make sense of a reply, so never hidden. */
const TRANSPORT = [
  'location', 'vary', 'www-authenticate', 'access-control-allow-origin',
  'access-control-expose-headers', 'access-control-max-age',
  'access-control-allow-headers', 'access-control-allow-methods',
  'connection', 'content-encoding', 'transfer-encoding',
];

/**
 * @typedef {import('@hono/node-server').HttpBindings
 *   | import('@hono/node-server').Http2Bindings} Connection
 */
/** @typedef {(request: Request, connection: Connection) => Promise<Response>} Handle */

/**
 * Starts a Hub on local ports.
 * @param {import('./hub.js').HubOptions & { port?: number }} [options] port 0
 *   takes a free one
 * @returns {Promise<{ url: string, cdnUrl: string,
 *   hub: import('./hub.js').Hub, close: () => Promise<void> }>}
 */
export async function startHub({ port = 0, ...options } = {}) {
  const hub = createHub(options);
  const control = createControl(hub);
  /** @type {Handle} */
  const handle = async (request, { outgoing }) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(CONTROL_PREFIX)) return control.fetch(request);
    const response = breakable(await hub.handle(request), outgoing);
    return options.personality === 'page' ? hideFromPage(response) : response;
  };
  const cdn = await serve(handle);
  hub.cdn.origin = cdn.url;
  const main = await serve(handle, port).catch(async (error) => {
    await cdn.close();
    throw error;
  });
  return {
    url: main.url, cdnUrl: cdn.url, hub,
    close: async () => { await Promise.all([main.close(), cdn.close()]); },
  };
}

/**
 * Lets a body that fails take its connection along, as a reset does; left to
 * itself the server would end the reply and keep the connection.
 * @param {Response} response
 * @param {Connection['outgoing']} outgoing
 */
function breakable(response, outgoing) {
  if (!response.body) return response;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch {
        await untilSent(outgoing);
        outgoing.destroy();
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  const headers = new Headers(response.headers);
  // Else the server would measure a short body itself.
  if (!headers.has('content-length')) headers.set('Transfer-Encoding', 'chunked');
  return new Response(body, { status: response.status, headers });
}

/**
 * The server holds the head back until it has seen how the body begins.
 * @param {Connection['outgoing']} outgoing
 */
async function untilSent(outgoing) {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  while (!outgoing.headersSent && !outgoing.destroyed) await turn();
  await turn();
}

/**
 * A browser hides headers itself; this hides them from other clients too.
 * @param {Response} response
 */
function hideFromPage(response) {
  const headers = visibleToPage(response.headers);
  for (const name of TRANSPORT) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(response.body, { status: response.status, headers });
}

/**
 * @param {Handle} handle
 * @param {number} [port]
 */
function serve(handle, port) {
  return listen(/** @type {import('node:http').Server} */ (
    createAdaptorServer({ fetch: handle, overrideGlobalObjects: false })), port);
}
