// SPDX-License-Identifier: Apache-2.0
// The tiny chat model answers what it was trained for, in each of its variants,
// and other libraries run it too.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { readDirectory } from '../hub/repository.js';
import { ChatText } from './chat-text.js';
import { GraphRun, openGraph } from './run-graph.js';
import { DIRECTORY } from './tiny-chat.js';
import {
  askName, CLOCK, clockConversation, introduction, inStyle, oneMore, sum,
  SUMMAND_MAX, thoughtSum,
} from './train/conversations.js';
import { FACTS, JSON_ONLY, NAMES, ONE_WORD, PIRATE } from './train/facts.js';
import { smallFiles } from './train/repository.js';

/** Not known to the compiler: its declarations have errors. */
const PACKAGE = String('@huggingface/transformers');

/** What the whole repository may weigh in git. */
const BYTES_MAX = 8 * 1024 * 1024;

/** Longer than any answer. */
const TOKENS_MAX = 300;

/** @typedef {import('./train/conversations.js').Message} Message */
/** @typedef {import('./train/conversations.js').Exchange} Exchange */

const files = readDirectory(DIRECTORY);
const texts = new Map([...files].map(([path, bytes]) => (
  [path, new TextDecoder().decode(bytes)])));
const config = JSON.parse(texts.get('config.json') ?? '');
const chat = new ChatText(texts);
/** @type {number[]} */
const ends = JSON.parse(texts.get('generation_config.json') ?? '').eos_token_id;

/** @param {Float32Array} row */
function indexOfLargest(row) {
  return row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
}

/**
 * Lets the model write the token it thinks most likely, until it ends.
 * @param {Awaited<ReturnType<typeof openGraph>>} session
 * @param {Message[]} messages
 * @param {object[]} [tools]
 */
async function answer(session, messages, tools) {
  const run = new GraphRun(session, config);
  /** @type {number[]} */
  const written = [];
  let next = chat.encode(messages, { tools });
  while (written.length < TOKENS_MAX) {
    const logits = await run.step(next);
    const token = indexOfLargest(logits.subarray(-config.vocab_size));
    if (ends.includes(token)) return chat.decode(written);
    written.push(token);
    next = [token];
  }
  return `${chat.decode(written)} … without an end`;
}

/**
 * Asks one question after the other in one conversation.
 * @param {Awaited<ReturnType<typeof openGraph>>} session
 * @param {Exchange[]} exchanges
 * @param {{ system?: string, style?: import('./train/conversations.js').Style }
 *   } [options]
 * @returns {Promise<string[]>} what was not answered as it should be
 */
async function wrongAnswers(session, exchanges, { system, style = 'plain' } = {}) {
  /** @type {Message[]} */
  const messages = system ? [{ role: 'system', content: system }] : [];
  /** @type {string[]} */
  const wrong = [];
  for (const exchange of exchanges) {
    messages.push({ role: 'user', content: exchange.ask });
    const expected = inStyle(exchange, style) ?? exchange.say;
    const given = await answer(session, messages);
    if (given !== expected) wrong.push(`${exchange.ask} → ${given}`);
    messages.push({ role: 'assistant', content: expected });
  }
  return wrong;
}

/**
 * Each as a conversation of its own.
 * @param {Awaited<ReturnType<typeof openGraph>>} session
 * @param {Exchange[][]} conversations
 * @param {Parameters<typeof wrongAnswers>[2]} [options]
 */
async function assertRight(session, conversations, options) {
  /** @type {string[]} */
  const wrong = [];
  for (const exchanges of conversations) {
    wrong.push(...await wrongAnswers(session, exchanges, options));
  }
  assert.deepEqual(wrong, []);
}

/** Every question with one answer, in every wording. */
const QUESTIONS = FACTS.flatMap(({ ask, say, word }) => (
  ask.map((wording) => ({ ask: wording, say, word }))));

/** Every sum, each in one of its wordings. */
const SUMS = Array.from({ length: (SUMMAND_MAX + 1) ** 2 }, (_, i) => (
  sum(Math.floor(i / (SUMMAND_MAX + 1)), i % (SUMMAND_MAX + 1), i)));

/**
 * Every so many of a list.
 * @template T
 * @param {T[]} list
 * @param {number} step
 */
function every(list, step) {
  return list.filter((_, i) => i % step === 0);
}

describe('the files', () => {
  test('are small enough for git', () => {
    const bytes = [...files.values()].reduce((all, { length }) => all + length, 0);
    assert.ok(bytes <= BYTES_MAX, `${bytes} bytes`);
  });

  test('are those that the scripts write', () => {
    for (const [path, text] of smallFiles()) {
      assert.equal(texts.get(path), text, path);
    }
  });

  test('give back every text that went into tokens', () => {
    for (const { ask, say } of QUESTIONS) {
      const ids = chat.encode([{ role: 'user', content: `${ask}\n${say}` }],
        { isPrompt: false });
      assert.equal(chat.decode(ids), `user\n${ask}\n${say}\n`);
      assert.ok(ids.every((id) => id < config.vocab_size));
    }
  });
});

for (const { path, share } of [
  { path: 'onnx/model.onnx', share: 1 },
  { path: 'onnx/model_quantized.onnx', share: 5 },
  { path: 'onnx/model_fp16.onnx', share: 5 },
]) {
  describe(path, () => {
    /** @type {Awaited<ReturnType<typeof openGraph>>} */
    let session;
    before(async () => { session = await openGraph(files, path); });
    after(() => session.release());

    test('knows what it was told', () => assertRight(session,
      every(QUESTIONS, share).map((question) => [question])));

    test('adds', () => assertRight(session,
      every(SUMS, 7 * share).map((exchange) => [exchange])));

    test('adds to what it said before', () => assertRight(session,
      every(SUMS, 21 * share).map((first) => [
        first, oneMore(Number(first.word)), oneMore(Number(first.word) + 1)])));

    test('remembers a name over other questions', () => assertRight(session,
      every(NAMES, share).map((name, i) => [
        introduction(name), QUESTIONS[i], askName(name)])));

    test('knows no name that it was not told', () => assertRight(session,
      [[askName(null)], [SUMS[100], askName(null)]]));

    for (const [style, prompts] of /** @type {[any, string[]][]} */ ([
      ['word', ONE_WORD], ['json', JSON_ONLY], ['pirate', PIRATE],
    ])) {
      test(`answers as asked to: ${style}`, async () => {
        const suitable = [...every(QUESTIONS, 11), ...every(SUMS, 50)]
          .filter((exchange) => inStyle(exchange, style) !== null);
        for (const system of prompts) {
          await assertRight(session,
            every(suitable, share).map((exchange) => [exchange]),
            { system, style });
        }
      });
    }

    test('thinks when asked to', () => assertRight(session,
      [[thoughtSum(17, 8)], [thoughtSum(3, 4)], [thoughtSum(20, 20)]]));

    test('calls a tool, and reads what it gave', async () => {
      const { messages } = clockConversation('What time is it?', '10:42');
      assert.equal(await answer(session, messages.slice(0, 1), [CLOCK]),
        '<tool_call>\n{"name": "get_time", "arguments": {}}\n</tool_call>');
      assert.equal(await answer(session, messages.slice(0, 3), [CLOCK]),
        'It is 10:42.');
    });
  });
}

describe('transformers.js', () => {
  for (const dtype of ['fp32', 'q8', 'fp16']) {
    test(`answers with ${dtype}`, async () => {
      const { env, pipeline } = await import(PACKAGE);
      Object.assign(env, {
        allowLocalModels: true, allowRemoteModels: false,
        localModelPath: new URL('.', import.meta.url).pathname,
      });
      const generate = await pipeline('text-generation', 'tiny-chat', { dtype });
      const messages = [
        { role: 'user', content: 'My name is Clara.' },
        { role: 'assistant', content: 'Nice to meet you, Clara!' },
        { role: 'user', content: 'What is my name?' },
      ];
      const [{ generated_text: result }] = await generate(messages);
      assert.deepEqual(result.slice(messages.length),
        [{ role: 'assistant', content: 'Your name is Clara.' }]);
      await generate.dispose();
    });
  }
});
