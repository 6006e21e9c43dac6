// SPDX-License-Identifier: Apache-2.0
// Processors, filters and beams against reference/generation.js, on rows that
// are drawn and on rows made to be difficult. TAM_ROWS sets the number of rows
// of each kind, TAM_SEED another seed.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Random } from '../hub/random.js';
import {
  beamSearch, filter, greedySearch, process as change,
} from '../reference/generation.js';
import { runDriver } from './driver.js';

/** @typedef {import('../reference/generation.js').Params} Params */
/** @typedef {'process' | 'filter' | 'decode'} What */

const ROWS = Number(process.env.TAM_ROWS ?? 3000);
const SEED = process.env.TAM_SEED ?? 'decoding';

/** As numbered by the driver. */
const WHATS = ['process', 'filter', 'decode'];

/**
 * @typedef {object} Question
 * @property {What} what
 * @property {Params} params
 * @property {number[]} prompt
 * @property {number[]} answer
 * @property {number[]} eos
 * @property {number} vocab
 * @property {number} maxLength or, for filters, the tokens that must stay
 * @property {number} seed of the toy model
 * @property {Float32Array} logits
 */

/** @param {Question} question */
function encode({ what, params, prompt, answer, eos, vocab, maxLength, seed, logits }) {
  const request = Buffer.from(JSON.stringify(params));
  const head = Uint32Array.of(WHATS.indexOf(what), request.length,
    prompt.length, answer.length, eos.length, vocab, maxLength, seed);
  const lists = Int32Array.of(...prompt, ...answer, ...eos);
  return Buffer.concat([new Uint8Array(head.buffer), request,
    new Uint8Array(lists.buffer),
    new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength)]);
}

/** @param {Question[]} questions @param {'native' | 'wasi'} preset */
function ask(questions, preset) {
  const answers = runDriver('decoding_driver', preset,
    Buffer.concat(questions.map(encode)));
  assert.equal(answers.length, questions.length);
  return answers;
}

/** @type {Question} */
const NOTHING = {
  what: 'process', params: {}, prompt: [0], answer: [], eos: [], vocab: 0,
  maxLength: 1, seed: 0, logits: new Float32Array(0),
};

// -----------------------------------------------------------------------------
// Rows

/** @type {((random: Random, length: number) => number[])[]} */
const SHAPES = [
  (random, length) => Array.from({ length }, () => random.gaussian() * 3),
  (random, length) => Array.from({ length }, () => random.gaussian() / 10),
  (random, length) => Array.from({ length }, () => random.below(5) - 2),
  (random, length) => Array.from({ length }, () => random.below(4) / 4),
  (random, length) => Array(length).fill(random.gaussian()),
  (random, length) => Array.from({ length }, () =>
    random.pick([NaN, Infinity, -Infinity, 0, 3e38, -3e38, 1])),
  (random, length) => Array.from({ length }, () =>
    (random.chance(0.7) ? -Infinity : random.gaussian())),
  (random, length) => Array.from({ length }, (_, i) => i / length * 20),
  (random, length) => Array.from({ length }, (_, i) => -i * 0.5),
  // Neighbouring floats, which a temperature may make equal.
  (random, length) => Array.from({ length }, () =>
    1 + random.below(6) * 2 ** -23),
];

/** @param {Random} random @param {number} length */
const drawRow = (random, length) =>
  Float32Array.from(random.pick(SHAPES)(random, length));

/** @param {Random} random @param {Params} params @param {number} chance */
function some(random, params, chance) {
  return Object.fromEntries(
    Object.entries(params).filter(() => random.chance(chance)));
}

/** @param {Random} random @param {number} vocab @param {number} most */
const drawIds = (random, vocab, most) =>
  Array.from({ length: random.between(1, most) }, () => random.below(vocab));

/** @param {Random} random @param {number} vocab */
function drawProcessors(random, vocab) {
  const ids = () => drawIds(random, vocab, 3);
  return some(random, {
    sequence_bias: [[ids(), random.gaussian()], [ids(), -1.5]],
    encoder_repetition_penalty: random.pick([0.5, 1.25, 2]),
    repetition_penalty: random.pick([0.5, 1.25, 2]),
    presence_penalty: random.pick([-1, 0.5]),
    frequency_penalty: random.pick([-0.25, 0.5]),
    logit_bias: { [random.below(vocab)]: random.gaussian() * 4 },
    no_repeat_ngram_size: random.between(1, 4),
    encoder_no_repeat_ngram_size: random.between(1, 4),
    bad_words_ids: [ids(), ids()],
    min_length: random.below(12),
    min_new_tokens: random.below(6),
    forced_bos_token_id: random.below(vocab),
    forced_eos_token_id: ids(),
    remove_invalid_values: true,
    exponential_decay_length_penalty: [random.below(3), 1.5],
    suppress_tokens: ids(),
    begin_suppress_tokens: ids(),
  }, random.pick([0.1, 0.3, 0.6]));
}

/** @param {Random} random @param {number} chance */
function drawFilters(random, chance) {
  return {
    do_sample: true,
    top_k: 0,
    ...some(random, {
      temperature: random.pick([0.3, 0.7, 1.5, 3, 1e-3, 100]),
      top_h: random.pick([0.2, 0.5, 0.9]),
      top_k: random.pick([1, 2, 5, 50, 1000]),
      top_p: random.pick([0, 0.1, 0.5, 0.9, 0.99]),
      min_p: random.pick([0.01, 0.1, 0.5, 1]),
      typical_p: random.pick([0.1, 0.5, 0.95]),
      epsilon_cutoff: random.pick([0.0003, 0.01, 0.2]),
      eta_cutoff: random.pick([0.0003, 0.01, 0.2]),
    }, chance),
  };
}

/** @param {Random} random @param {number} length @param {number} vocab */
const drawTokens = (random, length, vocab) => {
  // Few different ones, so that they repeat; some that the model does not have.
  const few = Array.from({ length: 4 }, () => random.below(vocab + 1));
  return Array.from({ length }, () => random.pick(few));
};

// -----------------------------------------------------------------------------
// Processors

/** @param {string} hex @returns {Float32Array} */
function decodeRow(hex) {
  const words = Uint32Array.from(hex.match(/.{8}/g) ?? [],
    (word) => parseInt(word, 16));
  return new Float32Array(words.buffer);
}

/** @param {number} a @param {number} b */
function isClose(a, b) {
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number.isNaN(a) && Number.isNaN(b);
  }
  // Beyond the floats is infinite there, and may not be in a double.
  const [x, y] = [a, b].map(Math.fround);
  return x === y || Math.abs(x - y) <= 2e-6 * Math.max(1, Math.abs(y)) ||
    (Math.abs(x) > 1e38 && Math.abs(y) > 1e38 && x * y > 0);
}

/** @param {Random} random @returns {Question} */
function drawProcessQuestion(random) {
  const vocab = random.pick([1, 2, 7, 40, 131]);
  const prompt = drawTokens(random, random.pick([1, 2, 6]), vocab);
  const answer = drawTokens(random, random.pick([0, 0, 1, 5, 9]), vocab);
  return {
    ...NOTHING, what: 'process', params: drawProcessors(random, vocab), prompt,
    answer, vocab, logits: drawRow(random, vocab),
    eos: random.chance(0.8) ? [...new Set(drawIds(random, vocab, 2))] : [],
    maxLength: prompt.length + answer.length + random.between(1, 2),
  };
}

/** @param {Question} question @param {string} answer */
function checkRow(question, answer) {
  const { logits, params, prompt, eos, maxLength } = question;
  const expected = change(logits, params, {
    tokens: [...prompt, ...question.answer], promptLength: prompt.length, eos,
    maxLength,
  });
  const actual = decodeRow(answer);
  assert.equal(actual.length, expected.length);
  expected.forEach((value, i) => {
    assert.ok(isClose(actual[i], value), `${i} of ` +
      `${JSON.stringify({ ...question, logits: [...logits].map(String) })}: ` +
      `${actual[i]}, expected ${value}`);
  });
}

// -----------------------------------------------------------------------------
// Filters

/** @param {Random} random @returns {Question} */
function drawFilterQuestion(random) {
  const vocab = random.pick([1, 2, 6, 20, 150, 700, 5000]);
  return {
    ...NOTHING, what: 'filter', vocab, logits: drawRow(random, vocab),
    params: drawFilters(random, random.pick([0.15, 0.15, 0.5])),
    maxLength: random.pick([1, 1, 1, 2, 5]),
  };
}

/**
 * Returns 1 when the row was compared, 0 when it is too close to call.
 * @param {Question} question
 * @param {string} answer
 */
function checkKept({ logits, params, maxLength }, answer) {
  const { kept, close, isOpen } = filter(logits, params, maxLength);
  if (isOpen) return 0;
  const tokens = answer === '' ? [] : answer.split(' ').map(Number);
  const actual = new Set(tokens);
  assert.equal(actual.size, tokens.length);
  const wrong = [...new Set([...kept, ...actual])].filter((id) =>
    kept.has(id) !== actual.has(id) && !close.has(id));
  assert.deepEqual(wrong, [], `${wrong.length} tokens are decided otherwise: ` +
    JSON.stringify({ params, maxLength, kept: kept.size, actual: actual.size,
      logits: logits.length < 30 ? [...logits].map(String) : logits.length }));
  return 1;
}

// -----------------------------------------------------------------------------
// Decoding

/**
 * The driver's toy model.
 * @param {number} seed
 * @param {number} vocab
 * @returns {(tokens: number[]) => number[]}
 */
function toyModel(seed, vocab) {
  return (tokens) => Array.from({ length: vocab }, (_, i) => {
    let x = (Math.imul(seed, 2654435761) + tokens.length * 977 + i * 7919 +
      Math.imul(tokens[tokens.length - 1], 40503) +
      Math.imul(tokens[tokens.length - 2] ?? 0, 31337)) >>> 0;
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d) >>> 0;
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39) >>> 0;
    x = (x ^ (x >>> 15)) >>> 0;
    return Math.fround(Math.fround((x >>> 8) / 16777216 * 6) - 3);
  });
}

/** @param {Random} random @param {boolean} isBeams @returns {Question} */
function drawDecodeQuestion(random, isBeams) {
  const vocab = random.between(18, 40);
  const beams = random.between(2, 6);
  const { forced_bos_token_id: bos, forced_eos_token_id: eos, ...processors } =
    drawProcessors(random, vocab);
  const params = {
    ...processors,
    max_new_tokens: random.between(1, 12),
    ...(isBeams && {
      num_beams: beams,
      num_return_sequences: random.between(1, beams),
      length_penalty: random.pick([1, 0, -1, 2, 0.5]),
      early_stopping: random.pick([true, false, 'never']),
    }),
  };
  return {
    ...NOTHING, what: 'decode', params, vocab, seed: random.below(1e9),
    prompt: drawIds(random, vocab, 4),
    eos: [...new Set(drawIds(random, vocab, 2))],
  };
}

/** @param {string} text */
const parseSequences = (text) => text.split('\n').slice(0, -1).map((line) => {
  const [score, , ...tokens] = line.split(' ').map(Number);
  return { score, tokens };
});

/** Nothing can be chosen. */
const NO_CHOICE = 'error -205';

/** @param {Question} question @param {string} answer */
function checkGreedy({ params, vocab, seed, prompt, eos }, answer) {
  const expected = greedySearch(toyModel(seed, vocab), params, prompt, eos);
  if (expected === null) {
    assert.equal(answer, NO_CHOICE);
    return 0;
  }
  assert.deepEqual(parseSequences(answer)[0].tokens, expected);
  return 1;
}

/**
 * Returns 1 when both have answers. Equal scores may come in any order, so the
 * scores are compared, and the tokens where scores tell them apart.
 * @param {Question} question
 * @param {string} answer
 */
function checkBeams({ params, vocab, seed, prompt, eos }, answer) {
  const model = toyModel(seed, vocab);
  const expected = beamSearch(model, params, prompt, eos);
  if (expected === null) return 0;
  // The reference takes less than this for no answer.
  const actual = parseSequences(answer).filter(({ score }) => score > -1e9);
  const said = JSON.stringify({ params, vocab, seed, prompt, eos, actual, expected });
  assert.equal(actual.length, expected.length, said);
  expected.forEach(({ score, tokens }, i) => {
    const little = 1e-4 * Math.max(1, Math.abs(score));
    assert.ok(Math.abs(score - actual[i].score) < little, said);
    const isAlone = expected.every((other, k) =>
      k === i || Math.abs(other.score - score) > little);
    if (isAlone) assert.deepEqual(actual[i].tokens, tokens, said);
  });
  return 1;
}

for (const preset of /** @type {const} */ (['native', 'wasi'])) {
  test(`processors change rows the same way (${preset})`, () => {
    const random = new Random(SEED);
    const questions = Array.from({ length: ROWS },
      () => drawProcessQuestion(random));
    ask(questions, preset).forEach((answer, i) =>
      checkRow(questions[i], answer));
  });

  test(`filters keep the same tokens (${preset})`, () => {
    const random = new Random(SEED);
    const questions = Array.from({ length: ROWS },
      () => drawFilterQuestion(random));
    const compared = ask(questions, preset).reduce((sum, answer, i) =>
      sum + checkKept(questions[i], answer), 0);
    assert.ok(compared > ROWS * 0.8, `${compared} of ${ROWS}`);
  });

  test(`whole vocabularies keep the same tokens (${preset})`, () => {
    const random = new Random(SEED);
    const questions = [32000, 151936, 262144].flatMap((vocab) =>
      SHAPES.slice(0, 6).map((shape) => ({
        ...drawFilterQuestion(random), vocab,
        logits: Float32Array.from(shape(random, vocab)), maxLength: 1,
        params: drawFilters(random, 0.3),
      })));
    ask(questions, preset).forEach((answer, i) =>
      checkKept(questions[i], answer));
  });

  test(`greedy answers are the same (${preset})`, () => {
    const random = new Random(SEED);
    const questions = Array.from({ length: ROWS / 10 },
      () => drawDecodeQuestion(random, false));
    const found = ask(questions, preset).reduce((sum, answer, i) =>
      sum + checkGreedy(questions[i], answer), 0);
    assert.ok(found > questions.length * 0.8, `${found} answers`);
  });

  test(`beams find the same answers (${preset})`, () => {
    const random = new Random(SEED);
    const questions = Array.from({ length: ROWS / 10 },
      () => drawDecodeQuestion(random, true));
    const found = ask(questions, preset).reduce((sum, answer, i) =>
      sum + checkBeams(questions[i], answer), 0);
    assert.ok(found > questions.length * 0.8, `${found} answers`);
  });
}
