// SPDX-License-Identifier: Apache-2.0
// Carries out the core's requests with `fetch` and reports what happened. All
// decisions (retries, timeouts, limits) are the core's.

import { CAPS, EVENT, FETCH_FLAG, INPUT_URL } from './abi.js';
import { ByteReader } from './byte-reader.js';

/** Bytes that are read at a time, at most. */
const READ_BYTES = 1 << 18;

/** Bytes of a body that are gathered before they become a Blob. */
const GATHERED_BYTES = 1 << 17;

const encoder = new TextEncoder();

/**
 * The response's headers as the core reads them. Header text is Latin-1, so
 * two bytes per character are enough; lines beyond the cap are left out.
 * @param {Headers} headers
 */
function headerBlock(headers) {
  let block = '';
  for (const [name, value] of headers) {
    const line = `${name}: ${value}\r\n`;
    if ((block.length + line.length) * 2 > CAPS.EVENT_PAYLOAD_MAX) continue;
    block += line;
  }
  return encoder.encode(block);
}

/**
 * @param {string} block "name: value\r\n" lines
 * @returns {[string, string][]}
 */
function headerPairs(block) {
  return block.split('\r\n').slice(0, -1).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** The requests in flight. */
export class Requests {
  #fetch;
  #report;
  /**
   * Bodies that are kept, by the numbers of their requests.
   * @type {Map<number, Blob>}
   */
  bodies = new Map();
  /** @type {Map<number, AbortController>} */
  #inFlight = new Map();
  /** @type {Map<number, Gathered>} bodies that are on their way */
  #gathered = new Map();

  /**
   * @param {typeof fetch} fetch
   * @param {(kind: number, event: import('./core.js').CoreEvent) => void}
   *   report
   */
  constructor(fetch, report) {
    this.#fetch = fetch;
    this.#report = report;
  }

  /** How many requests are in flight. */
  get size() {
    return this.#inFlight.size;
  }

  /**
   * Starts a request; returns at once.
   * @param {number} request
   * @param {string} url
   * @param {string} headers header block
   * @param {number} flags `FETCH_FLAG`s
   * @param {import('./archive.js').Input} [input] files that are handed in
   */
  start(request, url, headers, flags, input) {
    const controller = new AbortController();
    this.#inFlight.set(request, controller);
    const { signal } = controller;
    if (url.startsWith(INPUT_URL)) {
      this.#take(request, url.slice(INPUT_URL.length), headers, signal, input);
    } else {
      this.#run(request, url, headers, flags, signal);
    }
  }

  /**
   * Aborts a request; nothing more is reported about it.
   * @param {number} request
   * @param {boolean} [keeps] what has come of its body
   */
  abort(request, keeps = false) {
    const came = keeps && this.#gathered.get(request)?.blob();
    this.#inFlight.get(request)?.abort();
    this.#inFlight.delete(request);
    this.#gathered.delete(request);
    this.bodies.delete(request);
    if (came) this.bodies.set(request, came);
  }

  /** Aborts every request and forgets every body. */
  abortAll() {
    for (const request of [...this.#inFlight.keys()]) this.abort(request);
    this.bodies.clear();
  }

  /**
   * Answers a request from what is handed in, as a server would.
   * @param {number} request
   * @param {string} path
   * @param {string} headers
   * @param {AbortSignal} signal
   * @param {import('./archive.js').Input} [input]
   */
  async #take(request, path, headers, signal, input) {
    const range = /^range: bytes=(\d+)-(\d+)/m.exec(headers);
    const report = (/** @type {number} */ kind, event = {}) => {
      if (!signal.aborted) this.#report(kind, { request, ...event });
    };
    try {
      report(EVENT.HTTP_HEAD, { status: range ? 206 : 200 });
      const body = await input?.read(path, Number(range?.[1] ?? 0),
        range ? Number(range[2]) + 1 : undefined,
        (bytes) => report(EVENT.HTTP_KEPT, { status: bytes }));
      if (!body) throw new Error(`${path} was not handed in`);
      if (!signal.aborted) this.bodies.set(request, body);
      report(EVENT.HTTP_END, { status: body.size });
    } catch (error) {
      report(EVENT.HTTP_FAIL, { payload: encoder.encode(reasonOf(error)) });
    } finally {
      if (!signal.aborted) this.#inFlight.delete(request);
    }
  }

  /**
   * @param {number} request
   * @param {string} url
   * @param {string} headers
   * @param {number} flags
   * @param {AbortSignal} signal
   */
  async #run(request, url, headers, flags, signal) {
    const report = (/** @type {number} */ kind, event = {}) => {
      if (!signal.aborted) this.#report(kind, { request, ...event });
    };
    try {
      const fetch = this.#fetch;
      const response = await fetch(url, {
        headers: headerPairs(headers),
        credentials: 'omit',
        redirect: 'follow',
        // What is kept here shall not lie in the browser's cache as well.
        cache: flags & FETCH_FLAG.KEEP ? 'no-store' : 'default',
        signal,
      });
      report(EVENT.HTTP_HEAD, {
        status: response.status, payload: headerBlock(response.headers),
      });
      if (flags & FETCH_FLAG.KEEP) {
        const body = await (flags & FETCH_FLAG.WHOLE
          ? response.blob() : this.#gather(request, response, signal, report));
        if (!signal.aborted) this.bodies.set(request, body);
        report(EVENT.HTTP_END, { status: body.size });
        return;
      }
      await readBody(response, signal, (payload) => {
        report(EVENT.HTTP_DATA, { payload });
      });
      report(EVENT.HTTP_END);
    } catch (error) {
      const came = signal.aborted
        ? undefined : this.#gathered.get(request)?.blob();
      if (came?.size) this.bodies.set(request, came);
      report(EVENT.HTTP_FAIL, {
        status: came?.size, payload: encoder.encode(reasonOf(error)),
      });
    } finally {
      if (!signal.aborted) {
        this.#inFlight.delete(request);
        this.#gathered.delete(request);
      }
    }
  }

  /**
   * The body as one Blob.
   * @param {number} request
   * @param {Response} response
   * @param {AbortSignal} signal
   * @param {(kind: number, event: object) => void} report
   */
  async #gather(request, response, signal, report) {
    const gathered = new Gathered();
    if (response.ok) this.#gathered.set(request, gathered);
    await readBody(response, signal, async (bytes) => {
      await gathered.add(bytes);
      // From here on they are there, whatever becomes of the rest.
      if (!signal.aborted) gathered.told += bytes.length;
      report(EVENT.HTTP_KEPT, { status: bytes.length });
    });
    return gathered.blob();
  }
}

/**
 * A body as one Blob of many: what has come shall not stay in the memory of the
 * page, nor become garbage there.
 */
class Gathered {
  /** @type {Blob[]} */
  #blobs = [];
  #bytes = new Uint8Array(GATHERED_BYTES);
  #size = 0;
  /** Bytes that the core knows of. */
  told = 0;

  /** @param {Uint8Array} bytes */
  async add(bytes) {
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + GATHERED_BYTES - this.#size);
      this.#bytes.set(piece, this.#size);
      this.#size += piece.length;
      at += piece.length;
      if (this.#size === GATHERED_BYTES) await this.#seal();
    }
  }

  async #seal() {
    const blob = new Blob([this.#bytes]);
    // Answered when the browser has taken it over: so much and no more waits.
    await blob.slice(0, 1).arrayBuffer();
    this.#blobs.push(blob);
    this.#size = 0;
  }

  /** What the core knows of. */
  blob() {
    return new Blob([...this.#blobs, this.#bytes.subarray(0, this.#size)])
      .slice(0, this.told);
  }
}

/**
 * @param {Response} response
 * @param {AbortSignal} signal stops the reading even when the injected fetch
 *   does not listen to it
 * @param {(bytes: Uint8Array) => void | Promise<void>} onBytes they are valid
 *   until it is done
 */
async function readBody(response, signal, onBytes) {
  if (!response.body) return;
  const reader = new ByteReader(response.body);
  let buffer = new ArrayBuffer(READ_BYTES);
  // Ends a read that waits, too. A body that has ended does not mind.
  const stop = async () => {
    try {
      await reader.cancel();
    } catch {
      // It broke off, which has been reported.
    }
  };
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || !value) return;
      await onBytes(value);
      ({ buffer } = value);
    }
  } finally {
    stop();
  }
}

/**
 * The platform's words for a failed request, with the cause that Node hides
 * behind "fetch failed". Short, because it only ends up in messages.
 * @param {any} error
 */
function reasonOf(error) {
  const cause = error?.cause?.message ?? error?.cause?.code;
  const reason = String(error?.message ?? error);
  return (cause ? `${reason}: ${cause}` : reason).slice(0, 500);
}
