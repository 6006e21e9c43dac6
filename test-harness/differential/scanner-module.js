// SPDX-License-Identifier: Apache-2.0
// Runs the scanners alone, in the module that scanner_module.c is built into.

import { readFile } from 'node:fs/promises';

const DEFAULT_PATH = new URL(
  '../../build/wasm/scanner_module.wasm',
  import.meta.url,
);

/** The largest piece that one call may feed. */
export const PIECE_MAX = 65536;

/** What becomes of the rows of a listing, as in scanner_module.c. */
export const MODE = Object.freeze({ ROWS: 0, COUNT: 1, BEST: 2 });

/**
 * Yields the lengths of the pieces into which `total` bytes are cut.
 * @param {number} total
 * @param {number | (() => number)} size the size of every piece, or what to
 *     call for the next one
 */
function* pieceLengths(total, size) {
  for (let left = total; left > 0; ) {
    const wanted = typeof size === 'number' ? size : size();
    const length = Math.min(left, PIECE_MAX, Math.max(1, wanted));
    yield length;
    left -= length;
  }
}

export class ScannerModule {
  #exports;
  #input;
  #view = new Uint8Array(0);
  #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /** @param {WebAssembly.Exports} exports */
  constructor(exports) {
    this.#exports = /** @type {Record<string, Function>} */ (
      /** @type {unknown} */ (exports)
    );
    this.#exports._initialize();
    const error = this.#exports.module_init();
    if (error !== 0) {
      throw new Error(`module_init returned ${error}`);
    }
    this.#input = this.#exports.module_input();
  }

  /** @param {string | URL} [path] the module; the environment may name it */
  static async load(path = process.env.TAM_SCANNER_MODULE ?? DEFAULT_PATH) {
    const imports = { env: { emscripten_notify_memory_growth() {} } };
    const { instance } = await WebAssembly.instantiate(
      await readFile(path),
      imports,
    );
    return new ScannerModule(instance.exports);
  }

  #memory() {
    const memory = /** @type {any} */ (this.#exports.memory);
    return /** @type {ArrayBuffer} */ (memory.buffer);
  }

  /** How large the linear memory of the module is, in bytes. */
  get memoryBytes() {
    return this.#memory().byteLength;
  }

  /** Where the next piece goes. */
  #inputView() {
    // Memory that has grown is another buffer.
    if (this.#view.buffer !== this.#memory()) {
      this.#view = new Uint8Array(this.#memory(), this.#input, PIECE_MAX);
    }
    return this.#view;
  }

  /**
   * @param {string} feed the export that takes the pieces
   * @param {Uint8Array} bytes
   * @param {number | (() => number)} size
   * @returns {number} 0 or the first error
   */
  #feed(feed, bytes, size) {
    const take = this.#exports[feed];
    if (bytes.length <= PIECE_MAX && Number(size) >= bytes.length) {
      this.#inputView().set(bytes);
      return take(bytes.length);
    }
    let at = 0;
    for (const length of pieceLengths(bytes.length, size)) {
      this.#inputView().set(bytes.subarray(at, at + length));
      const error = take(length);
      if (error !== 0) {
        return error;
      }
      at += length;
    }
    return 0;
  }

  /** The output of the module as text. */
  outputText() {
    const bytes = new Uint8Array(
      this.#memory(),
      this.#exports.module_output(),
      this.#exports.module_output_len(),
    );
    return this.#decoder.decode(bytes);
  }

  /** The output of the module, parsed. */
  output() {
    return JSON.parse(this.outputText());
  }

  /**
   * Scans `bytes` as JSON of any shape.
   * @param {Uint8Array} bytes
   * @param {number | (() => number)} size of the pieces
   * @returns {number} 0 when it is JSON, else an error of tam_error.def
   */
  scanJson(bytes, size) {
    this.#exports.module_json_reset();
    return (
      this.#feed('module_json_feed', bytes, size) ||
      this.#exports.module_json_end()
    );
  }

  /**
   * Scans one page.
   * @param {Uint8Array} bytes
   * @param {number | (() => number)} size of the pieces
   * @returns {{ error: number, offset: number }} the rows are the output
   */
  scanPage(bytes, size) {
    this.#exports.module_listing_begin(MODE.ROWS, 0);
    const error =
      this.#feed('module_listing_feed', bytes, size) ||
      this.#exports.module_listing_end_page();
    const offset = this.#exports.module_listing_offset();
    this.#exports.module_listing_end();
    return { error, offset };
  }

  /**
   * Scans a listing of many pages.
   * @param {Uint8Array[]} pages
   * @param {number} size of the pieces
   * @param {number} mode one of MODE
   * @param {number} [bestMax] how many rows MODE.BEST keeps
   * @returns {number} how many rows passed the prefilter
   */
  scanListing(pages, size, mode, bestMax = 0) {
    this.#exports.module_listing_begin(mode, bestMax);
    for (const page of pages) {
      this.#exports.module_listing_next_page();
      const error =
        this.#feed('module_listing_feed', page, size) ||
        this.#exports.module_listing_end_page();
      if (error !== 0) {
        throw new Error(`a page failed with ${error}`);
      }
    }
    return this.#exports.module_listing_end();
  }

  /**
   * Scans one config.json.
   * @param {Uint8Array} bytes
   * @param {number | (() => number)} size of the pieces
   * @param {boolean} withOutput whether the digest is written to the output
   * @returns {number} 0 or an error
   */
  scanConfig(bytes, size, withOutput) {
    this.#exports.module_config_reset();
    return (
      this.#feed('module_config_feed', bytes, size) ||
      this.#exports.module_config_end(withOutput ? 1 : 0)
    );
  }
}
