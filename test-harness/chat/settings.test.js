// SPDX-License-Identifier: Apache-2.0
// Every parameter either takes effect and is in `effective`, or is in `ignored`
// with a reason; a wrong value is refused, and the range is quoted.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { makeT5 } from '../models/t5.js';
import { generate, NO_MODEL, saying, scriptedManager } from './script.js';
import { chatManager, END, MODEL } from './world.js';

/** @typedef {import('./world.js').Manager} Manager */

const SAMPLE = { do_sample: true };
const BEAMS = { num_beams: 4 };
const GROUPS = { num_beams: 4, num_beam_groups: 2 };

/**
 * Name, allowed values, what they need, values out of range, and what an error
 * says about the range.
 * @type {[string, unknown[], object, unknown[], RegExp][]}
 */
const PARAMETERS = [
  ['do_sample', [true, false], {}, ['yes', 1], /true or false/],
  ['temperature', [0.5, 1, 7, 1e-6], SAMPLE, [-1, -0.1, '1'],
    /number from 0 on/],
  ['top_h', [0.4, 1], SAMPLE, [0, 1.1, -1], /above 0 up to 1/],
  ['top_k', [0, 1, 50, 100000], SAMPLE, [-1, 1.5, true],
    /whole number from 0 to/],
  ['top_p', [0, 0.5, 1], SAMPLE, [-0.1, 1.01], /from 0 to 1/],
  ['min_p', [0, 0.5, 1], SAMPLE, [-0.1, 1.01], /from 0 to 1/],
  ['typical_p', [0.1, 1], SAMPLE, [0, 1.01], /above 0 up to 1/],
  ['epsilon_cutoff', [0, 0.5], SAMPLE, [-0.1, 1], /from 0 to below 1/],
  ['eta_cutoff', [0, 0.5], SAMPLE, [-0.1, 1], /from 0 to below 1/],
  ['seed', [Array(16).fill(255)], SAMPLE,
    [-1, 1.5, [1, 2], Array(16).fill(256), 'x'], /16 bytes/],
  ['num_beams', [1, 3], {}, [0, 1.5, 1000], /whole number from 1 to 64/],
  ['num_beam_groups', [2], BEAMS, [0, 3, 65], /divisor|from 1 to 64/],
  ['diversity_penalty', [0.5], GROUPS, [-1], /from 0 on/],
  ['length_penalty', [-1, 0, 2.5], BEAMS, ['long'], /finite number/],
  ['early_stopping', [true, false, 'never'], BEAMS, ['always', 2],
    /"never"/],
  ['num_return_sequences', [2, 4], BEAMS, [0, 5, 65],
    /at most num_beams|from 1 to 64/],
  ['guidance_scale', [1.5, 1, 0, -2], {}, ['strong'], /finite number/],
  ['sequence_bias', [[[[65], 2.5], [[65, 66], -1]]], {},
    [[[65, 1]], [[[], 1]], [[[65], 'a']], { 65: 1 }], /token id/],
  ['encoder_repetition_penalty', [0.5, 1, 2], {}, [0, -1], /above 0/],
  ['repetition_penalty', [0.5, 1, 2], {}, [0, -1], /above 0/],
  ['presence_penalty', [-2, 0, 2, 100], {}, ['a'], /finite number/],
  ['frequency_penalty', [-2, 0, 2, 100], {}, ['a'], /finite number/],
  ['logit_bias', [{ 65: 100, 66: -100 }], {}, [{ a: 1 }, [1], { 65: 'a' }],
    /object of token ids/],
  ['no_repeat_ngram_size', [0, 3], {}, [-1, 1.5], /whole number from 0/],
  ['encoder_no_repeat_ngram_size', [0, 3], {}, [-1, 1.5],
    /whole number from 0/],
  ['bad_words_ids', [[[65], [66, 67]]], {}, [[65], [[]], [['a']]],
    /lists of token ids/],
  ['min_length', [0, 3], {}, [-1], /whole number from 0/],
  ['min_new_tokens', [0, 3], {}, [-1], /whole number from 0/],
  ['max_length', [500], {}, [0, 1.5], /whole number from 1/],
  ['max_new_tokens', [1, 500], {}, [0, -1, 1.5], /whole number from 1/],
  ['forced_bos_token_id', [65], {}, [-1, 1000], /ids are|whole number/],
  ['remove_invalid_values', [true, false], {}, ['x'], /true or false/],
  ['exponential_decay_length_penalty', [[5, 1.1]], {},
    [[5], [1, 0], [-1, 2], 3], /above 0/],
  ['renormalize_logits', [true, false], {}, [2], /true or false/],
  ['max_time', [100, 2.5], {}, [0, -1], /above 0/],
  ['stop_strings', [['\n\n', 'END']], {}, [[''], [1], '',
    Array(65).fill('x')], /up to 64 texts/],
  ['pad_token_id', [0], {}, [-1, 1000], /ids are|whole number/],
  ['bos_token_id', [0], {}, [-1, 1000], /ids are|whole number/],
  ['output_scores', [true, false], {}, ['x'], /true or false/],
  ['return_dict_in_generate', [true, false], {}, ['x'], /true or false/],
  ['use_cache', [true, false], {}, ['x'], /true or false/],
  ['forced_eos_token_id', [[END]], {}, [-1, 1000, ['a']],
    /ids are|whole number/],
  ['suppress_tokens', [[65, 66]], {}, [-1, [1000]], /ids are|whole number/],
  ['begin_suppress_tokens', [[65, 66]], {}, [-1, [1000]],
    /ids are|whole number/],
  ['eos_token_id', [[END, 65], []], {}, [-1, [1000]], /ids are|whole number/],
];

/** Not done here, by hub.md's list of the reference. */
const REFUSED = {
  output_attentions: true, output_hidden_states: true, penalty_alpha: 0.6,
  constraints: ['x'], force_words_ids: [[1]], forced_decoder_ids: [[1, 2]],
  watermarking_config: { seeding: 1 }, prefix_allowed_tokens_fn: 'f',
};

describe('settings', () => {
  /** @type {Manager} */
  let manager;

  before(async () => {
    ({ manager } = await scriptedManager(saying('A short answer.')));
  });
  after(() => manager.dispose());

  /** @param {Record<string, unknown>} settings */
  const answer = async (settings) => (
    await generate(manager, { message: 'Hi', settings })).result;

  for (const [name, values, needs, wrong, range] of PARAMETERS) {
    test(name, async () => {
      for (const value of values) {
        const { effective, ignored } = await answer({ ...needs, [name]: value });
        assert.deepEqual(effective[name], value);
        assert.deepEqual(ignored, [], JSON.stringify(value));
      }
      for (const value of wrong) {
        await assert.rejects(answer({ ...needs, [name]: value }), (error) => {
          const { code, message } = /** @type {any} */ (error);
          assert.equal(code, 'invalid_params', JSON.stringify(value));
          assert.match(message, new RegExp(`^${name}\\b`));
          assert.match(message, range);
          return true;
        });
      }
    });
  }

  test('null is the same as not given', async () => {
    const { effective, ignored } = await answer(
      Object.fromEntries(PARAMETERS.map(([name]) => [name, null])));
    assert.deepEqual(ignored, []);
    assert.deepEqual(effective, (await answer({})).effective);
  });

  for (const [name, , needs] of PARAMETERS) {
    if (needs !== SAMPLE || name === 'temperature') continue;
    test(`${name} has no meaning without do_sample`, async () => {
      const value = name === 'seed' ? 3 : 0.5;
      const { effective, ignored } = await answer(
        { [name]: name === 'top_k' ? 3 : value });
      assert.ok(!(name in effective));
      assert.deepEqual(ignored, [{ name, reason: 'needs do_sample' }]);
    });
  }

  test('a temperature without do_sample', async () => {
    const { effective, ignored } = await answer({ temperature: 0.7 });
    assert.ok(!('temperature' in effective));
    assert.deepEqual(ignored.map(({ name }) => name), ['temperature']);
  });

  test('what needs beams', async () => {
    const { effective, ignored } = await answer(
      { length_penalty: 2, early_stopping: true, diversity_penalty: 1 });
    assert.ok(!('length_penalty' in effective));
    assert.deepEqual(ignored.map(({ name }) => name).sort(),
      ['diversity_penalty', 'early_stopping', 'length_penalty']);
  });

  test('what needs an encoder', async () => {
    const { ignored } = await answer({ decoder_start_token_id: 3 });
    assert.deepEqual(ignored.map(({ name }) => name),
      ['decoder_start_token_id']);
  });

  for (const [name, value] of Object.entries(REFUSED)) {
    test(`${name} is named as ignored`, async () => {
      const { effective, ignored } = await answer({ [name]: value });
      assert.ok(!(name in effective));
      assert.deepEqual(ignored.map((one) => one.name), [name]);
      assert.ok(ignored[0].reason.length > 0);
    });
  }

  test('unknown names are named, whatever they are', async () => {
    const names = ['temprature', 'TOP_K', '__proto__x', 'x'.repeat(70), 'ä"\n'];
    const { ignored } = await answer(
      Object.fromEntries(names.map((name) => [name, 1])));
    assert.deepEqual(ignored, names.map((name) => (
      { name, reason: 'no parameter of this name' })));
  });

  test('settings of the prompt are not ignored', async () => {
    const { ignored } = await answer(
      { system_prompt: 'Be brief.', json_mode: false });
    assert.deepEqual(ignored, []);
  });

  test('stop is another name of stop_strings', async () => {
    const { effective, text, stopReason } = await answer({ stop: 'ans' });
    assert.deepEqual(effective.stop_strings, ['ans']);
    assert.equal(text, 'A short ');
    assert.equal(stopReason, 'stop');
  });

  test('two that do not go together', async () => {
    await assert.rejects(answer({ num_return_sequences: 2 }),
      { code: 'invalid_params', message: /do_sample/ });
  });

  test('max_new_tokens stands over max_length', async () => {
    const { effective, ignored, newTokens } = await answer(
      { max_new_tokens: 2, max_length: 900 });
    assert.equal(newTokens, 2);
    assert.ok(!('max_length' in effective));
    assert.deepEqual(ignored.map(({ name }) => name), ['max_length']);
  });

  for (const settings of [5, 'hot', [1], true]) {
    test(`settings that are ${JSON.stringify(settings)}`, async () => {
      await assert.rejects(
        manager.generate(/** @type {any} */ ({ message: 'Hi', settings })),
        { code: 'invalid_params', message: /settings/ });
    });
  }

  for (const settings of [{ system_prompt: 5 }, { json_mode: 'yes' }]) {
    test(`settings ${JSON.stringify(settings)}`, () => assert.rejects(
      answer(settings),
      { code: 'invalid_params', message: new RegExp(Object.keys(settings)[0]) },
    ));
  }

  for (const member of ['chatId', 'tools']) {
    test(`${member} of another kind`, () => assert.rejects(
      manager.generate(/** @type {any} */ ({ message: 'Hi', [member]: 5 })),
      { code: 'invalid_params', message: new RegExp(member) }));
  }

  test('no settings at all', async () => {
    const { effective } = (await generate(manager, { message: 'Hi' })).result;
    assert.equal(effective.do_sample, false);
  });
});

test('a request goes over generation_config.json, and that over the defaults',
  async () => {
    const generationConfig = {
      eos_token_id: END, do_sample: true, temperature: 0.6, top_p: 0.9,
      max_new_tokens: 7, repetition_penalty: 'wrong', transformers_version: '5',
    };
    const { manager } = await scriptedManager(saying('Something long, say.'),
      { model: { ...NO_MODEL, generationConfig } });
    const { result } = await generate(manager,
      { message: 'Hi', settings: { temperature: 0.1 } });
    const { seed, ...effective } = result.effective;
    assert.deepEqual(effective, {
      do_sample: true, temperature: 0.1, top_k: 50, top_p: 0.9,
      max_new_tokens: 7, eos_token_id: [END],
    });
    assert.deepEqual(result.ignored.map(({ name }) => name),
      ['repetition_penalty']);
    assert.equal(result.newTokens, 7);
    await manager.dispose();
  });

test('an encoder-decoder begins with decoder_start_token_id', async () => {
  const { manager } = await chatManager(makeT5());
  await manager.load({ modelId: MODEL });
  const settings = { max_new_tokens: 8, eos_token_id: [] };
  const answers = [];
  for (const start of [undefined, 0, 77]) {
    const { result, tokens } = await generate(manager, { message: 'Hi',
      settings: { ...settings, decoder_start_token_id: start } });
    assert.deepEqual(result.ignored, []);
    answers.push(tokens);
  }
  assert.deepEqual(answers[1], answers[0]);
  assert.notDeepEqual(answers[2], answers[0]);
  await manager.dispose();
});
