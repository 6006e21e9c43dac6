// SPDX-License-Identifier: Apache-2.0
// What an AbortSignal has to end in one `fetch`: waits, timers and the body.
// One listener for all of it, removed when the body is done.

import { setMaxListeners } from 'node:events';

const NEVER = new AbortController().signal;

/** The abortable extent of one request, from its start to the end of the body. */
export class AbortScope {
  /** @type {Promise<never>} */
  #aborted;
  /** @type {() => void} */
  #onAbort = () => {};
  /** Drops the timer that runs, if one does. */
  #stopTimer = () => {};

  /** @param {AbortSignal | null | undefined} signal */
  constructor(signal) {
    this.signal = signal ?? NEVER;
    this.#aborted = new Promise((_, reject) => {
      this.#onAbort = () => {
        this.#stopTimer();
        reject(this.signal.reason);
      };
    });
    // Nobody may be waiting when it fires.
    this.#aborted.catch(() => {});
    if (this.signal === NEVER) return;
    // Many requests share one signal as a rule.
    setMaxListeners(0, this.signal);
    if (this.signal.aborted) this.#onAbort();
    else this.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  close() {
    this.signal.removeEventListener('abort', this.#onAbort);
  }

  /**
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>} rejects at once when the signal fires
   */
  wait(promise) {
    return Promise.race([this.#aborted, promise]);
  }

  /**
   * @param {import('./virtual-clock.js').Clock} clock
   * @param {number} ms
   * @returns {Promise<void>}
   */
  pause(clock, ms) {
    if (this.signal.aborted || ms === 0) return this.wait(Promise.resolve());
    return this.wait(new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, ms);
      this.#stopTimer = () => clock.clearTimeout(timer);
    }));
  }

  /**
   * Makes the body of a reply fail as soon as the signal fires.
   * @param {Response} response
   */
  guard(response) {
    if (!response.body || this.signal === NEVER) {
      this.close();
      return response;
    }
    const reader = response.body.getReader();
    const body = new ReadableStream({
      pull: (controller) => this.#pull(reader, controller),
      cancel: (reason) => {
        this.close();
        return reader.cancel(reason);
      },
    }, { highWaterMark: 0 });
    const { status, headers, url, redirected } = response;
    return withUrl(new Response(body, { status, headers }), url, redirected);
  }

  /**
   * @param {ReadableStreamDefaultReader<Uint8Array>} reader
   * @param {ReadableStreamDefaultController<Uint8Array>} controller
   */
  async #pull(reader, controller) {
    try {
      const { done, value } = await this.wait(reader.read());
      if (!done) return controller.enqueue(value);
      controller.close();
    } catch (error) {
      controller.error(error);
      reader.cancel(error).catch(() => {});
    }
    this.close();
  }
}

/**
 * Gives a reply the address a network would have given it.
 * @param {Response} response
 * @param {string} url
 * @param {boolean} redirected
 */
export function withUrl(response, url, redirected) {
  return Object.defineProperties(response, {
    url: { value: url }, redirected: { value: redirected },
  });
}
