// SPDX-License-Identifier: Apache-2.0
// Asks classify_driver.c, natively or inside WebAssembly, about many rows.
import { runDriver } from './driver.js';

/**
 * What is known about one model, as the C structures see it.
 * @typedef {object} Row
 * @property {string} id
 * @property {string} [pipelineTag]
 * @property {string} [libraryName]
 * @property {string[]} [tags]
 * @property {string[]} [files] siblings; absent when the row has no such list
 * @property {number} [parameters]
 * @property {boolean} [disabled]
 * @property {boolean} [gated]
 * @property {boolean} [authDenied]
 * @property {Config} [config] absent when there is no configuration
 */

/**
 * @typedef {object} Config
 * @property {string} [modelType]
 * @property {string[]} [architectures]
 * @property {string[]} [autoMap] the names of the automatic classes
 * @property {boolean} [isDecoder]
 * @property {string} [textModelType]
 * @property {string} [textArchitecture]
 */

/**
 * @typedef {object} Limits
 * @property {boolean} [requireOnnx]
 * @property {number} [maxParameters]
 */

/**
 * @typedef {object} Answer
 * @property {string} drop
 * @property {number} preference
 * @property {string[]} dtypes
 * @property {{kind: string, dtype: string}[]} files
 * @property {string} classification
 * @property {string} confidence
 * @property {string[]} why
 */

// The numbers of wasm/core/model_files.h.
const FILE_KINDS = new Map([
  ['0', 'none'],
  ['1', 'tokenizer'],
  ['2', 'onnx'],
  ['4', 'onnx-data'],
  ['8', 'config'],
]);
const DTYPES = [
  'fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16',
  'q2', 'q2f16', 'q1', 'q1f16', 'bnb4',
];

// The bits of wasm/hub/config_digest.h.
const AUTO_MAP_PRESENT = 1;
const AUTO_MAP_BITS = { AutoModelForCausalLM: 2, AutoModelForSeq2SeqLM: 4 };

/** @param {string[]} names */
function autoMapBits(names) {
  return names.reduce(
    (bits, name) =>
      bits | (AUTO_MAP_BITS[/** @type {'AutoModelForCausalLM'} */ (name)] ?? 0),
    AUTO_MAP_PRESENT,
  );
}

/** @param {Config | undefined} config */
function configFields(config) {
  if (config === undefined) {
    return [];
  }
  const fields = ['c', ...(config.architectures ?? []).map((name) => `a${name}`)];
  if (config.modelType !== undefined) fields.push(`m${config.modelType}`);
  if (config.autoMap) fields.push(`u${autoMapBits(config.autoMap)}`);
  if (config.isDecoder) fields.push('d');
  if (config.textModelType) fields.push(`M${config.textModelType}`);
  if (config.textArchitecture) fields.push(`A${config.textArchitecture}`);
  return fields;
}

/**
 * @param {Row} row
 * @param {Limits} limits
 */
function encode(row, limits) {
  const fields = [`i${row.id}`, ...configFields(row.config)];
  if (row.pipelineTag) fields.push(`p${row.pipelineTag}`);
  if (row.libraryName) fields.push(`l${row.libraryName}`);
  fields.push(...(row.tags ?? []).map((tag) => `t${tag}`));
  if (row.files) fields.push('S', ...row.files.map((file) => `f${file}`));
  if (row.parameters !== undefined) fields.push(`n${row.parameters}`);
  if (row.disabled) fields.push('D');
  if (row.gated) fields.push('g');
  if (row.authDenied) fields.push('x');
  if (limits.requireOnnx) fields.push('r');
  if (limits.maxParameters !== undefined) fields.push(`s${limits.maxParameters}`);
  return [...fields, '', ''].join('\0');
}

/**
 * @param {string} text
 * @returns {Answer}
 */
function decode(text) {
  const [drop, preference, mask, files, classification, confidence, ...why] =
    text.split('\n');
  return {
    drop,
    preference: Number(preference),
    dtypes: DTYPES.filter((_, i) => Number(mask) & (1 << i)),
    files: (files === '' ? [] : files.split(' ')).map((file) => {
      const [kind, dtype] = file.split(':');
      return { kind: FILE_KINDS.get(kind) ?? kind, dtype };
    }),
    classification,
    confidence,
    why,
  };
}

/**
 * Returns what the C code says about |rows| under |limits|.
 * @param {Row[]} rows
 * @param {Limits} [limits]
 * @param {'native' | 'wasi'} [preset]
 * @returns {Answer[]}
 */
export function askDriver(rows, limits = {}, preset = 'native') {
  const answers = runDriver(
    'classify_driver', preset, rows.map((row) => encode(row, limits)).join(''))
    .map(decode);
  if (answers.length !== rows.length) {
    throw new Error(`${answers.length} answers to ${rows.length} rows`);
  }
  return answers;
}
