// SPDX-License-Identifier: Apache-2.0
// Parameters of a generation have, through the whole of the product, the effect
// that the plain reference says they have; logits are random numbers that
// depend on every token before them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import {
  beamSearch, filter, greedySearch, logSoftmax,
} from '../reference/generation.js';
import { VOCAB } from './fake-ort.js';
import { generate, promptOf, scriptedManager, user } from './script.js';
import { END } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

/**
 * @param {number[]} tokens
 * @param {number} seed
 */
function hashOf(tokens, seed) {
  return tokens.reduce(
    (hash, id) => Math.imul(hash ^ (id + 1), 0x01000193) >>> 0, seed);
}

/**
 * Random logits that depend on all tokens.
 * @param {number[]} tokens
 * @param {number} vocab
 */
function noise(tokens, vocab) {
  let state = hashOf(tokens, 0x811c9dc5) | 1;
  return Float32Array.from({ length: vocab }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 * 8 - 4;
  });
}

/** Prefers few tokens, so that there are repetitions and ends. */
function model(/** @type {number[]} */ tokens) {
  const logits = noise(tokens.slice(-3), VOCAB);
  for (const id of [65, 66, 67, 68, END]) logits[id] += 4;
  return logits;
}

/** For the reference, which computes with plain numbers. */
const asNumbers = (/** @type {number[]} */ tokens) => [...model(tokens)];

const MESSAGES = ['Hello?', 'ABCDABCDABCD', 'x', 'A longer question, say.',
  'AAAA', 'DCBA'];

const NEW_TOKENS = 20;

describe('greedy', () => {
  /** @type {Manager} */
  let manager;
  before(async () => { ({ manager } = await scriptedManager(model)); });
  after(() => manager.dispose());

  for (const settings of /** @type {Record<string, any>[]} */ ([
    {},
    { repetition_penalty: 1.7 },
    { repetition_penalty: 0.6 },
    { encoder_repetition_penalty: 1.6 },
    { presence_penalty: 3 },
    { frequency_penalty: 1.5 },
    { presence_penalty: -1, frequency_penalty: -0.5 },
    { no_repeat_ngram_size: 1 },
    { no_repeat_ngram_size: 2 },
    { no_repeat_ngram_size: 3 },
    { encoder_no_repeat_ngram_size: 2 },
    { bad_words_ids: [[65], [66, 67], [END]] },
    { sequence_bias: [[[67], 5], [[65, 66], -10], [[66], 1.5]] },
    { logit_bias: { 65: -100, 70: 6.5 } },
    { min_length: 45 },
    { min_new_tokens: 15 },
    { suppress_tokens: [65, END] },
    { begin_suppress_tokens: [65, 66, 67, 68] },
    { forced_eos_token_id: END, bad_words_ids: [[END, 1]] },
    { exponential_decay_length_penalty: [2, 1.5] },
    { remove_invalid_values: true, renormalize_logits: true },
    { eos_token_id: [65, 66] },
    { eos_token_id: [] },
    { repetition_penalty: 1.3, no_repeat_ngram_size: 3, min_new_tokens: 4,
      logit_bias: { [END]: 2 }, presence_penalty: 0.5 },
  ])) {
    test(JSON.stringify(settings), async () => {
      for (const text of MESSAGES) {
        const { tokens } = await generate(manager, {
          message: text, settings: { max_new_tokens: NEW_TOKENS, ...settings },
        });
        const eos = settings.eos_token_id ?? [END];
        assert.deepEqual(tokens, greedySearch(asNumbers,
          { max_new_tokens: NEW_TOKENS, ...settings },
          promptOf([user(text)]), eos), text);
      }
    });
  }

  test('guidance_scale weighs against a run without the prompt', async () => {
    for (const scale of [3, 1.5, 0.5, 0, -1]) {
      const prompt = promptOf([user('Guide me.')]);
      const tokens = [];
      while (tokens.length < NEW_TOKENS) {
        const guided = logSoftmax(asNumbers([...prompt, ...tokens]));
        const free = logSoftmax(asNumbers([...prompt.slice(-1), ...tokens]));
        const scores = guided.map(
          (x, i) => scale * (x - free[i]) + free[i]);
        tokens.push(scores.indexOf(Math.max(...scores)));
      }
      const given = await generate(manager, {
        message: 'Guide me.', settings: {
          max_new_tokens: NEW_TOKENS, guidance_scale: scale, eos_token_id: [],
        },
      });
      assert.deepEqual(given.tokens, tokens, `scale ${scale}`);
    }
  });

  test('a temperature of 0 is greedy', async () => {
    const plain = await generate(manager,
      { message: 'A?', settings: { max_new_tokens: NEW_TOKENS } });
    const cold = await generate(manager, { message: 'A?', settings: {
      max_new_tokens: NEW_TOKENS, temperature: 0, do_sample: true } });
    assert.deepEqual(cold.tokens, plain.tokens);
    assert.equal(cold.result.effective.temperature, 0);
    assert.equal(cold.result.effective.do_sample, false);
  });

  test('max_length counts the prompt', async () => {
    const { length } = promptOf([user('Hi')]);
    const { result } = await generate(manager, { message: 'Hi',
      settings: { max_length: length + 3, eos_token_id: [] } });
    assert.equal(result.newTokens, 3);
    assert.equal(result.stopReason, 'length');
  });

  test('a prompt as long as max_length is refused', async () => {
    const { length } = promptOf([user('Hi')]);
    await assert.rejects(
      manager.generate({ message: 'Hi', settings: { max_length: length } }),
      { code: 'invalid_params', message: /max_length/ });
  });

  test('max_time ends an answer', async () => {
    const { result } = await generate(manager, { message: 'Hi',
      settings: { max_time: 1e-6, eos_token_id: [], max_new_tokens: 50 } });
    assert.equal(result.stopReason, 'time');
    // The clock counts milliseconds: the first tokens may come within one.
    assert.ok(result.newTokens < 50, `${result.newTokens} tokens`);
  });
});

describe('samples', () => {
  /** @type {Manager} */
  let manager;
  before(async () => { ({ manager } = await scriptedManager(model)); });
  after(() => manager.dispose());

  /** @param {Record<string, any>} settings */
  const sample = (settings, message = 'Dice?') => generate(manager, {
    message, settings: {
      do_sample: true, max_new_tokens: NEW_TOKENS, eos_token_id: [],
      top_k: 0, ...settings,
    },
  });

  test('the same seed gives the same answer', async () => {
    const first = await sample({ seed: 7 });
    const second = await sample({ seed: 7 });
    assert.deepEqual(second.tokens, first.tokens);
    const other = await sample({ seed: 8 });
    assert.notDeepEqual(other.tokens, first.tokens);
  });

  test('a seed of 16 bytes', async () => {
    const seed = Array.from({ length: 16 }, (_, i) => 17 * i % 256);
    const first = await sample({ seed });
    assert.deepEqual((await sample({ seed })).tokens, first.tokens);
    assert.deepEqual(first.result.effective.seed, seed);
  });

  test('the seed that was used can be given', async () => {
    const first = await sample({});
    const second = await sample({});
    assert.notDeepEqual(second.tokens, first.tokens);
    const { seed } = first.result.effective;
    assert.deepEqual((await sample({ seed })).tokens, first.tokens);
  });

  test('whatever else runs meanwhile', async () => {
    const alone = await sample({ seed: 3 });
    const together = await Promise.all(
      [1, 3, 2, 3].map((seed) => sample({ seed })));
    assert.deepEqual(together[1].tokens, alone.tokens);
    assert.deepEqual(together[3].tokens, alone.tokens);
  });

  for (const filters of /** @type {Record<string, any>[]} */ ([
    { top_k: 1 }, { top_k: 4 }, { top_p: 0.6 }, { min_p: 0.3 },
    { typical_p: 0.4 }, { epsilon_cutoff: 0.02 }, { eta_cutoff: 0.3 },
    { top_h: 0.5 }, { temperature: 0.3, top_p: 0.8 },
    { temperature: 2.5, min_p: 0.2, top_k: 30 },
  ])) {
    test(`only what is left by ${JSON.stringify(filters)}`, async () => {
      const logits = model(promptOf([user('Dice?')]));
      const { kept } = filter(logits, { top_k: 0, ...filters }, 1);
      assert.ok(kept.size < VOCAB);
      /** @type {Map<number, number>} */
      const counts = new Map();
      const draws = 160;
      for (let seed = 0; seed < draws; seed += 1) {
        const { tokens: [token] } = await sample(
          { ...filters, seed, max_new_tokens: 1 });
        assert.ok(kept.has(token), `token ${token}`);
        counts.set(token, (counts.get(token) ?? 0) + 1);
      }
      // As often as it is likely, within five standard deviations.
      const weights = new Map([...kept].map((id) => (
        [id, Math.exp(logits[id] / (filters.temperature ?? 1))])));
      const total = [...weights.values()].reduce((a, b) => a + b);
      for (const [id, weight] of weights) {
        const p = weight / total;
        const spread = Math.sqrt(draws * p * (1 - p));
        const count = counts.get(id) ?? 0;
        assert.ok(Math.abs(count - draws * p) <= 5 * spread + 1,
          `token ${id}: ${count} times, expected ${draws * p}`);
      }
    });
  }

  test('num_return_sequences gives so many', async () => {
    const { result } = await sample({ seed: 5, num_return_sequences: 4 });
    assert.equal(result.sequences?.length, 4);
    assert.equal(new Set(result.sequences.map(({ text }) => text)).size, 4);
    assert.equal(result.sequences[0].text, result.text);
  });

  test('output_scores gives the logarithm of the likelihood', async () => {
    const { result, tokens } = await sample(
      { seed: 5, num_return_sequences: 2, output_scores: true });
    let prompt = promptOf([user('Dice?')]);
    let sum = 0;
    for (const token of tokens) {
      sum += logSoftmax(asNumbers(prompt))[token];
      prompt = [...prompt, token];
    }
    const score = result.sequences?.[0].score ?? NaN;
    assert.ok(Math.abs(score - sum) < 1e-3, `${score}, expected ${sum}`);
  });
});

describe('beams', () => {
  /** @type {Manager} */
  let manager;
  before(async () => { ({ manager } = await scriptedManager(model)); });
  after(() => manager.dispose());

  for (const settings of /** @type {Record<string, any>[]} */ ([
    { num_beams: 2 },
    { num_beams: 3, num_return_sequences: 3 },
    { num_beams: 4, length_penalty: 2 },
    { num_beams: 4, length_penalty: -1 },
    { num_beams: 3, early_stopping: true, num_return_sequences: 2 },
    { num_beams: 3, early_stopping: 'never' },
    { num_beams: 4, repetition_penalty: 1.5, no_repeat_ngram_size: 2 },
  ])) {
    test(JSON.stringify(settings), async () => {
      for (const text of MESSAGES) {
        const params = { max_new_tokens: 8, ...settings };
        const { result, tokens } = await generate(manager,
          { message: text, settings: params });
        const wanted = beamSearch(
          asNumbers, params, promptOf([user(text)]), [END]);
        assert.ok(wanted);
        assert.deepEqual(tokens, wanted[0].tokens, text);
        const scores = result.sequences?.map(({ score }) => score ?? NaN) ?? [];
        assert.equal(scores.length, wanted.length);
        scores.forEach((score, i) => assert.ok(
          Math.abs(score - wanted[i].score) < 1e-3,
          `${score}, expected ${wanted[i].score}`));
      }
    });
  }
});

test('as many beams as there are beginnings find the best of all', async () => {
  const vocab = 4;
  const length = 4;
  const next = (/** @type {number[]} */ tokens) => noise(tokens, vocab);
  const { manager } = await scriptedManager(next, { vocab });
  const prompt = promptOf([user('All?')]);
  let all = [{ tokens: /** @type {number[]} */ ([]), score: 0 }];
  for (let i = 0; i < length; i += 1) {
    all = all.flatMap(({ tokens, score }) => (
      logSoftmax([...next([...prompt, ...tokens])]).map((log, id) => (
        { tokens: [...tokens, id], score: score + log }))));
  }
  const best = all.reduce((a, b) => (b.score > a.score ? b : a));
  const { tokens } = await generate(manager, { message: 'All?', settings: {
    num_beams: vocab ** (length - 1), max_new_tokens: length,
    eos_token_id: [],
  } });
  assert.deepEqual(tokens, best.tokens);
  await manager.dispose();
});
