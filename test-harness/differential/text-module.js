// SPDX-License-Identifier: Apache-2.0
// Runs the objects that make text of tokens, in the module that text_module.c
// is built into.

import { readFile } from 'node:fs/promises';

const DEFAULT_PATH = new URL(
  '../../build/wasm/text_module.wasm', import.meta.url);

/** The longest text that one call may hand over. */
const INPUT_MAX = 65536;

/** @typedef {'cleanup' | 'stops' | 'json'} Stage */

/** @typedef {'content' | 'reasoning' | 'tool'} Kind */

/** @typedef {{ kind: Kind, text: string }} Part */

/** @type {readonly Kind[]} by number */
const KINDS = ['content', 'reasoning', 'tool'];

/**
 * @typedef {object} StreamSetup
 * @property {boolean} [cleanup]
 * @property {boolean} [tools]
 * @property {boolean} [json]
 * @property {string[]} [stops]
 */

const encoder = new TextEncoder();

export class TextModule {
  #exports;
  #memory;

  /** @param {WebAssembly.Exports} exports */
  constructor(exports) {
    this.#exports = /** @type {Record<string, Function>} */ (
      /** @type {unknown} */ (exports)
    );
    this.#exports._initialize();
    this.#exports.module_init();
    this.#memory = /** @type {WebAssembly.Memory} */ (exports.memory);
  }

  static async load() {
    const { instance } = await WebAssembly.instantiate(
      await readFile(DEFAULT_PATH), {
        env: { emscripten_notify_memory_growth() {} },
      });
    return new TextModule(instance.exports);
  }

  /** @param {string} text @returns {number} bytes */
  #input(text) {
    const to = new Uint8Array(
      this.#memory.buffer, this.#exports.module_input(), INPUT_MAX);
    const { read, written } = encoder.encodeInto(text, to);
    if (read < text.length) throw new Error('the text is too long');
    return written;
  }

  /** Returns what came since the last call. */
  #output() {
    const start = this.#exports.module_output();
    return Buffer.from(
      this.#memory.buffer, start, this.#exports.module_output_len())
      .toString('utf8');
  }

  /** @param {Stage} stage */
  begin(stage) {
    this.#exports[`module_${stage}_begin`]();
  }

  /** @param {string} text */
  addStop(text) {
    return this.#exports.module_stops_add(this.#input(text));
  }

  /** @param {Stage} stage @param {string} text */
  push(stage, text) {
    const result = this.#exports[`module_${stage}_push`](this.#input(text));
    return { result, text: this.#output() };
  }

  /** @param {Stage} stage */
  end(stage) {
    this.#exports[`module_${stage}_end`]();
    return this.#output();
  }

  /** @param {string} text @returns {number} */
  tagOf(text) {
    return this.#exports.module_tag_of(this.#input(text));
  }

  /** @param {StreamSetup} setup */
  beginStream({ cleanup = true, tools = false, json = false, stops = [] }) {
    this.#input(stops.map((stop) =>
      String.fromCharCode(encoder.encode(stop).length) + stop).join(''));
    return this.#exports.module_stream_begin(
      cleanup, tools, json, stops.length);
  }

  /** @param {number} id @param {number} [tag] */
  pushToken(id, tag = 0) {
    this.#exports.module_stream_push(id, tag);
  }

  /** Returns the ids that have to be decoded. @returns {number[]} */
  wants() {
    const count = this.#exports.module_stream_wants();
    return count === 0 ? [] : [...new Int32Array(
      this.#memory.buffer, this.#exports.module_stream_ids(), count)];
  }

  /** @param {string} text of the ids that were wanted */
  take(text) {
    return this.#exports.module_stream_take(this.#input(text));
  }

  /** @returns {number} 0 goes on, 1 stop string, 2 JSON */
  isDone() {
    return this.#exports.module_stream_done();
  }

  finish() {
    this.#exports.module_stream_finish();
  }

  endStream() {
    return this.#exports.module_stream_end();
  }

  freeStream() {
    this.#exports.module_stream_free();
  }

  /** Returns the parts that came since the last call. @returns {Part[]} */
  parts() {
    /** @type {Part[]} */
    const parts = [];
    for (;;) {
      const kind = this.#exports.module_stream_part(parts.length);
      if (kind < 0) return parts;
      parts.push({ kind: KINDS[kind], text: this.#output() });
    }
  }
}
