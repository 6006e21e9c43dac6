// SPDX-License-Identifier: Apache-2.0
// Front without a network: a `fetch` over the handler that runs on the Hub's
// clock, with latencies from the seed, redirects, aborts and page visibility.

import { gunzipSync } from 'node:zlib';

import { AbortScope, withUrl } from './abort-scope.js';
import { preflightedNames, visibleToPage } from './cors.js';
import { Random } from './random.js';

/**
 * @typedef {object} Latency log-normal time from request to head of the reply
 * @property {number} medianMs
 * @property {number} sigma
 */

/** @typedef {import('./hub.js').Hub} Hub */

/** Typical of the real Hub seen from a home connection. */
const DEFAULT_LATENCY = { medianMs: 80, sigma: 0.6 };

/** As many as the fetch standard allows. */
const MAX_REDIRECTS = 20;

/** The page that reads the replies when the personality is `page`. */
const PAGE_ORIGIN = 'https://page.example';

/**
 * @param {Hub} hub
 * @param {import('./hub.js').HubOptions} options
 * @returns {typeof fetch}
 */
export function createFetch(hub, { seed = 1, latency, personality }) {
  const random = new Random(`latency ${seed}`);
  const pace = latency === false ? null : latency ?? DEFAULT_LATENCY;
  const drawMs = () => (pace ? random.logNormal(pace.medianMs, pace.sigma) : 0);
  const isPage = personality === 'page';

  return async (input, init) => {
    const scope = new AbortScope(init?.signal
      ?? (input instanceof Request ? input.signal : null));
    // Requests made here carry no signal: each would listen to it until it is
    // collected, thousands at a time.
    const request = new Request(input, { ...init, signal: null });
    const exchange = (/** @type {Request} */ hop) =>
      roundTrip(hub, hop, drawMs(), scope);
    try {
      const reply = isPage ? await fetchAsPage(request, exchange)
        : await follow(request, exchange);
      return scope.guard(reply);
    } catch (error) {
      scope.close();
      throw error;
    }
  };
}

/**
 * One request and its reply: half of the latency on the way there, half back.
 * @param {Hub} hub
 * @param {Request} request
 * @param {number} latencyMs
 * @param {AbortScope} scope
 */
async function roundTrip(hub, request, latencyMs, scope) {
  await scope.pause(hub.clock, latencyMs / 2);
  const response = await scope.wait(hub.handle(request, scope.signal));
  await scope.pause(hub.clock, latencyMs / 2);
  return decoded(response);
}

/**
 * Undoes the encoding; as in a browser the headers go on speaking of it. In the
 * same thread: the virtual clock does not wait for others.
 * @param {Response} response
 */
function decoded(response) {
  const { status, headers, body } = response;
  if (!body || headers.get('content-encoding') !== 'gzip') return response;
  /** @type {Uint8Array[]} */
  const pieces = [];
  const plain = new TransformStream({
    transform(piece) { pieces.push(piece); },
    flush(controller) {
      controller.enqueue(gunzipSync(Buffer.concat(pieces)));
    },
  });
  return new Response(body.pipeThrough(plain), { status, headers });
}

/**
 * Follows redirects as the fetch standard says: no token to another origin.
 * @param {Request} request
 * @param {(hop: Request) => Promise<Response>} exchange
 */
async function follow(request, exchange) {
  const body = request.body ? await request.arrayBuffer() : undefined;
  const headers = new Headers(request.headers);
  let url = request.url;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await exchange(
      new Request(url, { method: request.method, headers, body }));
    const location = response.headers.get('location');
    if (response.status < 300 || response.status > 399 || !location
      || request.redirect === 'manual') {
      return withUrl(response, url, hops > 0);
    }
    if (request.redirect === 'error') throw new TypeError('unexpected redirect');
    const next = new URL(location, url);
    if (next.origin !== new URL(url).origin) {
      headers.delete('authorization');
      if (headers.has('origin')) headers.set('origin', 'null');
    }
    url = next.href;
  }
  throw new TypeError('redirect count exceeded');
}

/**
 * @param {Request} request
 * @param {(hop: Request) => Promise<Response>} exchange
 */
async function fetchAsPage(request, exchange) {
  request.headers.set('origin', PAGE_ORIGIN);
  return asPageSees(await follow(request, async (hop) => {
    await preflight(hop, exchange);
    return exchange(hop);
  }));
}

/**
 * Asks for permission first where a browser would, on every hop anew.
 * @param {Request} request
 * @param {(hop: Request) => Promise<Response>} exchange
 */
async function preflight(request, exchange) {
  const names = preflightedNames(request.headers);
  if (names.length === 0) return;
  const question = new Request(request.url, {
    method: 'OPTIONS',
    headers: {
      origin: request.headers.get('origin') ?? PAGE_ORIGIN,
      'access-control-request-method': request.method,
      'access-control-request-headers': names.join(','),
    },
  });
  const answer = await exchange(question);
  const allowed = answer.headers.get('access-control-allow-headers') ?? '';
  const granted = allowed.toLowerCase().split(',');
  if (!answer.ok || !names.every((name) => granted.includes(name))) {
    throw new TypeError('Failed to fetch');
  }
}

/** @param {Response} response */
function asPageSees(response) {
  if (response.status >= 300 && response.status <= 399 && response.status !== 304) {
    return Response.error();
  }
  const seen = new Response(response.body, {
    status: response.status, headers: visibleToPage(response.headers),
  });
  return withUrl(seen, response.url, response.redirected);
}
