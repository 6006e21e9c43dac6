// SPDX-License-Identifier: Apache-2.0
// Greedy answers are those of a plain loop over the same graph, token for
// token: for every convention of graphs, on the first turn and on later ones,
// after a stop, and with prompts that go in parts.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { GRAPHS } from '../models/graphs.js';
import { makeLlama } from '../models/llama.js';
import { PlainModel } from './plain.js';
import { assistant, generate, promptOf, user } from './script.js';
import { chatManager, MODEL } from './world.js';

/** @typedef {import('../models/graphs.js').NamedGraph} NamedGraph */

const NEW_TOKENS = 16;

const QUESTIONS = [
  'Hello?', 'What is 9 plus 4?', '', ' ', 'Zoë says: ¿qué? 你好 👋',
  'line\nline\n\nline', 'x', 'The quick brown fox jumps over the lazy dog.',
];

/** More tokens than one part of a prompt has. */
const LONG = 'All work and no play. '.repeat(15);

/** Whatever the model says, it goes on. */
const SETTINGS = { max_new_tokens: NEW_TOKENS, eos_token_id: [] };

/** @type {{ name: string, make: () => NamedGraph }[]} */
const ALL = [...GRAPHS, {
  name: 'halves everywhere',
  make: () => ({
    model: makeLlama(
      { dtype: 'fp16', cacheType: 'float16', logitsType: 'float16' }),
    path: 'onnx/model_fp16.onnx',
  }),
}];

for (const { name, make } of ALL) {
  describe(name, () => {
    /** @type {import('./world.js').Manager} */
    let manager;
    /** @type {PlainModel} */
    let plain;

    before(async () => {
      const graph = make();
      plain = await PlainModel.open(graph);
      ({ manager } = await chatManager(graph.model));
      await manager.load({ modelId: MODEL });
    });

    after(async () => {
      await manager.dispose();
      await plain.release();
    });

    /**
     * @param {{ role: string, content: string }[]} messages
     * @param {string} [chatId]
     * @param {object} [settings]
     */
    async function check(messages, chatId, settings) {
      const { result, tokens } = await generate(manager,
        { messages, chatId, settings: { ...SETTINGS, ...settings } });
      const prompt = promptOf(messages);
      assert.equal(result.promptTokens, prompt.length);
      assert.equal(result.stopReason, 'length');
      assert.deepEqual(tokens, await plain.continue(prompt, NEW_TOKENS));
      return result;
    }

    for (const question of QUESTIONS) {
      test(`first turn: ${JSON.stringify(question)}`, async () => {
        const { reusedTokens } = await check([user(question)], question);
        assert.equal(reusedTokens, 0);
      });
    }

    test('several turns of one chat', async () => {
      const messages = [user('One?')];
      for (const question of ['Two?', 'Three?', 'Four?']) {
        const { text } = await check(messages, 'turns');
        messages.push(assistant(text), user(question));
      }
    });

    test('without reuse', async () => {
      await check([user('Two?')], 'turns', { use_cache: false });
    });

    test('after a stop, the same again and further', async () => {
      const controller = new AbortController();
      const messages = [user('Stop!')];
      const stopped = await manager.generate({ messages, settings: SETTINGS }, {
        signal: controller.signal,
        onToken: ({ numTokens }) => { if (numTokens > 4) controller.abort(); },
      });
      assert.equal(stopped.stopReason, 'stopped');
      await check(messages);
      await check([...messages, assistant(stopped.text), user('Go on.')]);
    });

    test('a long prompt, and its next turn', async () => {
      const { text } = await check([user(LONG)], 'long');
      await check([user(LONG), assistant(text), user('And?')], 'long');
    });
  });
}
