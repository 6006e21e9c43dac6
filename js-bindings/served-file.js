// SPDX-License-Identifier: Apache-2.0
// `fetch` and `cache` of the manager: files of the Hub come out of the store.
// The core says what the answer is; here it becomes a Response.

import { errorOfMessage } from './errors.js';

/**
 * @typedef {import('./loop.js').Loop} Loop
 *
 * @typedef {object} Wanted
 * @property {string} url
 * @property {string} method
 * @property {string} [range]
 * @property {string} [ifNoneMatch]
 * @property {string} [hfToken]
 * @property {boolean} [onlyCached]
 * @property {boolean} [input] its bytes are handed in
 *
 * @typedef {object} Head
 * @property {number} status
 * @property {Record<string, string | number>} headers
 */

/** Verified bytes that wait for the reader: two blocks. */
const HIGH_WATER_BYTES = 2 << 20;

/**
 * What is asked for, from the arguments of `fetch`.
 * @param {RequestInfo | URL} input
 * @param {RequestInit} [init]
 * @returns {Wanted}
 */
export function wantedOf(input, init) {
  const request = typeof input === 'object' && 'url' in input
    ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  const [, hfToken] = /^Bearer ([\x21-\x7e]+)$/i
    .exec(headers.get('authorization') ?? '') ?? [];
  return {
    url: absolute(request?.url ?? String(input)),
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    range: headers.get('range') ?? undefined,
    ifNoneMatch: headers.get('if-none-match') ?? undefined,
    hfToken,
  };
}

/** @param {string} url */
function absolute(url) {
  try {
    return new URL(url, globalThis.location?.href).href;
  } catch {
    return url;
  }
}

/**
 * Serves a file from the store, downloading it when it is not there.
 * @param {Loop} loop
 * @param {string} id
 * @param {Wanted} wanted
 * @param {AbortSignal | null} [signal]
 * @param {import('./archive.js').Input} [input] the file, if it is handed in
 * @returns {Promise<Response | 'pass' | 'miss'>} pass: it is not the store's
 *   business; miss: it is not stored
 */
export function serveFile(loop, id, wanted, signal, input) {
  return new Promise((resolve, reject) => {
    const body = new ServedBody(signal);
    loop.run({ action: 'fetchFile', id, params: wanted }, {
      signal: body.signal,
      input,
      onStart: (pull) => body.begin(pull),
      onProgress: (head) => resolve(responseOf(
        head, wanted.method === 'HEAD' || head.status >= 300 ? null : body)),
      onBytes: (bytes, isLast) => body.take(bytes, isLast),
    }).then((end) => {
      if (end.code !== undefined) {
        throw errorOfMessage(end, signal?.reason);
      }
      if (end.outcome === 'absent') resolve(absentResponse());
      else if (end.outcome !== 'file') resolve(end.outcome);
      body.end();
    }).catch((error) => {
      const reason = signal?.aborted ? signal.reason : error;
      body.fail(reason);
      reject(reason);
    });
  });
}

/** The bytes of one answer, which the core hands over when there is room. */
class ServedBody {
  #stop = new AbortController();
  /** @type {ReadableByteStreamController | undefined} */
  #controller;
  #pull = () => {};
  #isEnded = false;

  /** @param {AbortSignal | null} [signal] of the caller */
  constructor(signal) {
    const stop = () => this.#stop.abort(signal?.reason);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { signal: this.signal });
  }

  /** Aborted when nobody wants the file any more. */
  get signal() {
    return this.#stop.signal;
  }

  /** @param {() => void} pull asks the core for more */
  begin(pull) {
    this.#pull = pull;
  }

  /** @returns {ReadableStream<Uint8Array>} */
  stream() {
    return new ReadableStream({
      type: 'bytes',
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.#stop.abort(reason),
    }, { highWaterMark: HIGH_WATER_BYTES });
  }

  /**
   * @param {Uint8Array} bytes
   * @param {boolean} isLast
   */
  take(bytes, isLast) {
    this.#controller?.enqueue(
      /** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    if (isLast) this.end();
    else if ((this.#controller?.desiredSize ?? 0) > 0) this.#pull();
  }

  end() {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#controller?.close();
    // A reader that waits with a buffer of its own is answered only by this.
    this.#controller?.byobRequest?.respond(0);
  }

  /** @param {unknown} reason */
  fail(reason) {
    if (!this.#isEnded) this.#controller?.error(reason);
    this.#isEnded = true;
  }
}

/**
 * @param {Head} head
 * @param {ServedBody | null} body null: the answer has none
 */
function responseOf({ status, headers }, body) {
  const length = Number(headers['content-length'] ?? 0);
  const response = new Response(body?.stream() ?? null, {
    status, headers: /** @type {Record<string, string>} */ (headers),
  });
  if (body) {
    // The platform gathers pieces and then joins them, which takes twice the
    // memory. The length is known, so they can go where they belong.
    Object.defineProperty(response, 'arrayBuffer', {
      value: () => gather(response, length),
    });
  }
  return response;
}

/**
 * @param {Response} response
 * @param {number} length
 */
async function gather(response, length) {
  if (response.bodyUsed || !response.body) {
    throw new TypeError('the body was read already');
  }
  const whole = new Uint8Array(length);
  const reader = response.body.getReader();
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return whole.buffer;
    whole.set(value, at);
    at += value.length;
  }
}

/** As the Hub answers for a file that is not in the repository. */
function absentResponse() {
  return new Response('Entry not found', {
    status: 404, headers: { 'x-error-code': 'EntryNotFound' },
  });
}
