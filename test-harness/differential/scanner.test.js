// SPDX-License-Identifier: Apache-2.0
// The scanners against JSON.parse over a fatal UTF-8 decoder: the same
// documents are accepted, and the same rows and digests come out, however the
// bytes are cut. TAM_DOCUMENTS sets the number of mutated documents (a million
// by hand), TAM_SEED another seed.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { configs } from '../bench/configs.js';
import {
  compact, escaped, listing, pretty, randomFrom, shuffled, withBlobs,
  withCjkTags,
} from '../bench/pages.js';
import { digestOf, rowsOf } from '../reference/extract.js';
import { jsonCases } from './json-cases.js';
import { mutate } from './mutate.js';
import { PIECE_MAX, ScannerModule } from './scanner-module.js';
import { parse } from './strict-json.js';

const DOCUMENTS = Number(process.env.TAM_DOCUMENTS ?? 50000);
const SEED = Number(process.env.TAM_SEED ?? 1);
const CHUNKINGS = [1, 2, 7, 64, PIECE_MAX];
const JSON_UNEXPECTED_SHAPE = -205;

/** Blanks behind a document, so that the fast way sees all of it. */
const PADDING = new Uint8Array(512).fill(0x20);

/** @type {ScannerModule} */
let module;

before(async () => {
  module = await ScannerModule.load();
});

/** @param {Uint8Array} bytes */
function padded(bytes) {
  const copy = new Uint8Array(bytes.length + PADDING.length);
  copy.set(bytes);
  copy.set(PADDING, bytes.length);
  return copy;
}

/** @param {Uint8Array} bytes */
function show(bytes) {
  return JSON.stringify(Buffer.from(bytes).toString('latin1')).slice(0, 2000);
}

/**
 * The output of the module is `expected`. Text is compared first, which is
 * quick; it may differ in escapes.
 * @param {unknown} expected
 * @param {Uint8Array} bytes
 */
function checkOutput(expected, bytes) {
  if (module.outputText() !== JSON.stringify(expected)) {
    assert.deepEqual(module.output(), expected, show(bytes));
  }
}

/**
 * What a scanner has to return for a document of which `wanted` says whether it
 * is of the right kind.
 * @param {number} error what it did return
 * @param {boolean} isJson
 * @param {boolean} wanted
 * @param {Uint8Array} bytes
 */
function checkError(error, isJson, wanted, bytes) {
  const isRight = !isJson
    ? error !== 0
    : error === (wanted ? 0 : JSON_UNEXPECTED_SHAPE);
  assert.ok(isRight, isRight ? '' : `${error} for ${show(bytes)}`);
}

/**
 * The page scanner and JSON.parse agree on `bytes`.
 * @param {Uint8Array} bytes
 * @param {{ isJson: boolean, value?: any }} parsed
 * @param {number | (() => number)} size of the pieces
 */
function checkPage(bytes, { isJson, value }, size) {
  const isPage = Array.isArray(value);
  checkError(module.scanPage(bytes, size).error, isJson, isPage, bytes);
  if (isPage) {
    checkOutput(rowsOf(value), bytes);
  }
}

/**
 * The same for the config scanner.
 * @param {Uint8Array} bytes
 * @param {{ isJson: boolean, value?: any }} parsed
 * @param {number | (() => number)} size of the pieces
 */
function checkConfig(bytes, { isJson, value }, size) {
  const digest = digestOf(value);
  const isConfig = digest.present === 1;
  checkError(module.scanConfig(bytes, size, true), isJson, isConfig, bytes);
  if (isConfig) {
    checkOutput(digest, bytes);
  }
}

test('accepts and rejects the families of cases at five chunkings', () => {
  let count = 0;
  for (const { name, bytes } of jsonCases()) {
    const parsed = parse(bytes);
    for (const size of CHUNKINGS) {
      const isAccepted = module.scanJson(bytes, size) === 0;
      assert.equal(isAccepted, parsed.isJson, `${name} in pieces of ${size}`);
      checkPage(bytes, parsed, size);
      checkConfig(bytes, parsed, size);
    }
    checkPage(padded(bytes), parsed, PIECE_MAX);
    checkConfig(padded(bytes), parsed, PIECE_MAX);
    count++;
  }
  assert.ok(count >= 300, `${count} cases`);
});

test('the families of cases are what they claim to be', () => {
  for (const { name, bytes } of jsonCases()) {
    const wanted = { y: true, n: false, i: undefined }[name[0]];
    const isWhole = !name.includes('_inner_'); // a document inside an array
    if (isWhole && wanted !== undefined) {
      assert.equal(parse(bytes).isJson, wanted, name);
    }
  }
});

/** A row cut down to a document worth mutating: short, with all its shapes.
 * @param {any} row */
function shortRow(row) {
  const template = row.config?.tokenizer_config;
  if (template !== undefined) {
    template.chat_template = template.chat_template.slice(0, 90);
  }
  return {
    ...row,
    siblings: row.siblings.slice(-5),
    tags: row.tags.slice(0, 4),
  };
}

/** Small documents with much variety, as seeds of mutation. */
function seedDocuments() {
  const random = randomFrom(SEED);
  const rows = listing({ seed: SEED, pages: 1, isSkewed: true })
    .flat()
    .map(shortRow);
  const pages = rows.slice(0, 60).map((row, i) => rows.slice(i, i + 1 + (i % 2)));
  return [
    ...pages.map(compact),
    ...pages.map(escaped),
    ...pages.map(pretty),
    ...pages.map((page) => compact(shuffled(page, random))),
    ...pages.map((page) => compact(withBlobs(page, random))),
    ...pages.map((page) => compact(withCjkTags(page))),
  ];
}

test(`agrees on ${DOCUMENTS} mutated documents`, () => {
  const random = randomFrom(SEED + 1);
  const seeds = seedDocuments();
  const configSeeds = configs(random, 20);
  const smallPiece = () => 1 + Math.floor(random() * 40);
  let valid = 0;
  for (let i = 0; i < DOCUMENTS; i++) {
    const isConfig = i % 4 === 3;
    const from = isConfig ? configSeeds : seeds;
    const bytes = mutate(from[Math.floor(random() * from.length)], random);
    const parsed = parse(bytes);
    const check = isConfig ? checkConfig : checkPage;
    check(bytes, parsed, i % 2 ? smallPiece : PIECE_MAX);
    check(padded(bytes), parsed, i % 3 ? PIECE_MAX : 700);
    valid += parsed.isJson ? 1 : 0;
  }
  assert.ok(valid > DOCUMENTS / 10 && valid < (DOCUMENTS * 9) / 10, `${valid}`);
});

test('rows equal a plain extraction at any size of pieces', () => {
  const random = randomFrom(SEED + 2);
  const anyPiece = () => 1 + Math.floor(random() ** 3 * 20000);
  const shapes = [
    compact, escaped, pretty,
    (/** @type {any[]} */ page) => compact(shuffled(page, random)),
    (/** @type {any[]} */ page) => compact(withBlobs(page, random)),
    (/** @type {any[]} */ page) => compact(withCjkTags(page)),
  ];
  for (const isSkewed of [false, true]) {
    for (const page of listing({ seed: SEED, pages: 2, isSkewed })) {
      for (const shape of shapes) {
        const bytes = shape(page);
        const parsed = parse(bytes);
        for (const size of [PIECE_MAX, 16384, 5000, 1000, 61, anyPiece]) {
          checkPage(bytes, parsed, size);
        }
      }
    }
  }
});

test('digests equal a plain extraction at any size of pieces', () => {
  for (const bytes of configs(randomFrom(SEED + 3), 100)) {
    for (const size of [PIECE_MAX, 300, 61, 1]) {
      checkConfig(bytes, parse(bytes), size);
    }
  }
});
