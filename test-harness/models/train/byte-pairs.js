// SPDX-License-Identifier: Apache-2.0
// Trains a byte-level BPE vocabulary: the most frequent pair of neighbours
// becomes a token, again and again.

/**
 * What is cut before anything is merged: words with the blank before them,
 * single digits, runs of other signs, line ends. The same expression goes into
 * tokenizer.json.
 */
export const WORD = '\'(?:s|t|re|ve|m|ll|d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|'
  + ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+';

/** A pair that occurs less often is left as it is. */
const PAIR_MIN = 2;

/**
 * The letters that stand for the 256 bytes in a byte-level vocabulary:
 * printable ones for themselves, the others from U+0100 on.
 * @returns {string[]} by byte
 */
export function byteLetters() {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(isPrintable ? byte : next++);
  });
}

/**
 * @param {string[]} texts
 * @param {number} count merges wanted
 * @returns {[string, string][]} the merges, the first one first; fewer than
 *   wanted when no pair is frequent enough
 */
export function trainMerges(texts, count) {
  const words = countWords(texts);
  /** @type {[string, string][]} */
  const merges = [];
  while (merges.length < count) {
    const best = mostFrequentPair(words);
    if (best === null) break;
    merges.push(best);
    for (const word of words) mergePair(word.letters, best);
  }
  return merges;
}

/** @typedef {{ letters: string[], count: number }} Word */

/**
 * @param {string[]} texts
 * @returns {Word[]}
 */
function countWords(texts) {
  const letters = byteLetters();
  const encoder = new TextEncoder();
  /** @type {Map<string, Word>} */
  const words = new Map();
  for (const [text] of texts.flatMap((line) => (
    [...line.matchAll(new RegExp(WORD, 'gu'))]))) {
    const known = words.get(text);
    if (known) known.count += 1;
    else {
      words.set(text, {
        letters: [...encoder.encode(text)].map((byte) => letters[byte]), count: 1,
      });
    }
  }
  return [...words.values()];
}

/**
 * @param {Word[]} words
 * @returns {[string, string] | null} of equal ones the first by its letters
 */
function mostFrequentPair(words) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { letters, count } of words) {
    for (let i = 1; i < letters.length; i += 1) {
      const pair = `${letters[i - 1]} ${letters[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best = '';
  let most = PAIR_MIN - 1;
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== '' && pair < best)) {
      best = pair;
      most = count;
    }
  }
  if (best === '') return null;
  const [left, right] = best.split(' ');
  return [left, right];
}

/**
 * @param {string[]} letters changed in place
 * @param {[string, string]} pair
 */
function mergePair(letters, [left, right]) {
  for (let i = 0; i + 1 < letters.length; i += 1) {
    if (letters[i] === left && letters[i + 1] === right) {
      letters.splice(i, 2, left + right);
    }
  }
}
