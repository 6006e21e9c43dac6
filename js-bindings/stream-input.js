// SPDX-License-Identifier: Apache-2.0
// Parts of a stream, which can only be read forwards.

export class StreamInput {
  #reader;
  #at = 0;
  /** @type {Uint8Array} */
  #rest = new Uint8Array(0);

  /** @param {ReadableStream<Uint8Array> | null} stream null: there is nothing */
  constructor(stream) {
    this.#reader = stream?.getReader();
  }

  /**
   * The bytes from `from` on, which is not before the end of an earlier part,
   * to `to` or to the end.
   * @param {number} from
   * @param {number} [to]
   */
  async read(from, to = Infinity) {
    /** @type {BlobPart[]} */
    const parts = [];
    while (this.#at < to) {
      const bytes = await this.#next(
        this.#at < from ? from - this.#at : to - this.#at);
      if (!bytes) break;
      if (this.#at >= from) {
        parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      }
      this.#at += bytes.length;
    }
    return new Blob(parts);
  }

  async close() {
    await this.#reader?.cancel();
  }

  /** @param {number} most */
  async #next(most) {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#reader?.read() ?? { done: true };
      if (done || !value) return undefined;
      this.#rest = value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }
}
