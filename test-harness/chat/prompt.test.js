// SPDX-License-Identifier: Apache-2.0
// From a request to the tokens that a model sees: messages of every kind, the
// system prompt, templates and where they come from, and chats that are too
// long.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { makeT5 } from '../models/t5.js';
import { PlainModel } from './plain.js';
import {
  assistant, generate, NO_MODEL, promptOf, saying, scriptedManager, user,
} from './script.js';
import { chatManager, MODEL, SPECIAL, TEMPLATE, tokensOf } from './world.js';

/** @typedef {Awaited<ReturnType<typeof scriptedManager>>} World */
/** @typedef {import('./script.js').Request} Request */

/** @param {number[]} tokens */
function textOf(tokens) {
  return new TextDecoder().decode(Uint8Array.from(tokens.flatMap((id) => (
    id < 256 ? [id] : tokensOf(SPECIAL[id - 256])))));
}

/**
 * Generates and tells what the model saw.
 * @param {World} world
 * @param {any} request
 */
async function ask({ manager, ort }, request) {
  ort.takePasses();
  const { result } = await generate(manager, {
    ...request, settings: { use_cache: false, ...request.settings },
  });
  const seen = ort.takePasses().flatMap(({ fresh }) => fresh[0]);
  return { result, seen, prompt: textOf(seen.slice(0, result.promptTokens)) };
}

/** A content of several texts. @param {...string} texts */
const parts = (...texts) => /** @type {any} */ (
  texts.map((text) => ({ type: 'text', text })));

/** @param {{ role: string, content: string }[]} messages */
const rendered = (messages) => textOf(promptOf(messages));

describe('a request', () => {
  /** @type {World} */
  let world;
  before(async () => { world = await scriptedManager(saying('Yes.')); });
  after(() => world.manager.dispose());

  test('may be a list of messages, a message or an input', async () => {
    const wanted = rendered([user('Hi')]);
    for (const request of [
      { messages: [user('Hi')] }, { message: 'Hi' }, { input: 'Hi' },
      { messages: user('Hi') }, { messages: 'Hi' }, { message: [user('Hi')] },
    ]) {
      const { prompt } = await ask(world, request);
      assert.equal(prompt, wanted, JSON.stringify(request));
    }
  });

  for (const request of [
    {}, { messages: [] }, { messages: [5] }, { messages: null },
    { messages: [{ content: 'no role' }] }, { message: 5 },
    { messages: [{ role: 'system', content: 'alone' }] },
    { messages: [{ role: 5, content: 'x' }] },
  ]) {
    test(`${JSON.stringify(request)} is refused`, () => assert.rejects(
      world.manager.generate(/** @type {any} */ (request)),
      { code: 'invalid_params', message: /messages/ }));
  }

  for (const content of [
    'a\u0000b', 'lone \ud83d surrogate', 'end \udc4b', '👋🏽', '\\u0041', '"\\"',
    'x'.repeat(900), '<|end|>', '{{ 1 + 1 }}{% if %}', '',
  ]) {
    test(`content ${JSON.stringify(content).slice(0, 40)}`, async () => {
      const { prompt } = await ask(world, { messages: [
        user(content), assistant(content), user('Well?')] });
      // UTF-8 has nothing for half a pair.
      assert.equal(prompt, rendered([
        user(content), assistant(content), user('Well?')]).toWellFormed());
    });
  }

  test('what a scraper returned becomes three lines', async () => {
    const page = { url: 'https://a.example/', title: 'A "page"', text: 'Its\n👋',
      extractedAt: 5, links: ['x'] };
    const wanted = 'Title: A "page"\nURL: https://a.example/\nContent: Its\n👋';
    for (const content of [
      JSON.stringify(page), `\`\`\`json\n${JSON.stringify(page, null, 1)}\n\`\`\``,
    ]) {
      const { prompt } = await ask(world,
        { messages: [user(content), assistant('Seen.'), user('Well?')] });
      assert.equal(prompt, rendered(
        [user(wanted), assistant('Seen.'), user('Well?')]));
    }
    const { prompt } = await ask(world, { message: JSON.stringify(page) });
    assert.equal(prompt, rendered([user(wanted)]));
  });

  test('a content of several texts is one text', async () => {
    const wanted = rendered([user('One\nTwo'), assistant('Seen.'), user('Three')]);
    const { prompt } = await ask(world, { messages: [
      user(parts('One', 'Two')), assistant(parts('Seen.')), user(parts('Three')),
    ] });
    assert.equal(prompt, wanted);
  });

  for (const [part, named] of /** @type {[any, string][]} */ ([
    [{ type: 'image_url', image_url: { url: 'data:,' } }, ' of the type "image_url"'],
    [{ type: 'image', text: 'a cat' }, ' of the type "image"'],
    [{ type: 'text' }, ' of the type "text"'], [7, ''], ['a cat', ''],
  ])) {
    test(`a part ${JSON.stringify(part)} is refused by its name`, () => (
      assert.rejects(world.manager.generate(
        { messages: [user('Hi'), user(parts('Look:').concat(part))] }), {
        code: 'invalid_params', message: `messages[1].content[1]${named} is not `
          + 'text: nothing else is read',
      })));
  }

  test('the chat comes once', async () => {
    for (const [request, name] of /** @type {[any, string][]} */ ([
      [{ message: 'Hi', input: 'Hi' }, 'input'],
      [{ input: 'Hi', messages: [user('Hi')] }, 'input'],
      [{ message: 'Hi', messages: [user('Hi')] }, 'message'],
    ])) {
      await assert.rejects(world.manager.generate(request), {
        code: 'invalid_params', message: `${name}: the chat is there already; `
          + 'give one of messages, message and input' });
    }
  });

  test('other JSON stays as it is', async () => {
    const content = '{"title": "mine"}';
    const { prompt } = await ask(world, { message: content });
    assert.equal(prompt, rendered([user(content)]));
  });

  const system = { role: 'system', content: 'Be a pirate.' };

  test('the system prompt of the settings', async () => {
    const settings = { system_prompt: system.content };
    const { prompt, result } = await ask(world, { message: 'Hi', settings });
    assert.equal(prompt, rendered([system, user('Hi')]));
    assert.equal(result.effective.system_prompt, system.content);
    assert.ok(!('json_mode' in result.effective));
    const own = { role: 'system', content: 'Be a parrot.' };
    const chat = await ask(world, { messages: [own, user('Hi')], settings });
    assert.equal(chat.prompt, rendered([own, user('Hi')]));
    assert.ok(!('system_prompt' in chat.result.effective));
    assert.deepEqual(chat.result.ignored,
      [{ name: 'system_prompt', reason: 'the chat has a system prompt' }]);
  });

  test('JSON mode has a system prompt of its own', async () => {
    const { prompt, result } = await ask(world,
      { message: 'Hi', settings: { json_mode: true } });
    assert.equal(result.effective.json_mode, true);
    assert.match(prompt, /^<\|start\|>system\n[^]*JSON[^]*<\|start\|>user\nHi/);
  });

  test('and leaves the one that the user has', async () => {
    const settings = { json_mode: true, system_prompt: 'Be a pirate.' };
    const { prompt } = await ask(world, { message: 'Hi', settings });
    assert.match(prompt,
      /^<\|start\|>system\nBe a pirate\.\n\nReply with one JSON[^]*Hi/);
    const own = await ask(world,
      { messages: [{ role: 'system', content: 'Be a parrot.' }, user('Hi')],
        settings });
    assert.match(own.prompt,
      /^<\|start\|>system\nBe a parrot\.\n\nReply with one JSON[^]*Hi/);
    assert.ok(!own.prompt.includes('pirate'));
  });

  test('more messages than there may be', async () => {
    await assert.rejects(
      ask(world, { messages: Array(16385).fill(user('')) }),
      { code: 'too_large', message: /at most 16384 messages/ });
  });

  test('the messages of the caller stay as they are', async () => {
    const messages = Object.freeze([Object.freeze(user('Hi'))]);
    await ask(world, { messages });
    assert.deepEqual(messages, [user('Hi')]);
  });
});

describe('a chat that is too long', () => {
  const CONTEXT = 512;
  /** @type {World} */
  let world;
  before(async () => {
    world = await scriptedManager(saying('Yes.'), { model: {
      ...NO_MODEL,
      config: { ...NO_MODEL.config, max_position_embeddings: CONTEXT },
    } });
  });
  after(() => world.manager.dispose());

  const SYSTEM = { role: 'system', content: 'Be brief.' };
  const TURNS = Array.from({ length: 12 }, (_, i) => [
    user(`Question ${i}: ${'q'.repeat(30)}`),
    assistant(`Answer ${i}: ${'a'.repeat(30)}`),
  ]);
  const LAST = user('And now?');
  const CHAT = [SYSTEM, ...TURNS.flat(), LAST];
  const settings = { max_new_tokens: 20 };
  const limit = CONTEXT - 20;

  /** @param {number[]} dropped numbers of turns */
  const without = (dropped) => [SYSTEM,
    ...TURNS.filter((_, i) => !dropped.includes(i)).flat(), LAST];

  test('is refused, with numbers', async () => {
    for (const overflow of [undefined, 'error']) {
      await assert.rejects(
        world.manager.generate(
          /** @type {any} */ ({ messages: CHAT, settings, overflow })),
        (error) => {
          const { code, message } = /** @type {any} */ (error);
          assert.equal(code, 'context_overflow');
          for (const number of [promptOf(CHAT).length, limit, CONTEXT]) {
            assert.match(message, new RegExp(`\\b${number}\\b`));
          }
          return true;
        });
    }
  });

  test('loses its oldest turns, and no more than needed', async () => {
    let count = 0;
    while (promptOf(without([...Array(count).keys()])).length > limit) count += 1;
    const { result, prompt } = await ask(world,
      { messages: CHAT, settings, overflow: 'dropOldest' });
    assert.equal(prompt, rendered(without([...Array(count).keys()])));
    assert.equal(result.droppedMessages, 2 * count);
  });

  test('loses the turns in the middle', async () => {
    const { result, prompt } = await ask(world,
      { messages: CHAT, settings, overflow: 'middleOut' });
    const kept = TURNS.map((_, i) => i)
      .filter((i) => prompt.includes(`Question ${i}:`));
    const dropped = TURNS.map((_, i) => i).filter((i) => !kept.includes(i));
    assert.equal(prompt, rendered(without(dropped)));
    assert.equal(result.droppedMessages, 2 * dropped.length);
    assert.ok(kept.includes(0) && kept.includes(TURNS.length - 1));
    assert.equal(dropped.at(-1) ?? 0, dropped[0] + dropped.length - 1);
    // One turn more would be too much.
    assert.ok(promptOf(without(dropped)).length <= limit);
    assert.ok(promptOf(without(dropped.slice(1))).length > limit);
  });

  test('may be too long without any history', async () => {
    for (const overflow of ['error', 'dropOldest', 'middleOut']) {
      await assert.rejects(
        world.manager.generate(/** @type {any} */ (
          { messages: [...TURNS[0], user('x'.repeat(600))], settings, overflow })),
        { code: 'context_overflow' });
    }
  });

  test('an answer gets what is left of the context', async () => {
    world.ort.next = () => 65;
    const { result } = await ask(world,
      { message: 'x'.repeat(200), settings: { max_new_tokens: 1000 } });
    assert.equal(result.promptTokens + result.newTokens, CONTEXT);
    assert.equal(result.stopReason, 'length');
    world.ort.next = saying('Yes.');
  });

  test('no such policy', () => assert.rejects(
    world.manager.generate(
      /** @type {any} */ ({ message: 'Hi', overflow: 'forget' })),
    { code: 'invalid_params', message: /overflow/ }));
});

describe('templates', () => {
  /**
   * What a model with these files sees.
   * @param {Parameters<typeof scriptedManager>[1]} options
   * @param {Partial<Request>} [request]
   */
  async function seenWith(options, request = {}) {
    const world = await scriptedManager(saying('Yes.'), options);
    try {
      return (await ask(world, { message: 'Hi', ...request })).prompt;
    } finally {
      await world.manager.dispose();
    }
  }

  const tools = [{ type: 'function', function: { name: 'get_time' } }];
  const named = [
    { name: 'default', template: 'plain {{ messages[0].content }}' },
    { name: 'tool_use',
      template: '{% for t in tools %}{{ t.function.name }} {% endfor %}'
        + '{{ messages[0].content }}' },
  ];

  test('a list of named ones', async () => {
    const options = { tokenizerConfig: { chat_template: named } };
    assert.equal(await seenWith(options), 'plain Hi');
    assert.equal(await seenWith(options, { tools }), 'get_time Hi');
    assert.equal(await seenWith(options, { tools: [] }), 'plain Hi');
  });

  test('a file of its own goes first', async () => {
    const file = { 'chat_template.jinja': 'own {{ messages[0].content }}' };
    assert.equal(await seenWith({ files: file }), 'own Hi');
    assert.equal(await seenWith(
      { files: file, tokenizerConfig: { chat_template: undefined } }), 'own Hi');
  });

  test('that takes nothing but parts gets them', async () => {
    const options = { tokenizerConfig: { chat_template:
      '{% for m in messages %}{{ m.role }}:{% for part in m.content %}'
      + '{% if part.type == "text" %}{{ part.text }}{% endif %}{% endfor %} '
      + '{% endfor %}' } };
    assert.equal(await seenWith(options), 'user:Hi ');
    assert.equal(await seenWith(options, {
      message: undefined, messages: [user(parts('Hi', '!'))],
      settings: { system_prompt: 'Be kind.' },
    }), 'system:Be kind. user:Hi! ');
  });

  test('that takes both gets texts', async () => {
    const options = { tokenizerConfig: { chat_template:
      '{% for m in messages %}{% if m.content is string %}text {{ m.content }}'
      + '{% else %}{% for part in m.content %}part {{ part.text }}{% endfor %}'
      + '{% endif %}{% endfor %}' } };
    assert.equal(await seenWith(options, {
      message: undefined, messages: [user(parts('Hi', 'there'))] }),
    'text Hi\nthere');
  });

  test('but not before the one for tools', async () => {
    const options = { tokenizerConfig: { chat_template: named },
      files: { 'chat_template.jinja': 'own {{ messages[0].content }}' } };
    assert.equal(await seenWith(options), 'own Hi');
    assert.equal(await seenWith(options, { tools }), 'get_time Hi');
  });

  for (const [given, text] of /** @type {[unknown, string][]} */ ([
    [undefined, 'Yes, it is.'], [null, 'Yes, it is.'], [true, 'Yes, it is.'],
    [false, 'Yes , it is .'],
  ])) {
    test(`blanks are cleaned up by ${given}`, async () => {
      const { manager } = await scriptedManager(saying('Yes , it is .'), {
        tokenizerConfig: { clean_up_tokenization_spaces: given } });
      assert.equal((await manager.generate({ message: 'Hi' })).text, text);
      await manager.dispose();
    });
  }

  test('tokens by their role, and the generation prompt', async () => {
    assert.equal(await seenWith({ tokenizerConfig: { chat_template:
      '{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}' } }),
    '<|start|><|end|>true');
  });

  test('tools reach the template', async () => {
    assert.equal(await seenWith({ tokenizerConfig: {
      chat_template: '{{ tools | tojson }} {{ messages[0].content }}' } },
    { tools }), `${JSON.stringify(tools)
      .replaceAll(/([:,])"/g, '$1 "').replaceAll(':{', ': {')} Hi`);
  });

  for (const [name, template, construct] of [
    ['that throws', '{{ raise_exception("roles must alternate") }}',
      /roles must alternate/],
    ['with a filter nobody knows', '{{ messages | frobnicate }}', /frobnicate/],
    ['that is broken', '{% for m in messages %}', /./],
    ['that calls what is not there', '{{ nothing.at.all() }}', /./],
    ['that says nothing', '', /no text/],
  ]) {
    test(`one ${name}`, async () => {
      const { manager } = await scriptedManager(saying('Yes.'),
        { tokenizerConfig: { chat_template: template } });
      await assert.rejects(manager.generate({ message: 'Hi' }), (error) => {
        const { code, stage, message, userAction } = /** @type {any} */ (error);
        assert.equal(code, 'template_failed');
        assert.match(userAction, /message/);
        assert.equal(stage, 'prompt');
        assert.match(message, /** @type {RegExp} */ (construct));
        return true;
      });
      // It is loaded all the same.
      assert.equal((await manager.state()).state, 'ready');
      await manager.dispose();
    });
  }

  test('without one a text is continued, but there is no chat', async () => {
    const options = { tokenizerConfig: { chat_template: undefined } };
    assert.equal(await seenWith(options), 'Hi');
    assert.equal(await seenWith(options, { message: undefined,
      messages: [user('Once upon a time 👋')] }), 'Once upon a time 👋');
    assert.equal(await seenWith(options, { message: undefined,
      messages: [user(parts('Once', 'upon'))] }), 'Once\nupon');
    for (const request of [
      { messages: [user('A?'), assistant('B.'), user('C?')] },
    ]) {
      await assert.rejects(
        seenWith(options, { message: undefined, ...request }),
        { code: 'template_failed', message: /no chat template/ });
    }
  });

  test('without one a system prompt is ignored, with the reason', async () => {
    const world = await scriptedManager(
      saying('Yes.'), { tokenizerConfig: { chat_template: undefined } });
    const { prompt, result } = await ask(
      world, { message: 'Hi', settings: { system_prompt: 'Be brief.' } });
    assert.equal(prompt, 'Hi');
    assert.deepEqual(result.ignored, [
      { name: 'system_prompt', reason: 'the model has no chat template' }]);
    await world.manager.dispose();
  });
});

test('an encoder without a template reads the last message', async () => {
  const model = makeT5();
  const plain = await PlainModel.open(
    { model, path: 'onnx/decoder_model_merged.onnx' });
  const { manager } = await chatManager(model,
    { tokenizerConfig: { chat_template: undefined } });
  await manager.load({ modelId: MODEL });
  const { result, tokens } = await generate(manager, {
    messages: [user('Not this.'), assistant('No.'), user('translate: hello')],
    settings: { max_new_tokens: 8, eos_token_id: [] },
  });
  assert.equal(result.promptTokens, 'translate: hello'.length);
  assert.deepEqual(tokens,
    await plain.continue(tokensOf('translate: hello'), 8));
  await manager.dispose();
  await plain.release();
});

test('TEMPLATE is what promptOf says', async () => {
  const { Template } = await import('@huggingface/jinja');
  const messages = [user('A?'), assistant('B.'), user('C?')];
  assert.equal(new Template(TEMPLATE).render(
    { messages, add_generation_prompt: true }), rendered(messages));
});
