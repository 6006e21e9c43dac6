// SPDX-License-Identifier: Apache-2.0
// Prefilter, file rules and classifier, natively and inside WebAssembly,
// against the plain JavaScript reference and against the recorded truth.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Random } from '../hub/random.js';
import { classify } from '../reference/classify.js';
import { fileDtype, fileKind, filesDtypes } from '../reference/model-files.js';
import { pipelinePreference, prefilter } from '../reference/prefilter.js';
import { askDriver } from './classify_driver.js';

/** @typedef {import('./classify_driver.js').Row} Row */
/** @typedef {import('./classify_driver.js').Config} Config */
/** @typedef {import('./classify_driver.js').Answer} Answer */

const PRESETS = /** @type {const} */ (['native', 'wasi']);
const RANDOM_ROWS = 120_000;
const SEED = 'classify';

const registry = JSON.parse(
  readFileSync(new URL('../fixtures/model_types.json', import.meta.url), 'utf8'));
const types = Object.keys(registry).filter((name) => !name.startsWith('_'));
const classesOfRegistries = Object.values(registry._tjs_architectures)
  .flatMap((classes) => Object.keys(classes));

const CLASS_ENDS = [
  'ForCausalLM', 'LMHeadModel', 'WithLMHeadModel', 'ModelWithLMHead',
  'DoubleHeadsModel', 'ForConditionalGeneration', 'MTModel', 'CausalLM',
  'ForSeq2SeqLM', 'ForVision2Seq', 'ForImageTextToText', 'ForMaskedLM',
  'ForPreTraining', 'ForSequenceClassification', 'ForTokenClassification',
  'ForQuestionAnswering', 'ForMultipleChoice', 'ForNextSentencePrediction',
  'ForImageClassification', 'ForCTC', 'ForRetrieval', 'ForObjectDetection',
  'ForSemanticSegmentation', 'ForDepthEstimation', 'EncoderModel', 'Model',
  'ForTextToSpeech', 'ForSpeechToText', 'ForSpeechSeq2Seq', 'ForPrediction',
  'Backbone', 'ForImageGeneration', '',
];
const ODD_NAMES = [
  '', ' ', '-', '_', 'Model', 'model', 'MODEL', 'ForCausalLM', 'bert ', 'BERT',
  'Llama', 'xlm_roberta', 'gpt-neo', 'gpt', 'qwen', 'sentence-transformers',
  'constructor', '__proto__', 'toString', 'näher', '模型ForCausalLM', 'a'.repeat(64),
  'B'.repeat(65), 'x'.repeat(128), 'zz', 'FSMTModel', 'WhisperX', 'FooSpeechForCausalLM',
  'NewMusicForConditionalGeneration', 'tts', '\u{1f600}', '%s%n', '"quoted"',
];
const TASKS = [
  ...readFileSync(new URL('../../wasm/hub/row_hint.def', import.meta.url), 'utf8')
    .matchAll(/^(?:PIPELINE_TAG|LIBRARY|TOPIC)\("([^"]+)"/gm),
].map(([, word]) => word).concat('no-such-task', 'Text-Generation', 'text-generation ');
const TAGS = [
  ...TASKS, 'text-embeddings-inference', 'sentence-transformers', 'onnx', 'region:us',
  'license:mit', 'bert', 'gpt2', 'whisper', 'xlm_roberta', 'transformers.js',
];
const ID_PARTS = [
  'gpt2', 'bert', 'Qwen3', 'LLaMA', 'phi-4', 't5-small', 'TTS-1', 'chat', '-', '--', '.',
  '..', '_', 'x', '.git', '.ipynb', 'sentence-transformers', 'Cross-Encoder', 'embed', 'Embedding', 'RERANKER', 'é',
  ' ', '', 'a'.repeat(95), 'b'.repeat(96), 'c'.repeat(97), '%2e', '?', '#',
];
const FILE_STEMS = [
  'model', 'onnx/model', 'decoder_model_merged', 'a/b/embed_tokens', 'vocab', 'x/vocab',
  'myvocab', 'tokenizer', 'sub/tokenizer', 'tokenizer_config', 'merges', 'd/merges', 'spiece',
  'source', 'config', 'x/config', 'README', '', '/', '_q4', 'dir_fp16/model', 'vocab.d/file',
  'vocab.tar', 'naïve', 'Tokenizer', 'MERGES', 'sentencepiece.bpe',
];
const FILE_SUFFIXES = [
  '', '_fp16', '_quantized', '_int8', '_uint8', '_q4', '_q4f16', '_q2', '_q2f16', '_q1',
  '_q1f16', '_bnb4', '_q8', '_Q4', '_fp16_', '_q4_fp16', '-q4', '_',
];
const FILE_ENDS = [
  '.onnx', '.ONNX', '.onnx_data', '.onnx_data_1', '.onnx_data_99', '.onnx_data_', '.onnx.data',
  '.onnx.data_2', '.onnx-data', '.onnx_data_1x', '.onnxdata', '.data', '.json', '.JSON', '.txt',
  '.model', '.spm', '.bpe', '.safetensors', '.tar.gz', '.', '', '.extension', '.extension9', '.9',
  '_1', '.onnx_1', '.onnx_2_data',
];

/**
 * A plausible class name for a type, as its authors would spell it.
 * @param {string} type
 */
function camelCase(type) {
  return type.replace(/(^|[-_.])([a-z0-9])/g, (_, _dash, letter) => letter.toUpperCase());
}

/**
 * @param {Random} random
 * @param {string} type
 */
function drawClass(random, type) {
  if (random.chance(0.1)) return random.pick(ODD_NAMES);
  if (random.chance(0.2)) {
    return random.pick(random.chance(0.5)
      ? registry._irregular_generation_classes : classesOfRegistries);
  }
  const stem = camelCase(random.chance(0.8) ? type : random.pick(types));
  return stem + random.pick(CLASS_ENDS);
}

/**
 * @param {Random} random
 * @returns {Config | undefined}
 */
function drawConfig(random) {
  if (random.chance(0.15)) return undefined;
  const type = random.pick(types);
  /** @type {Config} */
  const config = {};
  if (random.chance(0.85)) config.modelType = type;
  if (random.chance(0.1)) config.modelType = random.pick(ODD_NAMES);
  if (random.chance(0.02)) config.modelType = type.replaceAll('_', '-');
  if (random.chance(0.75)) config.architectures = [drawClass(random, type)];
  if (random.chance(0.05)) config.architectures?.push(drawClass(random, type));
  if (random.chance(0.15)) {
    config.autoMap = ['AutoConfig', 'AutoModel', 'AutoModelForCausalLM', 'AutoModelForSeq2SeqLM']
      .filter(() => random.chance(0.5));
  }
  config.isDecoder = random.chance(0.3);
  if (random.chance(0.2)) config.textModelType = random.pick(types);
  if (random.chance(0.1)) config.textArchitecture = drawClass(random, random.pick(types));
  return config;
}

/**
 * @param {Random} random
 * @param {number} count
 * @param {() => string} draw
 */
function drawMany(random, count, draw) {
  return Array.from({ length: random.below(count + 1) }, draw);
}

/** @param {Random} random */
function drawFile(random) {
  return random.pick(FILE_STEMS) + random.pick(FILE_SUFFIXES) + random.pick(FILE_ENDS);
}

/**
 * @param {Random} random
 * @returns {Row}
 */
function drawRow(random) {
  return {
    id: drawMany(random, 2, () => random.pick(ID_PARTS)).join('') +
      random.pick(['/', '/', '/', '', '//']) +
      drawMany(random, 4, () => random.pick(ID_PARTS)).join(''),
    pipelineTag: random.chance(0.5) ? random.pick(TASKS) : undefined,
    libraryName: random.chance(0.3) ? random.pick(TASKS) : undefined,
    tags: random.chance(0.5) ? drawMany(random, 6, () => random.pick(TAGS)) : [],
    files: random.chance(0.8) ? drawMany(random, 8, () => drawFile(random)) : undefined,
    parameters: random.chance(0.5) ? random.below(3e9) : undefined,
    disabled: random.chance(0.02),
    gated: random.chance(0.1),
    authDenied: random.chance(0.01),
    config: drawConfig(random),
  };
}

/**
 * What the reference says, in the form of the driver's answer.
 * @param {Row} row
 * @param {import('./classify_driver.js').Limits} limits
 * @returns {Answer}
 */
function referenceAnswer(row, limits) {
  const files = row.files ?? [];
  return {
    drop: prefilter(row, limits),
    preference: pipelinePreference(row.pipelineTag),
    dtypes: [...filesDtypes(files)].sort(),
    files: files.map((file) => ({ kind: fileKind(file), dtype: fileDtype(file) })),
    ...classify(row),
  };
}

/**
 * @param {Row[]} rows
 * @param {import('./classify_driver.js').Limits} limits
 * @param {'native' | 'wasi'} preset
 */
function compare(rows, limits, preset) {
  const answers = askDriver(rows, limits, preset);
  rows.forEach((row, i) => {
    const actual = { ...answers[i], dtypes: [...answers[i].dtypes].sort() };
    assert.deepEqual(actual, referenceAnswer(row, limits), `row ${i}: ${JSON.stringify(row)}`);
  });
}

/**
 * The verdict in the words of the recorded truth.
 * @param {Answer} answer
 */
function expectOf({ classification, why }) {
  return why[0] === 'not-text-generation' ? 'other' : classification;
}

for (const preset of PRESETS) {
  test(`every unambiguous type is what the registries say (${preset})`, () => {
    const known = types.filter((type) => !registry[type].ambiguous);
    assert.ok(known.length > 400);
    const answers = askDriver(
      known.map((type) => ({ id: 'a/b', config: { modelType: type } })), {}, preset);
    known.forEach((type, i) => {
      assert.equal(expectOf(answers[i]), registry[type].expect, type);
      assert.equal(answers[i].confidence, 'high', type);
    });
  });

  test(`every class of a generating registry is what its type is (${preset})`, () => {
    const pairs = Object.entries(registry._tjs_architectures)
      .filter(([task]) => task !== 'MASKED_LM')
      .flatMap(([, classes]) => Object.entries(classes));
    const answers = askDriver(
      pairs.map(([name, modelType]) => ({ id: 'a/b', config: { modelType, architectures: [name] } })),
      {}, preset);
    pairs.forEach(([name, type], i) => {
      assert.equal(expectOf(answers[i]), registry[type]?.expect ?? 'gen', name);
      assert.equal(answers[i].confidence, 'high', name);
    });
  });

  test(`every type with every class ending is as the reference says (${preset})`, () => {
    const rows = types.flatMap((modelType) => CLASS_ENDS.map((end) => ({
      id: 'a/b', config: { modelType, architectures: [camelCase(modelType) + end] },
    })));
    compare(rows, {}, preset);
  });

  test(`${RANDOM_ROWS} random rows are as the reference says (${preset})`, () => {
    const random = new Random(SEED);
    const rows = Array.from({ length: RANDOM_ROWS / 2 }, () => drawRow(random));
    compare(rows, { requireOnnx: true, maxParameters: 1e9 }, preset);
    compare(Array.from({ length: RANDOM_ROWS / 2 }, () => drawRow(random)), {}, preset);
  });
}
