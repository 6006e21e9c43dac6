// SPDX-License-Identifier: Apache-2.0
// The peer: transformers.js on the very same onnxruntime-web, with models from a
// folder.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import * as ort from 'onnxruntime-web';

// The same runtime for both: the native one rounds otherwise.
Object.assign(globalThis, { [Symbol.for('onnxruntime')]: ort });

/** Not known to the compiler: its declarations have errors. */
const PACKAGE = String('@huggingface/transformers');

const { AutoModelForCausalLM, AutoModelForSeq2SeqLM, env, Tensor } =
  await import(PACKAGE);

// It has pointed the runtime to files elsewhere.
ort.env.wasm.wasmPaths = undefined;

/**
 * Graphs that transformers.js cannot feed; and in Node it leaves external data
 * to the native runtime.
 */
export const UNKNOWN_TO_PEER = new Set(['int32 ids', 'cache of 5 dimensions',
  'cache of key_value', 'gpt2 of int32 with one cache for each layer',
  'llama with external data']);

/** @param {string} path of a graph */
function dtypeOf(path) {
  if (path.includes('_quantized')) return 'q8';
  return path.includes('_fp16') ? 'fp16' : 'fp32';
}

/** A model of transformers.js. */
export class PeerModel {
  #model;
  #config;

  /**
   * @param {any} model
   * @param {Record<string, any>} config
   */
  constructor(model, config) {
    this.#model = model;
    this.#config = config;
  }

  /**
   * The most likely tokens behind a prompt. Those of an encoder-decoder begin
   * with its first token, all others with the prompt.
   * @param {number[]} prompt
   * @param {number} count
   * @returns {Promise<number[]>}
   */
  async continue(prompt, count) {
    const tensor = (/** @type {number[]} */ values) => new Tensor('int64',
      BigInt64Array.from(values, BigInt), [1, values.length]);
    const { data } = await this.#model.generate({
      input_ids: tensor(prompt), attention_mask: tensor(prompt.map(() => 1)),
      max_new_tokens: count, do_sample: false,
      eos_token_id: this.#config.vocab_size,
    });
    return Array.from(data, Number);
  }

  async dispose() {
    await this.#model.dispose();
  }
}

/** A folder of repositories for transformers.js. */
export class PeerFolder {
  #folder;
  #count = 0;

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
  }

  static async make() {
    const folder = await mkdtemp(join(tmpdir(), 'tabagent-models-'));
    Object.assign(env, { allowRemoteModels: false, localModelPath: folder });
    return new PeerFolder(folder);
  }

  /** @param {import('./llama.js').TestModel} model */
  async open({ config, generationConfig, files }) {
    this.#count += 1;
    const id = `model-${this.#count}`;
    /** @type {[string, string | Uint8Array][]} */
    const all = [...files,
      ['config.json', JSON.stringify(config)],
      ['generation_config.json', JSON.stringify(generationConfig)]];
    for (const [path, data] of all) {
      const file = join(this.#folder, id, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, data);
    }
    const Model = config.is_encoder_decoder ? AutoModelForSeq2SeqLM :
      AutoModelForCausalLM;
    const [path] = files.keys();
    return new PeerModel(await Model.from_pretrained(id, {
      device: 'auto', dtype: dtypeOf(path),
    }), config);
  }

  async remove() {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
