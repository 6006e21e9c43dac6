// SPDX-License-Identifier: Apache-2.0
// Several sequences side by side, on every convention of graphs: the cache has a
// row for each, and rows are copied when beams go on with others.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { GRAPHS } from '../models/graphs.js';
import { beamSearch, logSoftmax } from '../reference/generation.js';
import { PlainModel } from './plain.js';
import { generate, promptOf, user } from './script.js';
import { chatManager, MODEL } from './world.js';

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
