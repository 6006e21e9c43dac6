// SPDX-License-Identifier: Apache-2.0
// The generated repositories are what the Hub's are: transformers.js loads each
// whose conventions it knows, and continues a prompt with the same tokens as a
// plain run on onnxruntime-web.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';

import * as ort from 'onnxruntime-web';

import { GRAPHS, SOURCE } from './graphs.js';
import { GraphRun, openGraph } from './run-graph.js';

// The same runtime for both: the native one rounds otherwise.
Object.assign(globalThis, { [Symbol.for('onnxruntime')]: ort });

/** Not known to the compiler: its declarations have errors. */
const PACKAGE = String('@huggingface/transformers');

const { AutoModelForCausalLM, AutoModelForSeq2SeqLM, env, Tensor } =
  await import(PACKAGE);

// It has pointed the runtime to files elsewhere.
ort.env.wasm.wasmPaths = undefined;

/**
 * What transformers.js cannot feed; and in Node it leaves external data to the
 * native runtime.
 */
const UNKNOWN = new Set(['int32 ids', 'cache of 5 dimensions',
  'cache of key_value', 'gpt2 of int32 with one cache for each layer',
  'llama with external data']);

const NEW_TOKENS = 12;

/** @type {string} */
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabagent-models-'));
  Object.assign(env, { allowRemoteModels: false, localModelPath: folder });
});

after(() => rm(folder, { recursive: true, force: true }));

/**
 * Writes the repository |id|.
 * @param {string} id
 * @param {import('./llama.js').TestModel} model
 */
async function publish(id, { config, generationConfig, files }) {
  /** @type {[string, string | Uint8Array][]} */
  const all = [...files,
    ['config.json', JSON.stringify(config)],
    ['generation_config.json', JSON.stringify(generationConfig)]];
  for (const [path, data] of all) {
    await mkdir(dirname(join(folder, id, path)), { recursive: true });
    await writeFile(join(folder, id, path), data);
  }
}

/** @param {string} path of a graph */
function dtypeOf(path) {
  if (path.includes('_quantized')) return 'q8';
  return path.includes('_fp16') ? 'fp16' : 'fp32';
}

/**
 * @param {string} id
 * @param {import('./llama.js').TestModel} model
 */
async function theirTokens(id, { config, files }) {
  const Model = config.is_encoder_decoder ? AutoModelForSeq2SeqLM :
    AutoModelForCausalLM;
  const [path] = files.keys();
  const model = await Model.from_pretrained(id, {
    device: 'auto', dtype: dtypeOf(path),
  });
  const tensor = (/** @type {number[]} */ values) => new Tensor('int64',
    BigInt64Array.from(values, BigInt), [1, values.length]);
  const { data } = await model.generate({
    input_ids: tensor(SOURCE), attention_mask: tensor(SOURCE.map(() => 1)),
    max_new_tokens: NEW_TOKENS, do_sample: false,
    eos_token_id: config.vocab_size,
  });
  await model.dispose();
  return Array.from(data, Number);
}

/** @param {Float32Array} row */
function argmax(row) {
  return row.reduce((best, x, i) => x > row[best] ? i : best, 0);
}

/** @param {import('./graphs.js').NamedGraph} graph */
async function plainTokens({ model, path, inputs }) {
  const { config } = model;
  const session = await openGraph(model.files, path);
  const run = new GraphRun(session, config);
  const given = await inputs?.(model) ?? {};
  let ids = config.is_encoder_decoder ? [config.decoder_start_token_id] :
    SOURCE;
  const tokens = [...ids];
  for (let i = 0; i < NEW_TOKENS; i += 1) {
    const logits = await run.step(ids, given);
    ids = [argmax(logits.subarray(-config.vocab_size))];
    tokens.push(...ids);
  }
  await session.release();
  return tokens;
}

GRAPHS.filter(({ name }) => !UNKNOWN.has(name)).forEach(({ name, make }, i) => {
  test(`${name}: transformers.js continues in the same way`, async () => {
    const graph = make();
    await publish(`model-${i}`, graph.model);
    const theirs = await theirTokens(`model-${i}`, graph.model);
    assert.ok(new Set(theirs).size > 3, 'the same token again and again');
    assert.deepEqual(await plainTokens(graph), theirs);
  });
});
