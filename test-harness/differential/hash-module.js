// SPDX-License-Identifier: Apache-2.0
// Runs the hashes alone, in the module that hash_module.c is built into.

import { readFile } from 'node:fs/promises';

const DEFAULT_PATH = new URL(
  '../../build/wasm/hash_module.wasm',
  import.meta.url,
);

/** The largest piece that one call may feed. */
export const PIECE_MAX = 65536;

/** @typedef {'sha256' | 'sha1'} Algorithm whose state can be saved */
/** @typedef {Algorithm | 'xxh64'} AnyAlgorithm */

/** One message of each algorithm at a time. */
export class HashModule {
  #exports;
  #memory;
  #input;

  /** @param {WebAssembly.Exports} exports */
  constructor(exports) {
    this.#exports = /** @type {Record<string, Function>} */ (
      /** @type {unknown} */ (exports)
    );
    this.#exports._initialize();
    const memory = /** @type {WebAssembly.Memory} */ (exports.memory);
    // This module's memory does not grow.
    this.#memory = memory.buffer;
    this.#input = new Uint8Array(
      this.#memory, this.#exports.module_input(), PIECE_MAX);
  }

  /** @param {string | URL} [path] the module; the environment may name it */
  static async load(path = process.env.TAM_HASH_MODULE ?? DEFAULT_PATH) {
    const { instance } = await WebAssembly.instantiate(await readFile(path));
    return new HashModule(instance.exports);
  }

  /** @param {number} length */
  #output(length) {
    return new Uint8Array(
      this.#memory, this.#exports.module_output(), length).slice();
  }

  /** @param {AnyAlgorithm} algorithm */
  init(algorithm) {
    this.#exports[`module_${algorithm}_init`]();
  }

  /**
   * Begins the SHA-1 by which git names a file.
   * @param {number} size of the file in bytes
   */
  initGitBlob(size) {
    this.#exports.module_git_blob_init(size);
  }

  /**
   * @param {AnyAlgorithm} algorithm
   * @param {Uint8Array} bytes any number; they are fed in pieces of PIECE_MAX
   */
  update(algorithm, bytes) {
    const take = this.#exports[`module_${algorithm}_update`];
    for (let at = 0; at < bytes.length; at += PIECE_MAX) {
      const piece = bytes.subarray(at, at + PIECE_MAX);
      this.#input.set(piece);
      take(piece.length);
    }
  }

  /**
   * @param {AnyAlgorithm} algorithm
   * @returns {string} the digest in hexadecimal digits
   */
  final(algorithm) {
    const length = this.#exports[`module_${algorithm}_final`]();
    return Buffer.from(this.#output(length)).toString('latin1');
  }

  /**
   * @param {Algorithm} algorithm
   * @returns {Uint8Array} the state
   */
  save(algorithm) {
    return this.#output(this.#exports[`module_${algorithm}_save`]());
  }

  /**
   * @param {Algorithm} algorithm
   * @param {Uint8Array} saved
   * @returns {number} 0 or an error of tam_error.def
   */
  load(algorithm, saved) {
    this.#input.set(saved);
    return this.#exports[`module_${algorithm}_load`](saved.length);
  }
}
