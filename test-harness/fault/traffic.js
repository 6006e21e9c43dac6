// SPDX-License-Identifier: Apache-2.0
// A `fetch` that keeps book: what was asked with which headers, how much of
// the answer was taken, and what is still open.

/**
 * @typedef {object} Exchange one call of `fetch`
 * @property {string} url
 * @property {Headers} headers
 * @property {AbortSignal} signal
 * @property {number} bytes of the body that were read
 */

/** Requests made through one `fetch`. */
export class Traffic {
  /** @type {Exchange[]} */
  exchanges = [];
  /** The most requests that were open at a time. */
  mostOpen = 0;
  /** @type {Set<Exchange>} those without an end */
  #open = new Set();
  #fetch;
  #onEvent;

  /**
   * @param {typeof fetch} fetch
   * @param {(what: string) => void} [onEvent] called at each request, head,
   *   piece, end and failure
   */
  constructor(fetch, onEvent = () => {}) {
    this.#fetch = fetch;
    this.#onEvent = onEvent;
    this.fetch = this.fetch.bind(this);
  }

  /** Requests under way. */
  get open() {
    return [...this.#open].filter(({ signal }) => !signal.aborted);
  }

  /** Requests for files of repositories. */
  get files() {
    return this.exchanges.filter(({ url }) => url.includes('/resolve/'));
  }

  /** Requests for pages of the listing. */
  get pages() {
    return this.exchanges.filter(({ url }) => url.includes('/api/models'));
  }

  /**
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   */
  async fetch(input, init) {
    const exchange = {
      url: String(input),
      headers: new Headers(init?.headers),
      signal: /** @type {AbortSignal} */ (init?.signal),
      bytes: 0,
    };
    this.exchanges.push(exchange);
    this.#open.add(exchange);
    this.mostOpen = Math.max(this.mostOpen, this.open.length);
    this.#onEvent('request');
    try {
      const response = await this.#fetch(input, init);
      this.#onEvent('head');
      return new Response(this.#watch(exchange, response.body), response);
    } catch (error) {
      this.#open.delete(exchange);
      this.#onEvent('failure');
      throw error;
    }
  }

  /**
   * @param {Exchange} exchange
   * @param {ReadableStream<Uint8Array> | null} body
   */
  #watch(exchange, body) {
    if (!body) {
      this.#open.delete(exchange);
      return null;
    }
    const reader = body.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            exchange.bytes += value.length;
            controller.enqueue(value);
            this.#onEvent('piece');
            return;
          }
          controller.close();
          this.#onEvent('end');
        } catch (error) {
          controller.error(error);
          this.#onEvent('failure');
        }
        this.#open.delete(exchange);
      },
      cancel: (reason) => {
        this.#open.delete(exchange);
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
  }
}
