// SPDX-License-Identifier: Apache-2.0
// Small tokenizers of the kinds that chat models have, for the tests of text
// that comes token by token.

/** Its types do not resolve as those of an ES module; tsc does not see it. */
const PACKAGE = String('@huggingface/tokenizers');
const { Tokenizer } = await import(PACKAGE);

/**
 * @typedef {object} TestTokenizer
 * @property {string} name
 * @property {number} size ids are below
 * @property {number[]} bytes ids of tokens that are bytes
 * @property {Set<number>} special ids of special tokens
 * @property {(ids: number[], cleanup: boolean) => string} decode
 */

const WORDS = ['the', 'do', 'n\'t', '.', ',', '!', '\'', 's', '\'s', 're',
  'a', 'I', '\n', '\n\n', 'é', '漢', '\u{1f600}', '\ufeff', '\ufffd', '42'];

/** As GPT-2 writes bytes: printable ones as they are, others from U+0100 on. */
export function byteAlphabet() {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPlain = (byte >= 0x21 && byte <= 0x7e) ||
      (byte >= 0xa1 && byte !== 0xad);
    return String.fromCharCode(isPlain ? byte : next++);
  });
}

/** @param {string} text */
function byteLevel(text) {
  const alphabet = byteAlphabet();
  return [...Buffer.from(text, 'utf8')].map((byte) => alphabet[byte]).join('');
}

/**
 * @param {string} name
 * @param {string[]} pieces in the order of their ids; the first of equals counts
 * @param {{ model?: object, decoder: object | null, bytes?: number[] }} parts
 * @returns {TestTokenizer}
 */
function make(name, pieces, { model = {}, decoder, bytes = [] }) {
  const tokens = [...new Set(pieces)];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const size = tokens.length;
  const added = [['<|end|>', true], ['<tool>', false], ['<s>', true]]
    .map(([content, special], i) => ({ id: size + i, content, special,
      single_word: false, lstrip: false, rstrip: false, normalized: false }));
  const tokenizer = new Tokenizer({
    version: '1.0', truncation: null, padding: null, added_tokens: added,
    normalizer: null, pre_tokenizer: null, post_processor: null, decoder,
    model: { type: 'BPE', vocab, merges: [], unk_token: tokens[0], ...model },
  }, {});
  return {
    name,
    size: size + added.length,
    bytes,
    special: new Set([size, size + 2]),
    decode: (ids, cleanup) => tokenizer.decode(ids, {
      skip_special_tokens: true, clean_up_tokenization_spaces: cleanup,
    }),
  };
}

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const BYTE_TOKENS = ALL_BYTES.map((byte) =>
  `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
const UNDERLINE = '\u2581';
const PIECES = [UNDERLINE, UNDERLINE + UNDERLINE, ...WORDS,
  ...WORDS.map((word) => UNDERLINE + word)];
const REPLACE = { type: 'Replace', pattern: { String: UNDERLINE }, content: ' ' };
const FALLBACK = [REPLACE, { type: 'ByteFallback' }, { type: 'Fuse' }];
const STRIP = { type: 'Strip', content: ' ', start: 1, stop: 0 };

/** @type {TestTokenizer[]} */
export const TOKENIZERS = [
  make('byte-level', [...byteAlphabet(), ...WORDS.map(byteLevel),
    ...WORDS.map((word) => byteLevel(` ${word}`)),
    ...['\u{1f600}', '漢'].flatMap((char) => [1, 2].map((cut) =>
      byteLevel(char).slice(0, cut))), ''], {
    // Without a token for unknown ids: they have no text.
    model: { unk_token: null },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
    bytes: ALL_BYTES,
  }),
  make('byte fallback with strip', [...BYTE_TOKENS, ...PIECES], {
    decoder: { type: 'Sequence', decoders: [...FALLBACK, STRIP] },
    bytes: ALL_BYTES,
  }),
  make('byte fallback', [...BYTE_TOKENS, ...PIECES], {
    decoder: { type: 'Sequence', decoders: FALLBACK },
    bytes: ALL_BYTES,
  }),
  make('metaspace', PIECES, {
    decoder: { type: 'Metaspace', replacement: UNDERLINE,
      add_prefix_space: true, prepend_scheme: 'always' },
  }),
  make('word pieces', [...WORDS, ...WORDS.map((word) => `##${word}`)], {
    model: { type: 'WordPiece', continuing_subword_prefix: '##' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  }),
  make('words', WORDS, { model: { type: 'WordPiece' }, decoder: null }),
  make('end of word', [...WORDS, ...WORDS.map((word) => `${word}</w>`)], {
    model: { end_of_word_suffix: '</w>' },
    decoder: { type: 'BPEDecoder', suffix: '</w>' },
  }),
];
