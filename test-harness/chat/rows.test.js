// SPDX-License-Identifier: Apache-2.0
// Several sequences side by side, on every convention of graphs: the cache has a
// row for each, and rows are copied when beams go on with others.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { GRAPHS } from '../models/graphs.js';
import { beamSearch, logSoftmax } from '../reference/generation.js';
import { PlainModel } from './plain.js';
import { VOCAB } from './fake-ort.js';
import { answerOf, generate, promptOf, scriptedManager, user } from './script.js';
import { chatManager, MODEL, PAD, tokensOf } from './world.js';

const QUESTIONS = ['Hello?', 'A longer question, with more words in it.'];

const NEW_TOKENS = 6;

/** Thrown for logits that are not there yet. */
class Missing extends Error {
  /** @param {number[]} answer */
  constructor(answer) {
    super();
    this.answer = answer;
  }
}

/** Logits of answers, which are computed when they are first asked for. */
class Logits {
  /** @type {Map<string, number[]>} */
  #known = new Map();
  #plain;
  #prompt;

  /**
   * @param {PlainModel} plain
   * @param {number[]} prompt
   */
  constructor(plain, prompt) {
    this.#plain = plain;
    this.#prompt = prompt;
  }

  /** @param {number[]} tokens with the prompt */
  of = (tokens) => {
    const answer = tokens.slice(this.#prompt.length);
    const known = this.#known.get(answer.join());
    if (!known) throw new Missing(answer);
    return known;
  };

  /**
   * @template T
   * @param {() => T} search that uses of()
   * @returns {Promise<T>}
   */
  async run(search) {
    for (;;) {
      try {
        return search();
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        const { answer } = error;
        this.#known.set(answer.join(),
          [...await this.#plain.logits(this.#prompt, answer)]);
      }
    }
  }
}

for (const { name, make } of GRAPHS) {
  describe(name, () => {
    /** @type {import('./world.js').Manager} */
    let manager;
    /** @type {PlainModel} */
    let plain;
    let hasEncoder = false;

    before(async () => {
      const graph = make();
      hasEncoder = Boolean(graph.inputs);
      plain = await PlainModel.open(graph);
      ({ manager } = await chatManager(graph.model));
      await manager.load({ modelId: MODEL });
    });

    after(async () => {
      await manager.dispose();
      await plain.release();
    });

    /**
     * @param {string} message
     * @param {Record<string, unknown>} settings
     */
    const ask = (message, settings) => generate(manager, {
      message, chatId: message, settings: {
        max_new_tokens: NEW_TOKENS, eos_token_id: [], ...settings },
    });

    test('beams', async () => {
      for (const question of QUESTIONS) {
        const prompt = promptOf([user(question)]);
        const params = { num_beams: 3, num_return_sequences: 2,
          max_new_tokens: NEW_TOKENS };
        const { result, tokens } = await ask(question, params);
        const logits = new Logits(plain, prompt);
        const wanted = await logits.run(
          () => beamSearch(logits.of, params, prompt, []));
        assert.ok(wanted);
        assert.deepEqual(tokens, wanted[0].tokens);
        wanted.forEach(({ score }, i) => {
          const given = result.sequences?.[i].score ?? NaN;
          assert.ok(Math.abs(given - score) < 1e-3, `${given}, not ${score}`);
        });
      }
    });

    test('samples that have no choice', async () => {
      for (const question of QUESTIONS) {
        const { result, tokens } = await ask(question,
          { do_sample: true, top_k: 1, num_return_sequences: 3 });
        assert.deepEqual(tokens,
          await plain.continue(promptOf([user(question)]), NEW_TOKENS));
        const texts = result.sequences?.map(({ text }) => text);
        assert.deepEqual(texts, Array(3).fill(result.text));
      }
    });

    test('guidance', async () => {
      if (hasEncoder) return;
      const prompt = promptOf([user('Guide me.')]);
      /** @type {number[]} */
      const tokens = [];
      while (tokens.length < NEW_TOKENS) {
        const guided = logSoftmax([...await plain.logits(prompt, tokens)]);
        const free = logSoftmax(
          [...await plain.logits(prompt.slice(-1), tokens)]);
        const scores = guided.map((x, i) => 1.8 * (x - free[i]) + free[i]);
        tokens.push(scores.indexOf(Math.max(...scores)));
      }
      const given = await ask('Guide me.', { guidance_scale: 1.8 });
      assert.deepEqual(given.tokens, tokens);
    });

    test('one sequence afterwards', async () => {
      const { tokens } = await ask(QUESTIONS[0], {});
      assert.deepEqual(tokens,
        await plain.continue(promptOf([user(QUESTIONS[0])]), NEW_TOKENS));
    });
  });
}

describe('rows whose text ends them', () => {
  /**
   * Says one of the texts, all of which begin with another letter.
   * @param {string[]} texts
   */
  const oneOf = (...texts) => (/** @type {number[]} */ tokens) => {
    const answer = answerOf(tokens) ?? [];
    const logits = new Float32Array(VOCAB).fill(-1e9);
    for (const text of texts) {
      const said = tokensOf(text);
      if (answer.every((id, i) => id === said[i] || id === PAD)) {
        logits[said[answer.length] ?? PAD] = 1;
      }
    }
    return logits;
  };

  /**
   * @param {string[]} texts
   * @param {object} settings
   */
  async function sample(texts, settings) {
    const { manager, ort } = await scriptedManager(oneOf(...texts));
    const { result } = await generate(manager, { message: 'Hi', settings: {
      do_sample: true, seed: 3, num_return_sequences: 6, max_new_tokens: 90,
      ...settings } });
    const passes = ort.takePasses();
    await manager.dispose();
    const { sequences } = result;
    return { result, passes, said: sequences?.map(({ text }) => text) ?? [] };
  }

  const LONG = 'and so on, and so on, and so on, and so on, and so on, say';

  test('each on its own, with a stop string', async () => {
    const texts = [`A#stop${LONG}`, `Bbbb bbbb bbbb#stop${LONG}`];
    const { result, passes, said } = await sample(
      texts, { stop_strings: ['#stop'] });
    assert.deepEqual([...new Set(said)].sort(), ['A', 'Bbbb bbbb bbbb']);
    assert.equal(result.stopReason, 'stop');
    assert.equal(said[0], result.text);
    // One pass for the prompt, and one for each token but the last.
    assert.equal(passes.length, 'Bbbb bbbb bbbb#stop'.length);
    const shortRow = said.indexOf('A');
    const ids = passes.slice(1).map(({ fresh }) => fresh[shortRow][0]);
    assert.deepEqual(ids, [...tokensOf('A#stop'),
      ...Array(passes.length - 1 - 'A#stop'.length).fill(PAD)]);
  });

  test('in JSON mode, when the document is complete', async () => {
    const texts = [`{"a": 1}${LONG}`, `["bb", "cc", "dd"]${LONG}`];
    const { passes, said } = await sample(texts, { json_mode: true });
    assert.deepEqual([...new Set(said)].sort(),
      ['["bb", "cc", "dd"]', '{"a": 1}']);
    assert.ok(passes.length <= '["bb", "cc", "dd"]'.length + 1);
  });

  test('and nothing is decoded on the way without either', async () => {
    const { result, passes } = await sample(['A', 'B'], {});
    assert.equal(passes.length, 90);
    assert.equal(result.stopReason, 'length');
  });

  test('up to 64 stop strings, the last of which ends an answer', async () => {
    const { manager } = await scriptedManager(oneOf('abc'));
    const stop = [...Array(63).keys()].map((i) => `no ${i}`);
    const { result } = await generate(manager, { message: 'Hi',
      settings: { stop_strings: [...stop, 'b'], max_new_tokens: 9 } });
    assert.equal(result.text, 'a');
    await assert.rejects(generate(manager, { message: 'Hi',
      settings: { stop_strings: ['x'.repeat(1025)] } }),
    { code: 'invalid_params', message: /1024 bytes/ });
    await manager.dispose();
  });
});
