// SPDX-License-Identifier: Apache-2.0
// Text that comes token by token against @huggingface/tokenizers decoding all
// tokens at once: several kinds of tokenizers, random sequences, in groups of
// every size. And each stage alone against what plain JavaScript says of the
// whole text. TAM_SEQUENCES sets how many, TAM_SEED another seed.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';

import { Random } from '../hub/random.js';
import { TextModule } from './text-module.js';
import { TOKENIZERS } from './tokenizers.js';

/** @typedef {import('./tokenizers.js').TestTokenizer} TestTokenizer */

const SEQUENCES = Number(process.env.TAM_SEQUENCES ?? 300);
const SEED = Number(process.env.TAM_SEED ?? 1);

/** Ids decoded per token, all windows counted: a token more costs no more. */
const COST_MAX = 24;

/** @type {TextModule} */
let module;

before(async () => {
  module = await TextModule.load();
});

/**
 * A sequence of ids: all over the vocabulary, or long runs of few of them.
 * @param {Random} random @param {TestTokenizer} tokenizer
 */
function drawIds(random, { size, bytes }) {
  const few = Array.from({ length: 1 + random.below(4) },
    () => random.below(size));
  const draws = [
    () => random.below(size),
    () => random.pick(few),
    () => (bytes.length > 0 ? random.pick(bytes) : random.below(size)),
  ];
  const length = 1 + random.below(random.pick([6, 40, 200]));
  /** @type {number[]} */
  const ids = [];
  while (ids.length < length) {
    const draw = random.pick(draws);
    for (let i = random.below(20); i >= 0; i -= 1) ids.push(draw());
  }
  return ids.slice(0, length);
}

/**
 * Cuts |ids| into groups: of one, all in one, two, or of any sizes.
 * @param {Random} random @param {number[]} ids
 */
function drawGroups(random, ids) {
  const sizes = [() => 1, () => ids.length, () => 1 + random.below(ids.length),
    () => 1 + random.below(5)];
  const size = random.pick(sizes);
  const groups = [];
  for (let at = 0; at < ids.length;) {
    const group = ids.slice(at, at + size());
    groups.push(group);
    at += group.length;
  }
  return groups;
}

/** @param {TestTokenizer} tokenizer */
function drain({ decode }) {
  let decoded = 0;
  for (let ids = module.wants(); ids.length > 0; ids = module.wants()) {
    decoded += ids.length;
    assert.equal(module.take(decode(ids, false)), 0);
  }
  return decoded;
}

/**
 * Streams |groups| and returns the text, what was shown after each group, and
 * how many ids were decoded.
 * @param {TestTokenizer} tokenizer @param {number[][]} groups
 * @param {boolean} cleanup
 */
function stream(tokenizer, groups, cleanup) {
  const shown = [];
  let text = '';
  let decoded = 0;
  assert.equal(module.beginStream({ cleanup }), 0);
  for (const group of groups) {
    for (const id of group) {
      if (!tokenizer.special.has(id)) module.pushToken(id);
    }
    decoded += drain(tokenizer);
    text += module.parts().map((part) => part.text).join('');
    shown.push(text);
  }
  module.finish();
  decoded += drain(tokenizer);
  assert.equal(module.endStream(), 0);
  text += module.parts().map((part) => part.text).join('');
  module.freeStream();
  return { text, shown, decoded };
}

/** What may be held back: an unfinished character, the beginning of a tag. */
const HELD = /(?<=(^|\n)[ \t\r\n]*)[<[]?\ufffd?$|\ufffd$/;

/**
 * Everything is shown but what may be held back.
 * @param {TestTokenizer} tokenizer @param {number[][]} groups
 * @param {string[]} shown
 */
function checkProgress(tokenizer, groups, shown) {
  /** @type {number[]} */
  const ids = [];
  groups.forEach((group, i) => {
    ids.push(...group);
    const now = tokenizer.decode(ids, false);
    assert.equal(now.replace(HELD, ''), shown[i],
      `${tokenizer.name} ${JSON.stringify(ids)}`);
  });
}

for (const tokenizer of TOKENIZERS) {
  test(`streamed text is the whole text: ${tokenizer.name}`, () => {
    const random = new Random(`${SEED} ${tokenizer.name}`);
    for (let i = 0; i < SEQUENCES; i += 1) {
      const ids = drawIds(random, tokenizer);
      const cleanup = random.chance(0.5);
      const groups = drawGroups(random, ids);
      const { text } = stream(tokenizer, groups, cleanup);
      assert.equal(text, tokenizer.decode(ids, cleanup),
        `${tokenizer.name} ${JSON.stringify({ cleanup, groups })}`);
    }
  });

  test(`every text that is certain is shown at once: ${tokenizer.name}`, () => {
    const random = new Random(`${SEED} ${tokenizer.name}`);
    for (let i = 0; i < SEQUENCES / 10; i += 1) {
      const groups = drawIds(random, tokenizer).slice(0, 60).map((id) => [id]);
      checkProgress(tokenizer, groups, stream(tokenizer, groups, false).shown);
    }
  });

  test(`a token costs as much late as early: ${tokenizer.name}`, () => {
    const random = new Random(`${SEED} ${tokenizer.name}`);
    const ids = Array.from({ length: 4000 }, () => random.below(tokenizer.size));
    const { decoded } = stream(tokenizer, ids.map((id) => [id]), true);
    assert.ok(decoded <= COST_MAX * ids.length, `${decoded / ids.length}`);
  });
}

test('no border of a window cuts a character', () => {
  const [tokenizer] = TOKENIZERS;
  const empty = tokenizer.size + 7;
  const bytes = [0xf0, 0x9f, 0x98, 0x80];
  for (let before = 0; before < 40; before += 1) {
    for (let gap = 0; gap < 5; gap += 1) {
      const ids = [...Array(before).fill(0x61), ...bytes.flatMap((byte) =>
        [byte, ...Array(gap).fill(empty)]), 0x62, ...bytes.slice(0, 2), 0x63];
      const { text } = stream(tokenizer, ids.map((id) => [id]), false);
      assert.equal(text, tokenizer.decode(ids, false));
      assert.ok(text.includes('\u{1f600}b'));
    }
  }
});

test('a thousand tokens without text cost a bounded number each', () => {
  const tokenizer = TOKENIZERS[0];
  const ids = Array(4000).fill(tokenizer.size + 7);
  const groups = [[0, 1], ...ids.map((id) => [id]), [0]];
  const { text, decoded } = stream(tokenizer, groups, false);
  assert.equal(text, tokenizer.decode(groups.flat(), false));
  assert.ok(decoded <= 200 * ids.length, `${decoded / ids.length}`);
});

// ---------------------------------------------------------------------------
// Stages

/** @param {Random} random @param {string[]} pieces @param {number} length */
function drawText(random, pieces, length) {
  return Array.from({ length: random.below(length) },
    () => random.pick(pieces)).join('');
}

/** @param {Random} random @param {string} text */
function drawPieces(random, text) {
  const chars = [...text];
  const pieces = [];
  while (chars.length > 0) {
    pieces.push(chars.splice(0, 1 + random.below(random.pick([1, 3, 20])))
      .join(''));
  }
  return pieces;
}

/** @param {string} text as tokenizers clean it up */
function cleanUp(text) {
  const rules = [[' .', '.'], [' ?', '?'], [' !', '!'], [' ,', ','],
    [' \' ', '\''], [' n\'t', 'n\'t'], [' \'m', '\'m'], [' \'s', '\'s'],
    [' \'ve', '\'ve'], [' \'re', '\'re']];
  return rules.reduce((all, [from, to]) => all.replaceAll(from, to), text);
}

test('cleaning up in pieces is cleaning up the whole', () => {
  const random = new Random(SEED);
  const alphabet = [' ', ' ', '\'', '.', ',', 'n', 't', 's', 'm', 'v', 'e',
    'r', '!', '?', 'x', ' n\'t', ' \' ', '\n', 'é'];
  for (let i = 0; i < SEQUENCES * 20; i += 1) {
    const text = drawText(random, alphabet, 30);
    module.begin('cleanup');
    const out = drawPieces(random, text)
      .map((piece) => module.push('cleanup', piece).text).join('');
    assert.equal(out + module.end('cleanup'), cleanUp(text));
  }
});

/**
 * The text before the stop string that ends first (the longest of those).
 * @param {string} text @param {string[]} stops
 */
function cutAt(text, stops) {
  for (let end = 1; end <= text.length; end += 1) {
    const found = stops.filter((stop) => text.slice(0, end).endsWith(stop))
      .sort((a, b) => b.length - a.length);
    if (found.length > 0) return text.slice(0, end - found[0].length);
  }
  return null;
}

/** The longest end of |text| that begins a stop string. */
function heldBack(/** @type {string} */ text, /** @type {string[]} */ stops) {
  for (let at = 0; at < text.length; at += 1) {
    if (stops.some((stop) => stop.startsWith(text.slice(at)))) {
      return text.slice(at);
    }
  }
  return '';
}

test('stop strings end the text at every split, and hold back no more', () => {
  const random = new Random(SEED);
  const alphabet = ['a', 'b', 'ab', 'é', '\n', '漢'];
  let cuts = 0;
  for (let i = 0; i < SEQUENCES * 20; i += 1) {
    const stops = Array.from({ length: 1 + random.below(4) },
      () => drawText(random, alphabet, 6)).filter((stop) => stop !== '');
    const text = drawText(random, alphabet, 24);
    module.begin('stops');
    for (const stop of stops) assert.equal(module.addStop(stop), 0);
    let seen = '';
    let out = '';
    let found = 0;
    for (const piece of drawPieces(random, text)) {
      const { result, text: more } = module.push('stops', piece);
      seen += piece;
      out += more;
      found = result;
      if (found) break;
      assert.equal(out, seen.slice(0, seen.length -
        heldBack(seen, stops).length), JSON.stringify({ stops, seen }));
    }
    out += module.end('stops');
    const cut = cutAt(text, stops);
    assert.equal(out, cut ?? text, JSON.stringify({ stops, text }));
    assert.equal(found, Number(cut !== null));
    cuts += found;
  }
  assert.ok(cuts > SEQUENCES);
});

/** @param {Random} random @param {number} depth @returns {unknown} */
function drawValue(random, depth) {
  const leaves = [1, -2.5e30, 'a"\\\n', '\u{1f600}é', '', true, null, 0];
  const kind = depth > 3 ? 0 : random.below(3);
  if (kind === 0) return random.pick(leaves);
  const items = Array.from({ length: random.below(4) },
    () => drawValue(random, depth + 1));
  return kind === 1 ? items
    : Object.fromEntries(items.map((item, i) => [`k\n${i}`, item]));
}

/** @param {string} text */
function parses(text) {
  JSON.parse(text);
}

test('JSON cut anywhere is completed', () => {
  const random = new Random(SEED);
  for (let i = 0; i < SEQUENCES * 4; i += 1) {
    const value = { top: drawValue(random, 0) };
    const json = JSON.stringify(value, null, random.below(3));
    const text = random.pick(['', 'Here [you] are:\n```json\n', ' ', '{ x']) +
      json + random.pick(['', '\n```', '}', ' {']);
    const chars = [...text];
    const whole = chars.slice(0, 1 + random.below(chars.length)).join('');
    module.begin('json');
    const out = drawPieces(random, whole)
      .map((piece) => module.push('json', piece).text).join('');
    const closed = out + module.end('json');
    parses(closed);
    if (whole === text || whole.includes(json)) {
      assert.deepEqual(JSON.parse(closed), value);
    } else {
      // What was shown is kept, and it is the beginning of what came.
      assert.ok(json.startsWith(out), JSON.stringify({ whole, out }));
    }
  }
});

test('JSON that breaks off is completed', () => {
  const random = new Random(SEED);
  const alphabet = ['{', '}', '[', ']', '"', ':', ',', '1', '-', '.', 'e', ' ',
    'true', 'nul', '\\', 'u12', '"a":', '\n', 'é'];
  for (let i = 0; i < SEQUENCES * 20; i += 1) {
    const text = drawText(random, alphabet, 20);
    module.begin('json');
    const pieces = drawPieces(random, text).map((piece) =>
      module.push('json', piece));
    const out = pieces.map((piece) => piece.text).join('');
    const closed = out + module.end('json');
    parses(closed);
    // A line feed in a text may have become an escape.
    const [shown, came] = [out, text].map((one) => one.replaceAll('\n', '\\n'));
    assert.ok(out === '' || came.includes(shown));
  }
});
