// SPDX-License-Identifier: Apache-2.0

/**
 * Reads a stream into memory that is given, again and again the same if the
 * caller likes. Where a stream cannot write there itself (Safari has no streams
 * of bytes, an injected fetch need not have any), what comes is copied.
 */
export class ByteReader {
  /** @type {ReadableStreamBYOBReader | undefined} */
  #writing;
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  #giving;
  /**
   * What was given and has not been read.
   * @type {Uint8Array}
   */
  #rest = new Uint8Array(0);

  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    try {
      this.#writing = stream.getReader({ mode: 'byob' });
    } catch {
      this.#giving = stream.getReader();
    }
  }

  /**
   * Reads at least a byte.
   * @param {Uint8Array<ArrayBuffer>} view that is given away
   * @returns {Promise<{ done: boolean, value?: Uint8Array<ArrayBuffer> }>} what
   *   was read, in the same memory; `done`: the stream has ended. Rejects with
   *   what broke the stream, and with a TypeError when it is not made of bytes.
   */
  read(view) {
    return this.#writing ? this.#writing.read(view) : this.#copy(view);
  }

  /**
   * Ends the stream, and a read that waits.
   * @returns {Promise<void>} rejects when the stream broke off before
   */
  async cancel() {
    this.#rest = new Uint8Array(0);
    await (this.#writing ?? this.#giving)?.cancel();
  }

  /** @param {Uint8Array<ArrayBuffer>} view */
  async #copy(view) {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#giving?.read() ?? { done: true };
      if (done) return { done };
      if (!(value instanceof Uint8Array)) {
        throw new TypeError('the body is not made of bytes');
      }
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, view.length);
    view.set(piece);
    this.#rest = this.#rest.subarray(piece.length);
    return { done: false, value: view.subarray(0, piece.length) };
  }
}
