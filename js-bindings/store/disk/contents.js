// SPDX-License-Identifier: Apache-2.0
// Contents: one file each, named by a number that is never used again.

import { openAsBlob } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { storeError } from '../errors.js';
import { discard, syncDirectory } from './files.js';

/** Bytes that are in memory while a Blob is written. */
const PIECE_BYTES = 1024 * 1024;

/** The files of contents. */
export class Contents {
  #directory;
  #next = 1;

  /** @param {string} directory which is there */
  constructor(directory) {
    this.#directory = directory;
  }

  /** The lowest number that was never used. */
  get next() {
    return this.#next;
  }

  /** @param {number} number that is or was used */
  reserve(number) {
    this.#next = Math.max(this.#next, number + 1);
  }

  /**
   * Writes Blobs; durable when it resolves, all or none.
   * @param {Blob[]} blobs
   * @returns {Promise<number[]>}
   */
  async add(blobs) {
    /** @type {number[]} */
    const numbers = [];
    try {
      for (const blob of blobs) await this.#write(blob, numbers);
      return numbers;
    } catch (error) {
      await this.remove(numbers);
      throw error;
    }
  }

  /**
   * @param {number} number
   * @param {number} size
   * @returns {Promise<Blob>}
   */
  async blob(number, size) {
    try {
      const blob = await openAsBlob(this.#path(number));
      if (blob.size === size) return blob;
    } catch (error) {
      throw storeError('NotReadableError', 'a content is missing', error);
    }
    throw storeError('NotReadableError', `a content has not ${size} bytes`);
  }

  /** @param {number[]} numbers */
  async remove(numbers) {
    await discard(numbers.map((number) => this.#path(number)));
  }

  /**
   * Deletes all but these.
   * @param {Set<number>} used
   */
  async sweep(used) {
    const present = (await readdir(this.#directory))
      .filter((name) => /^\d+$/.test(name)).map(Number);
    for (const number of present) this.reserve(number);
    await this.remove(present.filter((number) => !used.has(number)));
  }

  /**
   * @param {Blob} blob
   * @param {number[]} numbers of the batch; ours is added at once
   */
  async #write(blob, numbers) {
    const { handle, number } = await this.#create();
    numbers.push(number);
    try {
      for (let at = 0; at < blob.size; at += PIECE_BYTES) {
        const piece = blob.slice(at, at + PIECE_BYTES);
        await handle.writeFile(new Uint8Array(await piece.arrayBuffer()));
      }
      // Together they take hardly longer than one.
      await Promise.all([handle.datasync(), syncDirectory(this.#directory)]);
    } finally {
      await handle.close();
    }
  }

  /** Another process may have taken a number that we do not know of. */
  async #create() {
    for (;;) {
      const number = this.#next;
      this.#next += 1;
      try {
        return { handle: await open(this.#path(number), 'wx'), number };
      } catch (error) {
        if (/** @type {any} */ (error).code !== 'EEXIST') throw error;
      }
    }
  }

  /** @param {number} number */
  #path(number) {
    return join(this.#directory, String(number));
  }
}
