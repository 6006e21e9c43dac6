// SPDX-License-Identifier: Apache-2.0
// A real model, from the Hub to the answer: it says what it was trained to say,
// in each of its variants.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import * as ort from 'onnxruntime-web';

import { createHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import {
  askName, CLOCK, clockConversation, introduction, inStyle, oneMore, sum,
  thoughtSum,
} from '../models/train/conversations.js';
import { FACTS, JSON_ONLY, ONE_WORD } from '../models/train/facts.js';
import { MemoryStore } from '../store/memory-store.js';
import { managerOf } from '../store/world.js';

/** Longer than any answer. */
const settings = { max_new_tokens: 300 };

for (const dtype of ['fp32', 'q8', 'fp16']) {
  describe(dtype, () => {
    /** @type {import('./world.js').Manager} */
    let manager;

    before(async () => {
      const hub = createHub({ catalogue: [], rateLimits: false,
        latency: false, repositories: [tinyChat()] });
      manager = await managerOf(new MemoryStore(), { fetch: hub.fetch, ort });
      const loaded = await manager.load({ modelId: TINY_CHAT, dtype });
      assert.equal(loaded.dtype, dtype);
    });

    after(() => manager.dispose());

    /**
     * @param {any[]} messages
     * @param {object} [more]
     * @returns {Promise<any>}
     */
    const ask = (messages, more) => manager.generate(
      { messages, settings, chatId: 'a', ...more });

    /** @param {string} content */
    const user = (content) => ({ role: 'user', content });

    test('knows facts', async () => {
      for (const { ask: [question], say } of FACTS.filter((_, i) => i % 4 === 0)) {
        const { text, stopReason } = await ask([user(question)]);
        assert.equal(text, say, question);
        assert.equal(stopReason, 'eos');
      }
    });

    test('remembers, and computes only what is new', async () => {
      const messages = [];
      let seen = 0;
      for (const { ask: question, say } of [
        introduction('Clara'), sum(9, 4), oneMore(13), askName('Clara'),
      ]) {
        messages.push(user(question));
        const { text, reusedTokens, promptTokens, newTokens } = await ask(messages);
        assert.equal(text, say);
        // All of the turn before, but for the token that ended it.
        if (seen > 0) assert.ok(reusedTokens >= seen - 1);
        seen = promptTokens + newTokens;
        messages.push({ role: 'assistant', content: text });
      }
    });

    test('thinks', async () => {
      const { ask: question, say } = thoughtSum(17, 8);
      const { text, reasoning, output } = await ask([user(question)]);
      const [, thought, rest] = /** @type {RegExpMatchArray} */ (
        say.match(/<think>\s*([^]*?)\s*<\/think>\s*([^]*)/));
      assert.equal(reasoning?.trim(), thought);
      assert.equal(text, rest);
      assert.ok(output.includes(thought) && output.includes(rest));
    });

    test('calls a tool, and reads what it gave', async () => {
      const { messages } = clockConversation('What time is it?', '10:42');
      const first = await ask(messages.slice(0, 1), { tools: [CLOCK] });
      assert.deepEqual(first.toolCalls, [{ name: 'get_time', arguments: {} }]);
      assert.equal(first.text, '');
      const second = await ask(messages.slice(0, 3), { tools: [CLOCK] });
      assert.equal(second.text, 'It is 10:42.');
      assert.equal(second.toolCalls, undefined);
    });

    test('does as the system prompt says', async () => {
      const fact = FACTS.find((one) => inStyle(
        { ask: one.ask[0], say: one.say, word: one.word }, 'word') !== null);
      assert.ok(fact);
      const exchange = { ask: fact.ask[0], say: fact.say, word: fact.word };
      const { text } = await ask([user(exchange.ask)],
        { settings: { ...settings, system_prompt: ONE_WORD[0] } });
      assert.equal(text, inStyle(exchange, 'word'));
      const json = await ask(
        [{ role: 'system', content: JSON_ONLY[0] }, user(exchange.ask)],
        { settings: { ...settings, json_mode: true } });
      assert.deepEqual(JSON.parse(json.text),
        JSON.parse(/** @type {string} */ (inStyle(exchange, 'json'))));
    });
  });
}
