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
   * @param {(bytes: number) => void} [onBytes] hears how many of them came, 0
   *   for those before
   */
  async read(from, to = Infinity, onBytes) {
    /** @type {BlobPart[]} */
    const parts = [];
    while (this.#at < to) {
      const bytes = await this.#next(
        this.#at < from ? from - this.#at : to - this.#at);
      if (!bytes) break;
      const isWanted = this.#at >= from;
      if (isWanted) {
        parts.push(/** @type {Uint8Array<ArrayBuffer>} */ (bytes));
      }
      onBytes?.(isWanted ? bytes.length : 0);
      this.#at += bytes.length;
    }
    return new Blob(parts);
  }

  /**
   * Passes over the rest.
   * @param {() => void} onBytes hears that some of it came
   */
  async skip(onBytes) {
    while (await this.#next(Infinity)) onBytes();
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
