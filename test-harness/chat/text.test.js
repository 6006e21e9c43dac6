// SPDX-License-Identifier: Apache-2.0
// From tokens to the text of an answer: pieces that make up the whole, stop
// strings, reasoning, calls of tools, and JSON.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { byteTokenizer, END } from './world.js';
import { generate, saying, scriptedManager } from './script.js';

/** @typedef {Awaited<ReturnType<typeof scriptedManager>>} World */

/**
 * @param {{ text: string, kind: string }[]} parts
 * @param {string} [kind]
 */
function joined(parts, kind = 'content') {
  return parts.filter((part) => part.kind === kind)
    .map(({ text }) => text).join('');
}

describe('an answer', () => {
  /** @type {World} */
  let world;
  before(async () => { world = await scriptedManager(saying('')); });
  after(() => world.manager.dispose());

  /**
   * @param {string | number | (string | number)[]} said
   * @param {object} [settings]
   * @param {object} [more]
   */
  async function answer(said, settings = {}, more = {}) {
    world.ort.next = saying(...[said].flat());
    const given = await generate(world.manager, {
      message: 'Speak!', settings: { max_new_tokens: 400, ...settings },
      ...more,
    });
    assert.equal(joined(given.parts, 'reasoning'),
      given.result.reasoning ?? '');
    return given;
  }

  for (const text of [
    'Plain text.', 'Zoë ¿qué? 你好 👋🏽 ไทย', ' leading and trailing ',
    'line\n\nline\r\n\ttab', '👩‍👩‍👧‍👦', 'a\u0000b', '<think', '<|not a token|>',
    '```js\ncode\n```\n',
  ]) {
    test(JSON.stringify(text), async () => {
      const { result, parts, tokens } = await answer(text);
      assert.equal(result.text, text);
      assert.equal(result.output, text);
      assert.equal(joined(parts), text);
      assert.deepEqual(tokens, [...Buffer.from(text), END]);
      assert.equal(result.stopReason, 'eos');
      for (const part of parts) assert.ok(!part.text.includes('\ufffd'));
    });
  }

  test('every letter comes when it is complete', async () => {
    const text = 'aé你👋b';
    const { parts } = await answer(text);
    assert.deepEqual(parts.map((part) => part.text), [...text, '']);
    assert.deepEqual(parts.map(({ tokenIds }) => tokenIds),
      [...[...text].map((letter) => [...Buffer.from(letter)]), [END]]);
    assert.deepEqual(parts.map(({ numTokens }) => numTokens),
      [1, 3, 6, 10, 11, 12]);
  });

  test('bytes that are no text', async () => {
    const bytes = [0xff, 0x41, 0xc3, 0x42, 0xe4, 0xbd];
    const { result, parts } = await answer(bytes);
    const whole = new TextDecoder().decode(Uint8Array.from(bytes));
    assert.equal(result.text, whole);
    assert.equal(joined(parts), whole);
  });

  test('special tokens are not shown', async () => {
    const { result } = await answer(['a', 258, 'b', 258, 'c']);
    assert.equal(result.text, 'abc');
  });

  describe('stop strings', () => {
    for (const [said, stop, text] of /** @type {[string, any, string][]} */ ([
      ['Hello END world', 'END', 'Hello '],
      ['END', ['END'], ''],
      ['aaab', 'aab', 'a'],
      ['one two three', ['three', 'two'], 'one '],
      ['grüße 你好 x', '你好', 'grüße '],
      ['ab\n\ncd', ['\n\n'], 'ab'],
      ['User: hi', ['User:', 'Assistant:'], ''],
    ])) {
      test(`${JSON.stringify(said)} by ${JSON.stringify(stop)}`, async () => {
        const { result, parts } = await answer(said, { stop });
        assert.equal(result.text, text);
        assert.equal(joined(parts), text);
        assert.equal(result.stopReason, 'stop');
        assert.equal(parts.flatMap(({ tokenIds }) => tokenIds).length,
          result.newTokens);
      });
    }

    test('with the last token that is allowed', async () => {
      const { result } = await answer('Hello END',
        { stop: 'END', max_new_tokens: 9 });
      assert.equal(result.text, 'Hello ');
      assert.equal(result.stopReason, 'stop');
    });

    for (const settings of [
      { num_beams: 2 }, { num_beams: 3, num_return_sequences: 2 },
      { do_sample: true, seed: 2, num_return_sequences: 2 },
    ]) {
      test(`of several sequences: ${JSON.stringify(settings)}`, async () => {
        const { result } = await answer('Hello END world',
          { stop: 'END', max_new_tokens: 30, ...settings });
        assert.equal(result.text, 'Hello ');
        assert.equal(result.stopReason, 'stop');
        assert.equal(result.sequences?.[0].text ?? 'Hello ', 'Hello ');
      });
    }

    test('what could become one comes in the end', async () => {
      const { result, parts } = await answer('almost EN', { stop: 'END' });
      assert.equal(result.text, 'almost EN');
      assert.equal(joined(parts), result.text);
      assert.equal(result.stopReason, 'eos');
    });

    test('nothing is held back for longer than needed', async () => {
      const { parts } = await answer('aENbc', { stop: 'END' });
      const at = parts.findIndex(({ text }) => text.includes('b'));
      assert.equal(parts[at].text, 'ENb');
      assert.equal(parts[at].numTokens, 4);
    });
  });

  describe('reasoning', () => {
    test('is apart', async () => {
      const { result, parts } = await answer(
        '<think>\nLet me see.\n</think>\n\nYes.');
      assert.equal(result.reasoning?.trim(), 'Let me see.');
      assert.equal(result.text, 'Yes.');
      assert.equal(joined(parts), result.text);
      assert.equal(joined(parts, 'reasoning'), result.reasoning);
    });

    test('that does not end', async () => {
      const { result } = await answer('<think>Hm, hm');
      assert.equal(result.text, '');
      assert.equal(result.reasoning, 'Hm, hm');
    });

    test('a tag in the middle of a line is prose', async () => {
      const said = 'Write <think> for that.';
      const { result } = await answer(said);
      assert.equal(result.text, said);
      assert.equal(result.reasoning, undefined);
    });
  });

  describe('tools', () => {
    const tools = [{ type: 'function', function: {
      name: 'get_time', parameters: { type: 'object', properties: {} } } }];

    test('a call', async () => {
      const { result, parts } = await answer('One moment.\n<tool_call>\n'
        + '{"name": "get_time", "arguments": {"zone": "CET"}}\n</tool_call>',
      {}, { tools });
      assert.deepEqual(result.toolCalls,
        [{ name: 'get_time', arguments: { zone: 'CET' } }]);
      assert.equal(result.text.trim(), 'One moment.');
      assert.ok(!joined(parts).includes('tool_call'));
    });

    test('two calls', async () => {
      const call = '<tool_call>{"name":"get_time","arguments":{}}</tool_call>';
      const { result } = await answer(call + call, {}, { tools });
      assert.equal(result.toolCalls?.length, 2);
    });

    test('JSON that is the whole answer', async () => {
      const { result } = await answer(
        '{"name": "get_time", "parameters": {}}', {}, { tools });
      assert.deepEqual(result.toolCalls, [{ name: 'get_time', arguments: {} }]);
    });

    test('what is no call stays text', async () => {
      const said = '<tool_call>{"name": broken</tool_call>';
      const { result } = await answer(said, {}, { tools });
      assert.equal(result.toolCalls, undefined);
      assert.equal(result.text, said);
    });

    test('without tools the same is text', async () => {
      const said = '{"name": "get_time", "parameters": {}}';
      const { result } = await answer(said);
      assert.equal(result.text, said);
      assert.equal(result.toolCalls, undefined);
    });
  });

  describe('JSON mode', () => {
    for (const said of [
      '{"data": 1, "error": null}',
      'Sure! Here is it:\n```json\n{"data": [1, 2, "x"], "error": null}\n```',
      '{"data": {"a": [1, 2', '{"data": "text that does not', '[1, 2, {"a"',
      '', 'No JSON at all.', '{"a": tru', '{"a": 1,', '{', '{"a": 1} and more',
      '{"a": "\\u12', '{"a": 1.', '{"a": -', '{"a": "line\nline"}',
    ]) {
      test(JSON.stringify(said), async () => {
        const { result, parts } = await answer(said, { json_mode: true });
        JSON.parse(result.text);
        assert.equal(joined(parts), result.text);
      });
    }

    test('ends with the JSON', async () => {
      const { result } = await answer(
        `{"data": 1}${'and so on'.repeat(9)}`, { json_mode: true });
      assert.equal(result.text, '{"data": 1}');
      assert.equal(result.stopReason, 'stop');
    });

    test('that there was no room for says so', async () => {
      const { result } = await answer('{"data": [1, 2, 3, 4]}',
        { json_mode: true, max_new_tokens: 14 });
      assert.equal(result.stopReason, 'length');
      assert.deepEqual(JSON.parse(result.text), { data: [1, 2] });
    });

    test('of several sequences', async () => {
      const { result } = await answer('{"data": [1, 2', { json_mode: true,
        num_beams: 2, num_return_sequences: 2, max_new_tokens: 12 });
      assert.equal(result.sequences?.length, 2);
      for (const { text } of result.sequences) JSON.parse(text);
    });

    test('after reasoning', async () => {
      const { result } = await answer(
        '<think>{"not": "this"</think>{"data": 2}', { json_mode: true });
      assert.deepEqual(JSON.parse(result.text), { data: 2 });
    });
  });

  test('whatever a model says in JSON mode, it is JSON', async () => {
    const letters = [...Buffer.from('{}[]":,\\ \n1-.eEtruefalsnu0/bé')];
    for (let seed = 0; seed < 60; seed += 1) {
      world.ort.next = (tokens) => {
        const logits = new Float32Array(259).fill(-30);
        const hash = tokens.reduce((a, id) => Math.imul(a ^ id, 16777619), seed);
        letters.forEach((id, i) => { logits[id] = Math.sin(hash + i * i); });
        return logits;
      };
      const { result } = await generate(world.manager, { message: 'Speak!',
        settings: { json_mode: true, do_sample: true, seed,
          max_new_tokens: 60 } });
      JSON.parse(result.text);
    }
  });
});

test('reasoning that the template has begun', async () => {
  const prompt = 'Why?<think>';
  const said = 'Hm.</think>Yes.';
  const { manager } = await scriptedManager(
    (tokens) => Buffer.from(prompt + said)[tokens.length] ?? END,
    { tokenizerConfig: {
      chat_template: '{{ messages[0].content }}<think>',
    } });
  const { result } = await generate(manager, { message: 'Why?' });
  assert.equal(result.promptTokens, prompt.length);
  assert.equal(result.reasoning, 'Hm.');
  assert.equal(result.text, 'Yes.');
  await manager.dispose();
});

test('tags that are tokens', async () => {
  const tokenizer = byteTokenizer();
  tokenizer.added_tokens = ['<|start|>', '<|end|>', '<think>', '</think>']
    .map((content, i) => ({ ...tokenizer.added_tokens[0],
      id: 256 + i, content, special: i < 2 }));
  const { manager } = await scriptedManager(
    saying(258, 'Hm.', 259, 'Yes.'),
    { vocab: 260, files: { 'tokenizer.json': JSON.stringify(tokenizer) } });
  const { result, parts } = await generate(manager, { message: 'Why?' });
  assert.equal(result.reasoning, 'Hm.');
  assert.equal(result.text, 'Yes.');
  assert.equal(joined(parts), 'Yes.');
  await manager.dispose();
});
