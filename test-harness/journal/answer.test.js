// SPDX-License-Identifier: Apache-2.0
// An answer of a real model, killed at every moment: what was heard before and
// after is what is heard without a kill, nothing twice, and one last word.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { createHub } from '../hub/index.js';
import { TINY_CHAT, tinyChat } from '../models/tiny-chat.js';
import { copyOf } from '../store/memory-store.js';
import { goOn, journalOf, live } from './lives.js';

/** @typedef {import('./lives.js').Message} Message */

const messages = [{ role: 'user', content: 'What is 9 plus 4?' }];

/** What is asked, each in another way of going on. */
const ASKED = {
  greedy: { max_new_tokens: 40 },
  drawn: { do_sample: true, temperature: 1.5, max_new_tokens: 24 },
  seeded: { do_sample: true, temperature: 1.5, seed: 5, max_new_tokens: 24 },
  'with a stop string': { max_new_tokens: 40, stop_strings: ['.'] },
  'with a system prompt': { max_new_tokens: 12, system_prompt: 'Be brief.' },
  guided: { guidance_scale: 1.5, max_new_tokens: 16 },
  'with beams': { num_beams: 3, num_return_sequences: 2, max_new_tokens: 12 },
};

/** @param {Message} message */
const isOfJob = ({ id }) => id === 'answer';

/** @param {Message[]} heard */
function answerOf(heard) {
  const mine = heard.filter(isOfJob);
  const parts = mine.filter(({ action }) => action === 'generate:progress');
  return {
    seqs: mine.map(({ seq }) => seq),
    text: parts.map(({ text }) => text).join(''),
    tokens: parts.flatMap(({ tokenIds }) => tokenIds),
    ends: mine.filter(({ action }) => action !== 'generate:progress'),
    shown: heard.filter(({ type }) => type === 'generationUpdate')
      .map(({ payload }) => payload.token).join(''),
    completed: heard.filter(({ type }) => type === 'generationComplete').length,
  };
}

/** What an end says that does not depend on time and caches. */
function lastingOf({ ts, tokensPerSecond, timeToFirstTokenMs, reusedTokens,
  ...rest } = /** @type {any} */ ({})) {
  return rest;
}

for (const [name, settings] of Object.entries(ASKED)) {
  describe(`an answer, ${name}`, () => {
    /** @type {Awaited<ReturnType<typeof live>>} */
    let whole;
    /** @type {ReturnType<typeof answerOf>} */
    let expected;
    const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
      repositories: [tinyChat()] });

    before(async () => {
      whole = await live(hub.fetch);
      await whole.manager.load({ modelId: TINY_CHAT, dtype: 'q8' });
      whole.moments.length = 0;
      whole.heard.length = 0;
      await whole.manager.handleMessage({
        action: 'generate', id: 'answer',
        params: { messages, settings, chatId: 'a' },
      });
      assert.deepEqual(await whole.manager.resumeJobs(), []);
      assert.deepEqual(journalOf(whole.data), []);
      await whole.manager.dispose();
      expected = answerOf(whole.heard);
    });

    test('is whole without a kill, and leaves no record', () => {
      assert.equal(expected.ends.length, 1);
      assert.equal(expected.ends[0].action, 'generate:done');
      assert.equal(expected.ends[0].text, expected.text);
      assert.equal(expected.tokens.length, expected.ends[0].newTokens);
      assert.ok(whole.moments.length > 6);
    });

    test('goes on from every moment', async () => {
      let resumed = 0;
      for (const { data, heard } of some(whole.moments, name)) {
        const said = answerOf(heard);
        // The numbers are drawn on, not again: the seed is another.
        const next = await live(hub.fetch, copyOf(data), { seed: 77 });
        const { jobs, ends } = await goOn(next.manager);
        assert.deepEqual(await next.manager.resumeJobs(), []);
        assert.deepEqual(journalOf(next.data), []);
        if (jobs.length === 0) {
          // It had not been written down yet, or has been heard to its end.
          assert.ok([0, expected.seqs.length].includes(said.seqs.length));
          await next.manager.dispose();
          continue;
        }
        resumed += 1;
        assert.deepEqual(jobs.map(({ id, kind }) => [id, kind]),
          [['answer', 'generate']]);
        assert.equal(ends[0].action, 'generate:done', JSON.stringify(ends));
        assert.deepEqual(lastingOf(ends[0]), lastingOf(expected.ends[0]));

        // Nothing is said twice.
        const spoken = answerOf(next.heard);
        const lastSeq = said.seqs.at(-1) ?? -1;
        assert.ok(spoken.seqs.every((seq) => seq > lastSeq));
        assert.deepEqual(spoken.seqs,
          expected.seqs.slice(expected.seqs.length - spoken.seqs.length));
        assert.ok(said.ends.length + spoken.ends.length <= 1);
        // The end for all holds the whole answer: nobody misses it.
        assert.ok(said.completed <= 1 && spoken.completed <= 1);
        assert.ok(said.completed + spoken.completed >= 1);

        // Whoever asks for what is behind the last message loses nothing.
        const rest = answerOf(await all(next.manager, lastSeq));
        assert.deepEqual([...said.seqs, ...rest.seqs], expected.seqs);
        assert.equal(said.text + rest.text, expected.text);
        assert.deepEqual([...said.tokens, ...rest.tokens], expected.tokens);
        await next.manager.dispose();
      }
      assert.ok(resumed > 3);
    });
  });
}

describe('an answer that goes on', () => {
  const hub = createHub({ catalogue: [], rateLimits: false, latency: false,
    repositories: [tinyChat()] });
  const settings = { max_new_tokens: 12 };

  /** @param {object} request */
  async function momentsOf(request) {
    const { manager, heard, moments } = await live(hub.fetch);
    await manager.load({ modelId: TINY_CHAT, dtype: 'q8' });
    moments.length = 0;
    heard.length = 0;
    await manager.handleMessage(request);
    await manager.dispose();
    return moments;
  }

  test('says so before its model is loaded', async () => {
    // So long that it is written down more than once.
    const long = { min_new_tokens: 200, max_new_tokens: 200 };
    const moments = await momentsOf({ action: 'generate', id: 'answer',
      params: { messages, settings: long, chatId: 'a', messageId: 'm' } });
    const begun = moments.find(({ heard }) => answerOf(heard).seqs.length > 0);
    const { data, heard } = /** @type {typeof moments[0]} */ (begun);
    assert.deepEqual(answerOf(heard).ends, []);
    const lastSeq = /** @type {number} */ (answerOf(heard).seqs.at(-1));
    const next = await live(hub.fetch, copyOf(data));
    const [{ request }] = await next.manager.resumeJobs();
    const end = next.manager.handleMessage({ ...request, resume: true });

    for (const seq of [lastSeq, -1]) {
      const { value } = await next.manager.subscribe('answer', seq).next();
      assert.equal(value?.action, 'generate:progress');
      assert.equal(value?.seq, seq);
      const { resumed, text, kind, tokenIds, numTokens, tokensPerSecond }
        = /** @type {any} */ (value);
      assert.deepEqual([resumed, text, kind, tokenIds, tokensPerSecond],
        [true, '', 'content', [], 0]);
      assert.ok(numTokens > 0);
    }
    assert.equal((await next.manager.state()).state, 'loading');
    const { payload } = next.heard.filter(({ type }) => type)[0];
    assert.deepEqual([payload.chatId, payload.messageId, payload.token],
      ['a', 'm', '']);
    assert.equal((await end).action, 'generate:done');
    await next.manager.dispose();
  });

  test('waits for a released model in every life', async () => {
    const { manager, moments } = await live(hub.fetch);
    await manager.load({ modelId: TINY_CHAT, dtype: 'q8' });
    await manager.handleMessage({ type: 'tabagent:memoryPressure' });
    assert.equal((await manager.state()).state, 'unloaded');
    moments.length = 0;
    await manager.handleMessage({ action: 'generate', id: 'answer',
      params: { messages, settings, chatId: 'a' } });
    await manager.dispose();
    let resumed = 0;
    for (const { data } of moments) {
      const next = await live(hub.fetch, copyOf(data));
      const { ends } = await goOn(next.manager);
      assert.deepEqual(ends.map(({ action }) => action),
        ends.map(() => 'generate:done'));
      resumed += ends.length;
      await next.manager.dispose();
    }
    assert.ok(resumed > 3);
  });

  test('has the revision again that was loaded', async () => {
    const { manager: other } = await live(hub.fetch);
    const { commit } = await other.plan(TINY_CHAT);
    await other.dispose();
    const { manager } = await live(hub.fetch);
    await manager.load({ modelId: TINY_CHAT, dtype: 'q8', revision: commit });
    await manager.handleMessage({ type: 'tabagent:memoryPressure' });
    const asked = hub.requests.length;
    await manager.generate({ messages });
    assert.equal(hub.requests.length, asked);
    await manager.dispose();
  });

  test('fetches no model again that was deleted', async () => {
    const { manager } = await live(hub.fetch);
    await manager.load({ modelId: TINY_CHAT, dtype: 'q8' });
    await manager.handleMessage({ type: 'tabagent:memoryPressure' });
    await manager.deleteModel(TINY_CHAT);
    const asked = hub.requests.length;
    const answer = () => manager.generate({ messages });
    await assert.rejects(answer(), { code: 'not_stored' });
    await assert.rejects(answer(), { code: 'no_model' });
    assert.equal(hub.requests.length, asked);
    assert.deepEqual(await manager.models(), []);
    await manager.dispose();
  });

  test('shows nothing twice to a panel, and its end in any case', async () => {
    const moments = await momentsOf({ type: 'generate', payload: {
      chatId: 'a', messageId: 'm', messages, options: settings,
    } });
    const whole = answerOf(moments[moments.length - 1].heard);
    assert.equal(whole.completed, 1);
    let resumed = 0;
    for (const { data, heard } of moments) {
      const said = answerOf(heard);
      const next = await live(hub.fetch, copyOf(data));
      const { jobs, ends } = await goOn(next.manager);
      const spoken = answerOf(next.heard);
      if (jobs.length > 0) {
        resumed += 1;
        assert.deepEqual(ends, [{ success: true }]);
        assert.ok(whole.shown.startsWith(said.shown));
        assert.ok(whole.shown.endsWith(spoken.shown));
        assert.ok(
          said.shown.length + spoken.shown.length <= whole.shown.length);
        assert.ok(said.completed + spoken.completed >= 1);
      }
      await next.manager.dispose();
    }
    assert.ok(resumed > 3);
  });
});

/**
 * Every moment of one answer, some of the others: each is a life with a model.
 * @template T
 * @param {T[]} moments
 * @param {string} name
 */
function some(moments, name) {
  return name === 'greedy' ? moments
    : moments.filter((_, i) => i % 4 === 1 || i > moments.length - 6);
}

/**
 * @param {import('../../js-bindings/types/index.d.ts').ModelManager} manager
 * @param {number} seq
 */
async function all(manager, seq) {
  /** @type {Message[]} */
  const heard = [];
  for await (const message of manager.subscribe('answer', seq)) {
    heard.push(message);
  }
  return heard;
}
