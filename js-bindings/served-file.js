// SPDX-License-Identifier: Apache-2.0
// `fetch` and `cache` of the manager: files of the Hub come out of the store.
// The core says what the answer is; here it becomes a Response.

import { ByteReader } from './byte-reader.js';
import { errorOfMessage } from './errors.js';

/**
 * @typedef {Pick<import('./loop.js').Loop, 'run'>} Loop
 *
 * @typedef {object} Wanted
 * @property {string} url
 * @property {string} method
 * @property {string} [range]
 * @property {string} [ifNoneMatch]
 * @property {string} [ifRange]
 * @property {string} [hfToken]
 * @property {boolean} [onlyCached]
 * @property {boolean} [input] its bytes are handed in
 *
 * @typedef {object} Head
 * @property {number} status
 * @property {Record<string, string | number>} headers
 */

/** Verified blocks that wait for the reader, or are on their way. */
const BLOCKS_AHEAD = 2;

/**
 * What is asked for, from the arguments of `fetch`.
 * @param {RequestInfo | URL} input
 * @param {RequestInit} [init]
 * @returns {Wanted}
 */
export function wantedOf(input, init) {
  const request = typeof input === 'object' && input !== null
    && 'url' in input ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  const [, hfToken] = /^Bearer ([\x21-\x7e]+)$/i
    .exec(headers.get('authorization') ?? '') ?? [];
  return {
    url: absolute(request?.url ?? String(input)),
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    range: headers.get('range') ?? undefined,
    ifNoneMatch: headers.get('if-none-match') ?? undefined,
    ifRange: headers.get('if-range') ?? undefined,
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
 * @returns {Promise<Response | 'pass' | 'miss' | 'refused'>} pass: it is not the
 *   store's business; miss: it is not stored; refused: not without a token
 */
export function serveFile(loop, id, wanted, signal, input) {
  return new Promise((resolve, reject) => {
    const body = new ServedBody(signal);
    loop.run({ action: 'fetchFile', id, params: wanted }, {
      signal: body.signal,
      input,
      onStart: (pull, giveBack) => body.begin(pull, giveBack),
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

/** The bytes of one answer, of which a few are ready before they are read. */
class ServedBody {
  #stop = new AbortController();
  /** @type {ReadableByteStreamController | undefined} */
  #controller;
  #pull = () => {};
  /** @type {(buffer: ArrayBuffer) => void} */
  #giveBack = () => {};
  /** @type {Uint8Array<ArrayBuffer>[]} in order */
  #blocks = [];
  #asked = 0;
  #isEnded = false;
  #isOver = false;
  /** Called when there is something for a reader that waits. */
  #wake = () => {};

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

  /**
   * @param {() => void} pull asks the core for a block
   * @param {(buffer: ArrayBuffer) => void} giveBack
   */
  begin(pull, giveBack) {
    this.#pull = pull;
    this.#giveBack = giveBack;
  }

  /** @returns {ReadableStream<Uint8Array>} */
  stream() {
    const source = {
      start: (/** @type {ReadableByteStreamController} */ controller) => {
        this.#controller = controller;
      },
      pull: () => this.#read(),
      cancel: (/** @type {unknown} */ reason) => this.#stop.abort(reason),
    };
    const strategy = { highWaterMark: 0 };
    try {
      return new ReadableStream({ ...source, type: 'bytes' }, strategy);
    } catch { // there are no streams of bytes: blocks are handed over
      return new ReadableStream(/** @type {any} */ (source), strategy);
    }
  }

  /**
   * @param {Uint8Array} bytes
   * @param {boolean} isLast
   */
  take(bytes, isLast) {
    this.#blocks.push(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
    this.#asked -= 1;
    if (isLast) this.end();
    else this.#ask();
    this.#wake();
  }

  end() {
    this.#isEnded = true;
    if (this.#blocks.length === 0) this.#close();
    this.#wake();
  }

  /** @param {unknown} reason */
  fail(reason) {
    if (!this.#isOver) this.#controller?.error(reason);
    this.#isOver = true;
    this.#wake();
  }

  /** One block is asked for at a time. */
  #ask() {
    if (this.#asked > 0 || this.#isEnded
      || this.#blocks.length >= BLOCKS_AHEAD) return;
    this.#asked += 1;
    this.#pull();
  }

  /** Gives a reader what is there, or as soon as something is. */
  async #read() {
    this.#ask();
    while (this.#blocks.length === 0 && !this.#isOver) {
      await new Promise((/** @type {(value: void) => void} */ resolve) => {
        this.#wake = resolve;
      });
    }
    const [block] = this.#blocks;
    if (!block) return;
    const { view } = this.#controller?.byobRequest ?? {};
    if (!view) {
      this.#blocks.shift();
      this.#controller?.enqueue(block);
    } else if (isSwappable(view, block)) {
      this.#blocks.shift();
      this.#controller?.byobRequest?.respondWithNewView(block);
      this.#giveBack(/** @type {ArrayBuffer} */ (view.buffer));
    } else {
      this.#copy(block, view);
    }
    if (this.#isEnded && this.#blocks.length === 0) this.#close();
    else this.#ask();
  }

  /**
   * Into the reader's own memory; ours is used again.
   * @param {Uint8Array<ArrayBuffer>} block
   * @param {ArrayBufferView} view
   */
  #copy(block, view) {
    const length = Math.min(block.length, view.byteLength);
    new Uint8Array(view.buffer, view.byteOffset, length)
      .set(block.subarray(0, length));
    if (length < block.length) {
      this.#blocks[0] = block.subarray(length);
    } else {
      this.#blocks.shift();
      this.#giveBack(block.buffer);
    }
    this.#controller?.byobRequest?.respond(length);
  }

  #close() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#controller?.close();
    // A reader that waits with a buffer of its own is answered only by this.
    this.#controller?.byobRequest?.respond(0);
  }
}

/**
 * Whether a reader's buffer can be answered with another one: both are as long
 * as a block, and there is nothing in it.
 * @param {ArrayBufferView} view of the reader
 * @param {Uint8Array} block
 */
function isSwappable(view, block) {
  const { byteLength } = view.buffer;
  return view.byteLength === byteLength && block.byteLength === byteLength
    && block.buffer.byteLength === byteLength;
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
  let whole = new ArrayBuffer(length);
  const reader = new ByteReader(response.body);
  for (let at = 0; at < length;) {
    const { done, value } = await reader.read(new Uint8Array(whole, at));
    if (done || !value) throw new TypeError('the body is too short');
    at += value.length;
    whole = value.buffer;
  }
  return whole;
}

/** As the Hub answers for a file that is not in the repository. */
function absentResponse() {
  return new Response('Entry not found', {
    status: 404, headers: { 'x-error-code': 'EntryNotFound' },
  });
}
