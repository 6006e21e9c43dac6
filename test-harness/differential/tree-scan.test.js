// SPDX-License-Identifier: Apache-2.0
// Pages of the tree API against JSON.parse over a fatal UTF-8 decoder: the same
// pages are accepted, and the same files, flaws and directories come out,
// however the bytes are cut. TAM_DOCUMENTS sets the number of pages, TAM_SEED
// another seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hexOf, Random } from '../hub/random.js';
import { linesOf } from '../reference/tree.js';
import { runDriver } from './driver.js';
import { jsonCases } from './json-cases.js';
import { mutate } from './mutate.js';
import { parse } from './strict-json.js';

const PAGES = Number(process.env.TAM_DOCUMENTS ?? 20000);
const SEED = process.env.TAM_SEED ?? 'tree-scan';
const UNEXPECTED_SHAPE = -205;

const BLANKS = ['', '', '', '', ' ', '\n  ', '\t', '\r\n'];
const PATHS = [
  'config.json', 'onnx/model_q4.onnx', 'a b', 'é/\u{1f600}', '...', '..', '.',
  '', 'a//b', '/a', 'a/', 'a/../b', 'a\\b', 'a\nb', '\0', '\x7f', '\x85', '\ud800',
  '\ufffd', 'p'.repeat(1024), 'p'.repeat(1025), 'é'.repeat(512), 'é'.repeat(513),
];
const SIZES = [
  '0', '1', '655272', '4294967296', '9007199254740991', '9007199254740992',
  '-1', '-0', '1.5', '2.0', '1e3', '1E+2', '10e-1', '1e400', '"7"',
];
const OTHERS = [
  'null', 'true', 'false', '7', '""', '"file"', '[]', '{}', '[[{"path":"x"}]]',
  '{"type":"file","path":"x","size":1,"oid":"y","lfs":null}',
];
const KEYS = [
  'xetHash', 'lastCommit', 'typ', 'types', 'Path', 'pointerSize', '', 'sha256',
  '__proto__', 'type', 'path', 'lfs',
];

/** @typedef {[key: string, value: string]} Member value as JSON */

/** A JSON string, some of it as escapes. @param {Random} random @param {string} text */
function quoted(random, text) {
  const share = random.chance(0.1) ? 0.5 : 0;
  // Not by character: halves of pairs may be escaped one by one.
  const parts = share === 0 ? [JSON.stringify(text).slice(1, -1)]
    : text.split('').map((unit) => random.chance(share)
      ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
      : JSON.stringify(unit).slice(1, -1));
  return `"${parts.join('')}"`;
}

/** @param {Random} random @param {number} digits */
function digest(random, digits) {
  const text = hexOf(String(random.next()), digits);
  if (random.chance(0.9)) return quoted(random, text);
  return quoted(random, random.pick([
    text.toUpperCase(), text.slice(1), `${text}0`, `${text.slice(1)}g`, '',
    hexOf(text, 104 - digits),
  ]));
}

/** @param {Random} random @param {Member[]} members */
function object(random, members) {
  const blank = () => random.pick(BLANKS);
  const shuffled = members.map((member) => ({ member, at: random.next() }))
    .sort((a, b) => a.at - b.at).map(({ member: [key, value] }) =>
      `${blank()}${quoted(random, key)}${blank()}:${blank()}${value}${blank()}`);
  return `{${shuffled.join(',') || blank()}}`;
}

/**
 * Drops, doubles and spoils some of |members|, and adds others.
 * @param {Random} random
 * @param {Member[]} members
 * @returns {Member[]}
 */
function spoilt(random, members) {
  if (random.chance(0.4)) return members;
  const kept = members.filter(() => random.chance(0.95));
  const some = members.filter(() => random.chance(0.15));
  return [
    ...kept,
    ...some.map(([key]) => /** @type {Member} */ ([key, random.pick(OTHERS)]))
      .filter(() => random.chance(0.5)),
    ...some.filter(() => random.chance(0.5)),
    ...random.chance(0.5)
      ? [/** @type {Member} */ ([random.pick(KEYS), random.pick(OTHERS)])] : [],
  ];
}

/** @param {Random} random */
function path(random) {
  return random.chance(0.6) ? `onnx/model_${random.below(100)}.onnx`
    : random.pick(PATHS);
}

/** @param {Random} random */
function size(random) {
  return random.chance(0.6) ? String(random.below(2 ** 31)) : random.pick(SIZES);
}

/** @param {Random} random */
function drawRow(random) {
  if (random.chance(0.05)) return random.pick(OTHERS);
  const type = random.chance(0.7) ? 'file'
    : random.pick(['directory', 'directory', 'commit', 'files', '']);
  /** @type {Member[]} */
  const members = [
    ['type', quoted(random, type)], ['path', quoted(random, path(random))],
    ['size', size(random)], ['oid', digest(random, 40)],
  ];
  for (let n = random.pick([0, 0, 1, 1, 1, 2]); n > 0; n -= 1) {
    /** @type {Member[]} */
    const lfs = [
      ['oid', digest(random, 64)], ['size', size(random)], ['pointerSize', '131'],
    ];
    members.push(['lfs', random.chance(0.9)
      ? object(random, spoilt(random, lfs)) : random.pick(OTHERS)]);
  }
  return object(random, spoilt(random, members));
}

/** @param {Random} random */
function drawPage(random) {
  const rows = Array.from({ length: random.below(5) }, () => drawRow(random));
  const bytes = Buffer.from(
    (random.chance(0.05) ? '\ufeff' : '') + random.pick(BLANKS) +
    (random.chance(0.98) ? `[${rows.join(`${random.pick(BLANKS)},`)}]`
      : random.pick(OTHERS)) + random.pick(BLANKS));
  return random.chance(0.6) ? bytes : mutate(bytes, () => random.next());
}

/**
 * @param {Uint8Array[]} pages
 * @param {Random} random cuts them
 * @param {'native' | 'wasi'} preset
 */
function ask(pages, random, preset) {
  const answers = runDriver('tree_scan_driver', preset, Buffer.concat(
    pages.flatMap((page) => {
      const head = Buffer.alloc(8);
      const longest = random.pick([1, 4, 40, 256]);
      head.writeUInt32LE(page.length);
      for (let i = 4; i < 8; i += 1) head[i] = random.below(longest);
      return [head, page];
    })));
  assert.equal(answers.length, pages.length);
  return answers.map((answer) => {
    const lines = answer.split('\n').slice(0, -1);
    return { error: Number(lines.pop()), lines };
  });
}

/**
 * @param {Uint8Array[]} pages
 * @param {Random} random
 * @param {'native' | 'wasi'} preset
 */
function check(pages, random, preset) {
  const seen = { files: 0, flaws: 0, directories: 0, errors: 0 };
  ask(pages, random, preset).forEach(({ error, lines }, i) => {
    const { isJson, value } = parse(pages[i]);
    const shown = JSON.stringify(Buffer.from(pages[i]).toString('latin1'));
    seen.errors += Number(error !== 0);
    if (!Array.isArray(value)) {
      assert.ok(isJson ? error === UNEXPECTED_SHAPE : error < 0, shown);
      return;
    }
    assert.equal(error, 0, shown);
    assert.deepEqual(lines, linesOf(value), shown);
    const flaws = lines.filter((line) => line.startsWith('no ')).length;
    seen.files += lines.length - flaws;
    seen.flaws += flaws;
    seen.directories += value.length - lines.length;
  });
  return seen;
}

for (const preset of /** @type {const} */ (['native', 'wasi'])) {
  test(`random and damaged pages say the same as to JSON.parse (${preset})`, () => {
    const random = new Random(SEED);
    const pages = Array.from({ length: PAGES }, () => drawPage(random));
    const seen = check(pages, random, preset);
    for (const [kind, count] of Object.entries(seen)) {
      assert.ok(count > PAGES / 20, `${count} ${kind} in ${PAGES} pages`);
    }
  });

  test(`the families of JSON cases are taken as JSON.parse does (${preset})`, () => {
    const random = new Random(SEED);
    const cases = [...jsonCases()].map(({ bytes }) => bytes);
    check(cases, random, preset);
  });
}
