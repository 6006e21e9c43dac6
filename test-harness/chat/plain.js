// SPDX-License-Identifier: Apache-2.0
// Answers by the plain loop over a graph: the yardstick for what the engine
// says, token for token.

import { GraphRun, intTensor, openGraph } from '../models/run-graph.js';

/** @typedef {import('../models/graphs.js').NamedGraph} NamedGraph */

/** @param {Float32Array} row */
export function argmax(row) {
  return row.reduce((best, x, i) => (x > row[best] ? i : best), 0);
}

/** A graph, asked in the plainest way: nothing is kept between questions. */
export class PlainModel {
  #config;
  #decoder;
  #encoder;

  /**
   * @param {Record<string, any>} config
   * @param {import('onnxruntime-web').InferenceSession} decoder
   * @param {import('onnxruntime-web').InferenceSession | null} encoder
   */
  constructor(config, decoder, encoder) {
    this.#config = config;
    this.#decoder = decoder;
    this.#encoder = encoder;
  }

  /** @param {NamedGraph} graph */
  static async open({ model, path }) {
    const encoder = 'onnx/encoder_model.onnx';
    return new PlainModel(model.config, await openGraph(model.files, path),
      model.files.has(encoder) ? await openGraph(model.files, encoder) : null);
  }

  /**
   * @param {number[]} ids
   * @returns {Promise<Record<string, import('onnxruntime-web').Tensor>>}
   */
  async #encode(ids) {
    if (!this.#encoder) return {};
    const dims = [1, ids.length];
    const mask = intTensor('int64', ids.map(() => 1), dims);
    const { last_hidden_state: states } = await this.#encoder.run(
      { input_ids: intTensor('int64', ids, dims), attention_mask: mask });
    return { encoder_hidden_states: states, encoder_attention_mask: mask };
  }

  /**
   * The most likely tokens behind a prompt.
   * @param {number[]} prompt
   * @param {number} count
   * @param {Set<number>} [banned] tokens that are never taken
   */
  async continue(prompt, count, banned = new Set()) {
    const given = await this.#encode(prompt);
    const run = new GraphRun(this.#decoder, this.#config);
    let ids = this.#encoder ? [this.#config.decoder_start_token_id] : prompt;
    const tokens = [];
    for (let i = 0; i < count; i += 1) {
      const logits = await run.step(ids, given);
      const last = logits.slice(-this.#config.vocab_size);
      for (const id of banned) last[id] = -Infinity;
      ids = [argmax(last)];
      tokens.push(ids[0]);
    }
    return tokens;
  }

  /**
   * The logits behind a prompt and some tokens of its answer.
   * @param {number[]} prompt
   * @param {number[]} answer
   */
  async logits(prompt, answer) {
    const given = await this.#encode(prompt);
    const run = new GraphRun(this.#decoder, this.#config);
    const start = this.#encoder ? [this.#config.decoder_start_token_id] : prompt;
    const logits = await run.step([...start, ...answer], given);
    return logits.slice(-this.#config.vocab_size);
  }

  async release() {
    await this.#decoder.release();
    await this.#encoder?.release();
  }
}
