// SPDX-License-Identifier: Apache-2.0
// Unpacks the table of models that the core hands over; its layout is written
// in wasm/hub/model_table.h.

import {
  CLASSIFICATIONS, CONFIDENCES, DTYPES, FETCH_STATUSES, GATED, MODEL_FIELD,
  MODEL_ROW_WORDS, MODEL_TABLE_HEADER_WORDS,
} from './abi.js';

/** @typedef {import('./types/index.d.ts').ModelEntry} ModelEntry */

/**
 * @param {Uint8Array} bytes 4-byte aligned
 * @returns {ModelEntry[]}
 */
export function decodeModels(bytes) {
  const words = new Uint32Array(
    bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  const [rowCount, wordCount, stringCount, blobLength] = words;
  const offsetsAt = MODEL_TABLE_HEADER_WORDS + wordCount;
  const blobAt = (offsetsAt + stringCount) * 4;
  const table = new Table(words, MODEL_TABLE_HEADER_WORDS, readStrings(
    words.subarray(offsetsAt, offsetsAt + stringCount),
    bytes.subarray(blobAt, blobAt + blobLength)));
  const models = new Array(rowCount);
  for (let i = 0; i < rowCount; i += 1) models[i] = new Model(table);
  return models;
}

/**
 * All strings, with `undefined` as number 0. Text in ASCII is decoded in one
 * go and cut afterwards, since there a byte is a character.
 * @param {Uint32Array} ends
 * @param {Uint8Array} blob
 * @returns {any[]}
 */
function readStrings(ends, blob) {
  // A string may begin with what looks like a byte order mark.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const text = decoder.decode(blob);
  const isAscii = text.length === blob.length;
  /** @type {any[]} */
  const strings = new Array(ends.length + 1);
  strings[0] = undefined;
  let start = 0;
  for (let i = 0; i < ends.length; i += 1) {
    const end = ends[i];
    strings[i + 1] = isAscii ? text.slice(start, end)
      : decoder.decode(blob.subarray(start, end));
    start = end;
  }
  return strings;
}

/** A position in the words, and how to read there. */
class Table {
  /** @type {number} */
  at;
  #words;
  #strings;
  #numbers;

  /**
   * @param {Uint32Array} words
   * @param {number} at
   * @param {any[]} strings
   */
  constructor(words, at, strings) {
    this.#words = words;
    this.at = at;
    this.#strings = strings;
    this.#numbers = new DataView(words.buffer, words.byteOffset);
  }

  /** @param {number} field */
  word(field) {
    return this.#words[this.at + field];
  }

  /** @param {number} field */
  string(field) {
    return this.#strings[this.word(field)];
  }

  /** @param {number} field */
  number(field) {
    return this.#numbers.getFloat64((this.at + field) * 4, true);
  }

  /** @returns {number} the word here, and steps over it */
  take() {
    this.at += 1;
    return this.#words[this.at - 1];
  }

  /**
   * Takes a list, led by its length. (Array.from would take ten times longer,
   * and a growing array more memory than it needs.)
   * @returns {string[]}
   */
  takeStrings() {
    const list = new Array(this.take());
    for (let i = 0; i < list.length; i += 1) {
      list[i] = this.#strings[this.#words[this.at + i]];
    }
    this.at += list.length;
    return list;
  }

  /** @returns {ModelEntry['variants']} */
  takeVariants() {
    const list = new Array(this.take());
    for (let i = 0; i < list.length; i += 1) {
      list[i] = { dtype: DTYPES[this.take()], files: this.takeStrings() };
    }
    return list;
  }
}

/**
 * Reads the row at which `row` stands, and leaves it behind that. A constructor
 * because engines learn from it how many members its objects get: they all lie
 * in the object from the start, where a literal that is added to moves them.
 * What it makes are plain objects.
 * @class
 * @this {Record<string, any>}
 * @param {Table} row
 */
function Model(row) {
  const id = row.string(MODEL_FIELD.ID);
  this.id = id;
  this.name = id.slice(id.indexOf('/') + 1);
  this.pipeline_tag = row.string(MODEL_FIELD.PIPELINE_TAG) ?? null;
  this.model_type = row.string(MODEL_FIELD.MODEL_TYPE) ?? null;
  this.architectures = null;
  this.classification = CLASSIFICATIONS[row.word(MODEL_FIELD.CLASSIFICATION)];
  this.confidence = CONFIDENCES[row.word(MODEL_FIELD.CONFIDENCE)];
  this.fetchStatus = FETCH_STATUSES[row.word(MODEL_FIELD.FETCH_STATUS)];
  this.gated = GATED[row.word(MODEL_FIELD.GATED)];
  this.downloads = row.number(MODEL_FIELD.DOWNLOADS);
  this.likes = row.number(MODEL_FIELD.LIKES);
  // The fields that a model has only when they are known.
  const license = row.string(MODEL_FIELD.LICENSE);
  if (license !== undefined) this.license = license;
  const parameters = row.number(MODEL_FIELD.PARAMETERS);
  if (parameters >= 0) this.parameters = parameters;
  const lastModified = row.number(MODEL_FIELD.LAST_MODIFIED);
  if (lastModified >= 0) this.lastModified = lastModified;
  const message = row.string(MODEL_FIELD.FETCH_MESSAGE);
  if (message !== undefined) {
    this.fetchError =
      fetchError(message, row.word(MODEL_FIELD.FETCH_STATUS_CODE));
  }
  row.at += MODEL_ROW_WORDS;
  const tags = row.takeStrings();
  if (tags.length > 0) this.tags = tags;
  const architectures = row.takeStrings();
  if (architectures.length > 0) this.architectures = architectures;
  this.why = row.takeStrings();
  this.variants = row.takeVariants();
}
Model.prototype = Object.prototype;

/**
 * @param {string} message
 * @param {number} statusCode 0: there was no answer
 * @returns {ModelEntry['fetchError']}
 */
function fetchError(message, statusCode) {
  return statusCode === 0 ? { message } : { message, statusCode };
}
