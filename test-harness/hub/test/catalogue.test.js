// SPDX-License-Identifier: Apache-2.0
// The generated catalogue against what was measured on 29,432 real entries.
// Those had no chat templates and fewer keys, so entries are compared in that
// older form.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { generateCatalogue } from '../catalogue.js';
import { MODEL_TYPES } from '../checkpoint.js';

const { models } = generateCatalogue();
const oldForm = models.map(asOldEntry);

/** Rows of one extreme repository would drown statistics over files. */
const GIANT = 20_000;
const ordinary = oldForm.filter(({ siblings }) => siblings.length < GIANT);
const fileNames = ordinary.flatMap(({ siblings }) =>
  siblings.map((/** @type {any} */ file) => file.rfilename));

/** @param {import('../model.js').Model} model */
function asOldEntry({ id, entry }) {
  const { tokenizer_config: _t, chat_template_jinja: _j, ...config } =
    entry.config ?? {};
  /** @type {Record<string, any>} */
  const row = {
    modelId: id, sha: entry.sha, lastModified: entry.lastModified,
    tags: entry.tags ?? [], pipeline_tag: entry.pipeline_tag ?? null,
    siblings: entry.siblings ?? [], config: entry.config ? config : null,
    private: entry.private, downloads: entry.downloads ?? undefined,
    library_name: entry.library_name ?? undefined, likes: entry.likes,
  };
  return row;
}

/**
 * @param {number[]} values
 * @param {Record<number, number>} expected value by quantile
 * @param {number} tolerance relative
 */
function assertQuantiles(values, expected, tolerance) {
  const sorted = [...values].sort((a, b) => a - b);
  for (const [quantile, value] of Object.entries(expected)) {
    const index = Math.min(sorted.length - 1,
      Math.floor(Number(quantile) * sorted.length));
    assertNear(sorted[index], value, tolerance, `quantile ${quantile}`);
  }
}

/**
 * @param {number} actual
 * @param {number} expected
 * @param {number} tolerance relative
 * @param {string} what
 */
function assertNear(actual, expected, tolerance, what) {
  assert.ok(Math.abs(actual - expected) <= tolerance * expected,
    `${what}: ${actual}, measured on the Hub: ${expected}`);
}

/** @param {(row: Record<string, any>) => boolean} condition */
function shareOf(condition) {
  return oldForm.filter(condition).length / oldForm.length;
}

test('about 6,000 models, more than 5,000 of them ONNX', () => {
  assert.equal(models.length, 6000);
  const onnx = models.filter(({ entry }) => entry.tags?.includes('onnx'));
  assert.ok(onnx.length >= 5200, `${onnx.length}`);
  const withFile = onnx.filter(({ entry }) => entry.siblings
    ?.some((/** @type {any} */ file) => file.rfilename.endsWith('.onnx')));
  assert.ok(withFile.length > 0.99 * onnx.length);
});

test('entry sizes', () => {
  assertQuantiles(oldForm.map((row) => Buffer.byteLength(JSON.stringify(row))),
    { 0.5: 750, 0.9: 1176, 0.99: 3198, 1: 1_695_094 }, 0.2);
});

test('files per model', () => {
  assertQuantiles(oldForm.map((row) => row.siblings.length),
    { 0.5: 8, 0.9: 13, 0.99: 37, 1: 23_763 }, 0.25);
  const mean = fileNames.length / ordinary.length;
  // 10.2 with the giant repository of 23,763 files, which weighs five times
  // more among 6,000 models than among 29,432.
  assertNear(mean, (10.2 * 29_432 - 23_763) / 29_431, 0.15, 'mean');
});

test('tags per model, and their lengths', () => {
  assertQuantiles(oldForm.map((row) => row.tags.length),
    { 0.5: 6, 0.9: 10, 0.99: 14, 1: 127 }, 0.2);
  const lengths = oldForm.flatMap((row) =>
    row.tags.map((/** @type {string} */ tag) => tag.length));
  assertQuantiles(lengths, { 0.5: 12, 1: 96 }, 0.2);
});

test('id and file name lengths', () => {
  assertQuantiles(oldForm.map((row) => row.modelId.length),
    { 0.5: 30, 0.9: 49, 0.99: 78, 1: 257 }, 0.2);
  assertQuantiles(fileNames.map((name) => name.length),
    { 0.5: 17, 0.9: 54, 0.99: 101, 1: 248 }, 0.25);
});

test('config digest sizes', () => {
  const sizes = oldForm.filter((row) => row.config)
    .map((row) => JSON.stringify(row.config).length);
  assertQuantiles(sizes, { 0.5: 74, 0.99: 650, 1: 34_670 }, 0.2);
});

test('shares of missing fields', () => {
  assertNear(shareOf((row) => row.pipeline_tag === null), 0.32, 0.15, 'task');
  assertNear(shareOf((row) => row.config === null), 0.27, 0.15, 'config');
  assertNear(shareOf((row) => row.library_name === undefined), 0.25, 0.15, 'library');
  assertNear(shareOf((row) => row.downloads === undefined), 212 / 29_432, 0.5, 'downloads');
});

test('odd names occur as often as they do', () => {
  assertNear(shareOf((row) => !row.modelId.includes('/')), 68 / 29_432, 0.5, 'no slash');
  const spaces = fileNames.filter((name) => name.includes(' ')).length;
  assertNear(spaces / fileNames.length, 1299 / 300_000, 0.8, 'spaces');
  const nonAscii = shareOf((row) => /[^\x20-\x7e]/.test(JSON.stringify(row)));
  assertNear(nonAscii, 29 / 29_432, 0.5, 'non-ASCII');
});

test('most conversions carry eight variants', () => {
  const conversions = models.filter(({ entry, id }) =>
    entry.library_name === 'transformers.js' && !id.startsWith('odd-')
    && entry.siblings?.some((/** @type {any} */ file) =>
      file.rfilename.startsWith('onnx/')));
  const full = conversions.filter(({ entry }) => ['q4', 'q4f16', 'bnb4', 'fp16',
    'int8', 'uint8', 'quantized'].every((suffix) => entry.siblings
    .some((/** @type {any} */ file) => file.rfilename.endsWith(`_${suffix}.onnx`))));
  assert.ok(conversions.length > 300);
  assertNear(full.length / conversions.length, 68 / 99, 0.15, 'full sets');
});

test('weights beyond the protobuf limit lie in external data parts', () => {
  const parts = models.flatMap(({ entry }) => (entry.siblings ?? [])
    .map((/** @type {any} */ file) => file.rfilename)
    .filter((/** @type {string} */ name) => /\.onnx_data/.test(name)));
  assert.ok(parts.some((name) => /onnx\/model.*\.onnx_data$/.test(name)));
  assert.ok(parts.some((name) => /\.onnx_data_1$/.test(name)));
});

test('the largest entry has the size of the largest one measured', () => {
  const largest = Math.max(...models.map(({ entry }) => JSON.stringify(entry).length));
  assert.equal(largest, 1_695_094);
});

test('fields come missing and null, configs in every odd form', () => {
  /** @param {string} id */
  const entry = (id) => models.find((model) => model.id === id)?.entry ?? {};
  assert.equal('pipeline_tag' in JSON.parse(JSON.stringify(entry('odd-fields/absent'))), false);
  assert.equal(entry('odd-fields/null-pipeline_tag').pipeline_tag, null);
  assert.equal(entry('odd-fields/architectures-null').config.architectures, null);
  assert.deepEqual(entry('odd-fields/architectures-empty').config.architectures, []);
  assert.equal('architectures' in entry('odd-fields/architectures-missing').config, false);
  const { tokenizer_config } = entry('odd-templates/list-and-added-tokens').config;
  assert.ok(Array.isArray(tokenizer_config.chat_template));
  assert.equal(tokenizer_config.bos_token.__type, 'AddedToken');
  const gated = new Set(models.map((model) => model.entry.gated));
  assert.deepEqual(gated, new Set([false, 'auto', 'manual']));
});

test('templates make chat entries several kilobytes long', () => {
  const lengths = models.map(({ hidden }) => hidden.chatTemplate?.length ?? 0)
    .filter((length) => length > 0);
  assert.ok(lengths.length > 200);
  assert.ok(Math.min(...lengths) >= 500 && Math.max(...lengths) <= 11_000);
});

/** What each reason of a generated model says about its type. */
const EXPECTED = /** @type {Record<string, string>} */ ({
  'generation-head': 'gen', 'encoder-use': 'gen', 'model-type': 'encoder',
  'not-text-generation': 'other',
});

test('every known type occurs, with the truth of the table', () => {
  const seen = new Set();
  const generated = models.filter(({ id }) => !/^(odd-|closed)/.test(id));
  for (const { id, entry, hidden } of generated) {
    const { modelType, why, source } = /** @type {any} */ (hidden.truth);
    seen.add(modelType);
    if (entry.config) assert.equal(entry.config.model_type, modelType, id);
    if (source === 'none' || !MODEL_TYPES[modelType]) continue;
    assert.equal(MODEL_TYPES[modelType].expect, EXPECTED[why], `${id} ${why}`);
  }
  const missing = Object.keys(MODEL_TYPES).filter((type) => !seen.has(type));
  assert.deepEqual(missing, []);
});

test('truth never goes on the wire', () => {
  for (const { entry } of models) {
    assert.equal('truth' in entry || 'hidden' in entry, false);
  }
});

test('ids are unique', () => {
  assert.equal(new Set(models.map(({ id }) => id)).size, models.length);
});

test('one seed, one catalogue; another seed, another', () => {
  const text = (/** @type {number} */ seed) => JSON.stringify(
    generateCatalogue({ seed, models: 300 }).models.map(({ entry }) => entry));
  assert.equal(text(7), text(7));
  assert.notEqual(text(7), text(8));
});
