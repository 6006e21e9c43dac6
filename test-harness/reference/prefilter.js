// SPDX-License-Identifier: Apache-2.0
// The prefilter's rules, one line each: the yardstick for
// wasm/hub/prefilter.c.
import { fileKind } from './model-files.js';

/** @typedef {import('../differential/classify_driver.js').Row} Row */
/** @typedef {import('../differential/classify_driver.js').Limits} Limits */

const DENIED_TAGS = ['feature-extraction', 'fill-mask', 'sentence-similarity', 'masked-lm'];
const DENIED_IDS = /sentence-transformers|cross-encoder\//i;

// Better tasks first; tasks on one line are equal, '' is a row without any.
const PREFERENCES = [
  ['text-generation'],
  ['image-text-to-text'],
  ['text2text-generation'],
  ['conversational'],
  ['summarization', 'translation'],
  [''],
];

/** @param {string} id */
function repoIdIsValid(id) {
  const parts = id.split('/');
  return parts.length <= 2 &&
    parts.every((part) => /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?$/.test(part)) &&
    !/--|\.\.|\.git$|\.ipynb$/.test(id);
}

/**
 * @param {Row} row
 * @param {string} kind
 */
function lacks(row, kind) {
  return row.files !== undefined && !row.files.some((file) => fileKind(file) === kind);
}

/**
 * Returns the name of the first rule that drops |row|, or 'none'.
 * @param {Row} row
 * @param {Limits} limits
 */
export function prefilter(row, { requireOnnx = false, maxParameters = Infinity }) {
  const rules = {
    'invalid-id': !repoIdIsValid(row.id),
    unavailable: row.disabled === true,
    'pipeline-tag': DENIED_TAGS.includes(row.pipelineTag ?? ''),
    'id-pattern': DENIED_IDS.test(row.id),
    'no-tokenizer': lacks(row, 'tokenizer'),
    'no-onnx': requireOnnx && lacks(row, 'onnx'),
    'too-large': (row.parameters ?? 0) > maxParameters,
  };
  return Object.entries(rules).find(([, drops]) => drops)?.[0] ?? 'none';
}

/** @param {string} [tag] */
export function pipelinePreference(tag = '') {
  const rank = PREFERENCES.findIndex((tags) => tags.includes(tag));
  return rank < 0 ? PREFERENCES.length : rank;
}
