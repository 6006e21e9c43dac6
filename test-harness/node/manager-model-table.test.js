// SPDX-License-Identifier: Apache-2.0
// The decoder of the packed model table against tables written here after the
// layout in wasm/hub/model_table.h.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CLASSIFICATIONS, CONFIDENCES, DTYPES, FETCH_STATUSES, GATED, MODEL_FIELD,
  MODEL_ROW_WORDS,
} from '../../js-bindings/abi.js';
import { decodeModels } from '../../js-bindings/model-table.js';

/** Packs rows as the core does. */
class Packer {
  /** @type {number[]} */
  words = [];
  /** @type {string[]} */
  strings = [];

  /** @param {string | null | undefined} text */
  string(text) {
    if (text === undefined || text === null) return 0;
    if (!this.strings.includes(text)) this.strings.push(text);
    return this.strings.indexOf(text) + 1;
  }

  /** @param {string[]} texts */
  list(texts) {
    return [texts.length, ...texts.map((text) => this.string(text))];
  }

  /** @param {any} model */
  add(model) {
    const row = new Uint32Array(MODEL_ROW_WORDS);
    const numbers = new DataView(row.buffer);
    const setNumber = (/** @type {number} */ field, value = -1) => {
      numbers.setFloat64(field * 4, value, true);
    };
    row[MODEL_FIELD.ID] = this.string(model.id);
    row[MODEL_FIELD.PIPELINE_TAG] = this.string(model.pipeline_tag);
    row[MODEL_FIELD.MODEL_TYPE] = this.string(model.model_type);
    row[MODEL_FIELD.LICENSE] = this.string(model.license);
    row[MODEL_FIELD.CLASSIFICATION] =
      CLASSIFICATIONS.indexOf(model.classification);
    row[MODEL_FIELD.CONFIDENCE] = CONFIDENCES.indexOf(model.confidence);
    row[MODEL_FIELD.FETCH_STATUS] = FETCH_STATUSES.indexOf(model.fetchStatus);
    row[MODEL_FIELD.FETCH_STATUS_CODE] = model.fetchError?.statusCode ?? 0;
    row[MODEL_FIELD.FETCH_MESSAGE] = this.string(model.fetchError?.message);
    row[MODEL_FIELD.GATED] = GATED.indexOf(model.gated);
    setNumber(MODEL_FIELD.PARAMETERS, model.parameters);
    setNumber(MODEL_FIELD.LAST_MODIFIED, model.lastModified);
    setNumber(MODEL_FIELD.DOWNLOADS, model.downloads);
    setNumber(MODEL_FIELD.LIKES, model.likes);
    this.words.push(...row, ...this.list(model.tags ?? []),
      ...this.list(model.architectures ?? []), ...this.list(model.why),
      model.variants.length);
    for (const { dtype, files } of model.variants) {
      this.words.push(DTYPES.indexOf(dtype), ...this.list(files));
    }
  }

  /** @param {number} rowCount */
  bytes(rowCount) {
    const blob = Buffer.from(this.strings.join(''));
    let end = 0;
    const ends = this.strings.map((text) => (end += Buffer.byteLength(text)));
    const words = Uint32Array.of(
      rowCount, this.words.length, this.strings.length, blob.length,
      ...this.words, ...ends);
    const bytes = new Uint8Array(words.byteLength + blob.length);
    bytes.set(new Uint8Array(words.buffer));
    bytes.set(blob, words.byteLength);
    return bytes;
  }
}

/** @param {any[]} models */
function pack(models) {
  const packer = new Packer();
  for (const model of models) packer.add(model);
  return packer.bytes(models.length);
}

const FULL = {
  id: 'owner/model', name: 'model', pipeline_tag: 'text-generation',
  tags: ['onnx', 'license:mit'], model_type: 'llama',
  architectures: ['LlamaForCausalLM'], classification: 'gen',
  confidence: 'high', fetchStatus: '403',
  fetchError: { statusCode: 403, message: 'gated' }, gated: 'manual',
  license: 'mit', parameters: 8_030_261_248, lastModified: 1_714_564_800_123,
  downloads: 123_456_789_012, likes: 7, why: ['architecture=LlamaForCausalLM'],
  variants: [
    { dtype: 'fp32', files: ['onnx/model.onnx', 'onnx/model.onnx_data'] },
    { dtype: 'q4f16', files: ['onnx/model_q4f16.onnx'] },
  ],
};
const BARE = {
  id: 'gpt2', name: 'gpt2', pipeline_tag: null, model_type: null,
  architectures: null, classification: 'unknown', confidence: 'low',
  fetchStatus: 'listing', gated: false, downloads: 0, likes: 0, why: ['none'],
  variants: [],
};

test('every field comes out as it went in', () => {
  assert.deepEqual(decodeModels(pack([FULL, BARE, FULL])), [FULL, BARE, FULL]);
});

test('names outside ASCII shift nothing', () => {
  const model = {
    ...FULL, id: 'öwner/模型-😀', name: '模型-😀', tags: ['zh', '中文', 'x'],
  };
  assert.deepEqual(decodeModels(pack([model, FULL])), [model, FULL]);
});

test('an empty table has no models', () => {
  assert.deepEqual(decodeModels(pack([])), []);
});

test('a table may lie anywhere in memory', () => {
  const table = pack([FULL]);
  const memory = new Uint8Array(table.length + 64);
  memory.set(table, 12);
  assert.deepEqual(decodeModels(memory.subarray(12, 12 + table.length)), [FULL]);
});

test('a string keeps what looks like a byte order mark', () => {
  const model = { ...FULL, tags: ['\ufeffchat', 'onnx'] };
  assert.deepEqual(decodeModels(pack([model])), [model]);
});
