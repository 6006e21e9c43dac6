// SPDX-License-Identifier: Apache-2.0
// The files that a dtype needs against reference/file-select.js: on the
// repositories of the simulator and on lists that are drawn from names that are
// near the rules. TAM_LISTS sets the number of lists, TAM_SEED another seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateCatalogue } from '../hub/index.js';
import { Random } from '../hub/random.js';
import { isPath } from '../reference/hub-file.js';
import { selectFiles } from '../reference/file-select.js';
import { runDriver } from './driver.js';

/** @typedef {import('../hub/model.js').Model} Model */

const LISTS = Number(process.env.TAM_LISTS ?? 20000);
const SEED = process.env.TAM_SEED ?? 'file-select';

/** The most files of a revision. */
const FILES_MAX = 8192;

const DTYPES = [
  'fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'q2', 'q2f16', 'q1',
  'q1f16', 'bnb4',
];
const NAMES = [...DTYPES, '', 'auto', 'quantized', 'Q4', 'q', 'q44', 'none'];

const FOLDERS = ['', 'onnx/', 'onnx/', 'onnx/sub/', 'ONNX/', 'a/', 'b/onnx/'];
const STEMS = [
  'model', 'model', 'decoder_model_merged', 'decoder_model', 'encoder_model',
  'decoder_with_past_model', 'embed_tokens', 'vision_encoder', 'Model',
  'audio_encoder', 'my_model', 'model_model', 'models', 'decoder_model_merged_x',
];
const SUFFIXES = [
  '', '', '_fp32', '_fp16', '_quantized', '_q8', '_int8', '_uint8', '_q4',
  '_q4', '_q4f16', '_q2', '_q2f16', '_q1', '_q1f16', '_bnb4', '_O2', '_', '_Q4',
];
const ENDS = [
  '.onnx', '.onnx', '.onnx', '.onnx_data', '.onnx_data_1', '.onnx_data_12',
  '.onnx.data', '.onnx.data_1', '.ONNX', '.ONNX_data', '.onnx_data1',
  '.onnx_data_', '.onnx_data_1_2', '_data', '.data', '.onnx_DATA', '.onnx.onnx',
];
const OTHERS = [
  'config.json', 'generation_config.json', 'genai_config.json', 'README.md',
  'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json',
  'added_tokens.json', 'vocab.json', 'vocab.txt', 'merges.txt', 'vocab.bpe',
  'tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model', 'source.spm',
  'chat_template.jinja', 'chat_template.json', 'quantize_config.json',
  'onnx/config.json', 'Config.json', 'config.json_data', 'onnx', '_data', '1',
];

/** @param {Random} random */
function drawPath(random) {
  return random.chance(0.15) ? random.pick(OTHERS)
    : random.pick(FOLDERS) + random.pick(STEMS) + random.pick(SUFFIXES) +
      random.pick(ENDS);
}

/** Perhaps with data behind it. @param {Random} random @param {string} path */
function withData(random, path) {
  if (!/onnx$/i.test(path) || random.chance(0.6)) return [path];
  const names = ['_data', '_data_1', '.data', '.data_1', '_data1', '_data_'];
  return random.chance(0.5) ? [path, path + random.pick(names)]
    : [path + random.pick(names), path, path + random.pick(names)];
}

/** Few folders, dtypes and ends: so that rules meet. @param {Random} random */
function drawLikePath(random) {
  return random.pick(['onnx/', 'onnx/', '']) + random.pick(STEMS) +
    random.pick(['', '_q4']) + random.pick(['.onnx', '.onnx', '.onnx_data']);
}

/** @param {Random} random @returns {string[]} */
function drawList(random) {
  const draw = random.chance(0.5) ? drawPath : drawLikePath;
  const length = random.below(random.pick([4, 12, 30]));
  return [...new Set(Array.from({ length },
    () => withData(random, draw(random))).flat())];
}

/** What a revision takes of the files of |model|. @param {Model} model */
function pathsOf({ entry }) {
  const names = (entry.siblings ?? []).map(
    (/** @type {any} */ file) => file.rfilename);
  return [...new Set(/** @type {string[]} */ (names.filter(isPath)))]
    .slice(0, FILES_MAX);
}

/**
 * @param {{ name: string, paths: string[] }[]} questions
 * @param {'native' | 'wasi'} preset
 */
function check(questions, preset) {
  const answers = runDriver('file_select_driver', preset, questions.map(
    ({ name, paths }) => [name, ...paths].map((line) => `${line}\n`).join('') +
      '\0').join(''));
  assert.equal(answers.length, questions.length);
  const seen = { chosen: 0, refused: 0, data: 0 };
  questions.forEach(({ name, paths }, i) => {
    const [dtype, available, ...wanted] = answers[i].split('\n').slice(0, -1);
    const expected = selectFiles(paths, name);
    assert.deepEqual({ dtype, available, wanted }, {
      dtype: expected.dtype ?? 'none',
      available: DTYPES.filter((each) => expected.available.has(each))
        .map((each) => `${each} `).join(''),
      wanted: expected.wanted,
    }, JSON.stringify({ name, paths }));
    seen[expected.dtype === null ? 'refused' : 'chosen'] += 1;
    seen.data += Number(wanted.some((path) => /data/.test(path)));
  });
  return seen;
}

for (const preset of /** @type {const} */ (['native', 'wasi'])) {
  test(`drawn lists give the same files (${preset})`, () => {
    const random = new Random(SEED);
    const seen = check(Array.from({ length: LISTS }, () => (
      { name: random.pick(NAMES), paths: drawList(random) })), preset);
    for (const [kind, count] of Object.entries(seen)) {
      assert.ok(count > LISTS / 20, `${count} ${kind} of ${LISTS} lists`);
    }
  });

  test(`repositories of the simulator give the same files (${preset})`, () => {
    const random = new Random(SEED);
    const { models } = generateCatalogue({ models: 2000 });
    const seen = check(models.map((model) => (
      { name: random.pick(NAMES), paths: pathsOf(model) })), preset);
    assert.ok(seen.chosen > 200, `${seen.chosen} of ${models.length}`);
    assert.ok(seen.data > 0);
  });
}
