#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Last step of making the tiny chat model: writes its repository from what
// train/prepare.js and train/train.py have left in build/tiny-chat.

import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../paths.js';
import { makeLlama } from './llama.js';
import { readSafetensors } from './safetensors.js';
import { DIRECTORY } from './tiny-chat.js';

const INPUT = join(ROOT, 'build/tiny-chat');

/** What is taken as it is; the card is the one that is there. */
const SMALL_FILES = ['config.json', 'generation_config.json',
  'special_tokens_map.json', 'tokenizer.json', 'tokenizer_config.json'];

/**
 * The graphs: as exports of the Hub are, one with a file beside it and with a
 * cache of 16 bits.
 * @type {Partial<import('./llama.js').LlamaOptions>[]}
 */
const VARIANTS = [
  { dtype: 'fp32' },
  { dtype: 'q8' },
  { dtype: 'fp16', externalData: true, cacheType: 'float16' },
];

/**
 * What the generator of graphs wants to know of a config.json.
 * @param {Record<string, any>} config
 * @returns {Partial<import('./llama.js').LlamaOptions>}
 */
function optionsOf(config) {
  return {
    layers: config.num_hidden_layers,
    hidden: config.hidden_size,
    intermediate: config.intermediate_size,
    heads: config.num_attention_heads,
    kvHeads: config.num_key_value_heads,
    headDim: config.head_dim,
    vocab: config.vocab_size,
    tied: config.tie_word_embeddings,
    theta: config.rope_theta,
    epsilon: config.rms_norm_eps,
  };
}

async function main() {
  const weights = readSafetensors(
    await readFile(join(INPUT, 'model.safetensors')));
  const config = JSON.parse(
    await readFile(join(INPUT, 'config.json'), 'utf8'));
  await rm(join(DIRECTORY, 'onnx'), { recursive: true, force: true });
  await mkdir(join(DIRECTORY, 'onnx'), { recursive: true });
  for (const name of SMALL_FILES) {
    await copyFile(join(INPUT, name), join(DIRECTORY, name));
  }
  for (const variant of VARIANTS) {
    const { files } = makeLlama({ ...optionsOf(config), weights, ...variant });
    for (const [path, bytes] of files) {
      await writeFile(join(DIRECTORY, path), bytes);
      process.stdout.write(`${path} ${bytes.length} bytes\n`);
    }
  }
}

await main();
