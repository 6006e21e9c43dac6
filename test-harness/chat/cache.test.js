// SPDX-License-Identifier: Apache-2.0
// What turns of a chat share: exactly the tokens that are the same, and never
// anything of another chat. The runtime keeps the tokens in its cache, so what
// the model has seen is known for every pass.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { makeLfm2 } from '../models/lfm2.js';
import { PlainModel } from './plain.js';
import {
  assistant, generate, promptOf, saying, scriptedManager, user,
} from './script.js';
import { chatManager, END, MODEL } from './world.js';

/** The longest part of a prompt that goes through the model at once. */
const PART = 256;

/** @param {number[]} a @param {number[]} b */
function commonLength(a, b) {
  const at = a.findIndex((id, i) => id !== b[i]);
  return at < 0 ? a.length : at;
}

/** A number that depends on every token and on their order. */
function hashOf(/** @type {number[]} */ tokens) {
  return tokens.reduce(
    (hash, id) => Math.imul(hash ^ (id + 1), 16777619) >>> 0, 2166136261);
}

/** A letter that depends on all tokens before it. */
function letterOf(/** @type {number[]} */ tokens) {
  return 97 + hashOf(tokens) % 26;
}

/**
 * What a model that says letterOf makes of a prompt.
 * @param {number[]} prompt
 * @param {number} count
 */
function lettersAfter(prompt, count) {
  const tokens = [...prompt];
  while (tokens.length < prompt.length + count) tokens.push(letterOf(tokens));
  return tokens.slice(prompt.length);
}

const NEW_TOKENS = 12;
const SETTINGS = { max_new_tokens: NEW_TOKENS };

describe('turns of chats', () => {
  /** @type {Awaited<ReturnType<typeof scriptedManager>>} */
  let world;

  before(async () => { world = await scriptedManager(letterOf); });
  after(() => world.manager.dispose());
  beforeEach(async () => {
    // Nothing is left of another test.
    await generate(world.manager, {
      message: '', chatId: 'nobody', settings: { max_new_tokens: 1 },
    });
    world.ort.takePasses();
  });

  /**
   * Answers, and checks that it is the answer to all of the chat.
   * @param {string | undefined} chatId
   * @param {{ role: string, content: string }[]} messages
   * @param {object} [settings]
   */
  async function turn(chatId, messages, settings = {}) {
    const { result, tokens } = await generate(world.manager,
      { chatId, messages, settings: { ...SETTINGS, ...settings } });
    const prompt = promptOf(messages);
    assert.deepEqual(tokens, lettersAfter(prompt, tokens.length));
    assert.equal(result.promptTokens, prompt.length);
    assert.equal(result.newTokens, tokens.length);
    const passes = world.ort.takePasses();
    const run = passes.flatMap(({ fresh }) => fresh[0]);
    // The last token that was chosen has no need to go through the model.
    assert.deepEqual(run,
      [...prompt, ...tokens.slice(0, -1)].slice(result.reusedTokens));
    return { text: result.text, reused: result.reusedTokens, prompt, passes,
      seen: [...prompt, ...tokens.slice(0, -1)] };
  }

  test('the second turn computes only what is new', async () => {
    const first = await turn('a', [user('What is up?')]);
    assert.equal(first.reused, 0);
    const chat = [user('What is up?'), assistant(first.text), user('And now?')];
    const second = await turn('a', chat);
    assert.equal(second.reused, first.seen.length);
    const third = await turn('a',
      [...chat, assistant(second.text), user('And then?')]);
    assert.equal(third.reused, second.seen.length);
  });

  test('the same question again needs one token', async () => {
    const first = await turn('a', [user('Again?')]);
    const second = await turn('a', [user('Again?')]);
    assert.equal(second.reused, first.prompt.length - 1);
    assert.equal(second.text, first.text);
  });

  test('what was edited is computed again', async () => {
    const question = 'one two three four five six seven eight nine ten';
    const first = await turn('a', [user(question)]);
    const edited = question.replace('six', 'sex');
    const second = await turn('a', [user(edited)]);
    assert.equal(second.reused,
      commonLength(first.seen, promptOf([user(edited)])));
    assert.ok(second.reused > 20 && second.reused < first.prompt.length);
    const third = await turn('a', [user(question)]);
    assert.equal(third.reused, second.reused);
  });

  test('an edit of a message long ago', async () => {
    const chat = [user('A?'), assistant('B.'), user('C?'), assistant('D.')];
    const first = await turn('a', [...chat, user('E?')]);
    const changed = chat.with(1, assistant('X.'));
    const second = await turn('a', [...changed, user('E?')]);
    assert.equal(second.reused,
      commonLength(first.seen, promptOf([...changed, user('E?')])));
  });

  test('an answer that was shortened', async () => {
    const first = await turn('a', [user('Say it.')]);
    const messages = [
      user('Say it.'), assistant(first.text.slice(0, 4)), user('Go on.')];
    const second = await turn('a', messages);
    assert.equal(second.reused, first.prompt.length + 4);
  });

  test('a shorter chat than before', async () => {
    const first = await turn('a', [user('A?'), assistant('B.'), user('C?')]);
    const second = await turn('a', [user('A?')]);
    assert.equal(second.reused, promptOf([user('A?')]).length - 1);
    assert.ok(second.reused < first.reused + first.prompt.length);
  });

  test('chats that take turns have nothing in common', async () => {
    const same = [user('The same words in both chats.')];
    for (const chatId of ['a', 'b', 'a', 'b', undefined, 'a']) {
      const { reused } = await turn(chatId, same);
      assert.equal(reused, 0, chatId);
    }
  });

  test('requests without a chat are one chat', async () => {
    const first = await turn(undefined, [user('Hello there')]);
    const second = await turn(undefined, [user('Hello there')]);
    assert.equal(second.reused, first.prompt.length - 1);
  });

  test('requests that wait for each other are not mixed up', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => (
      generate(world.manager, {
        chatId: `chat ${i % 3}`, message: `Question ${i % 4}`,
        settings: SETTINGS,
      }))));
    answers.forEach(({ tokens }, i) => {
      assert.deepEqual(tokens,
        lettersAfter(promptOf([user(`Question ${i % 4}`)]), NEW_TOKENS));
    });
  });

  test('use_cache false computes everything again', async () => {
    await turn('a', [user('Hello')]);
    const { reused } = await turn('a', [user('Hello')], { use_cache: false });
    assert.equal(reused, 0);
  });

  test('long prompts go in parts', async () => {
    const { passes, prompt } = await turn('a', [user('x'.repeat(3 * PART))]);
    const parts = passes.slice(0, -(NEW_TOKENS - 1))
      .map(({ fresh }) => fresh[0].length);
    assert.equal(parts.reduce((a, b) => a + b), prompt.length);
    assert.ok(parts.length === 4 && parts.every((part) => part <= PART));
  });

  for (const count of [PART - 1, PART, PART + 1, 2 * PART]) {
    test(`a prompt of ${count} tokens`, async () => {
      const rest = count - promptOf([user('')]).length;
      const { prompt } = await turn('a', [user('y'.repeat(rest))]);
      assert.equal(prompt.length, count);
    });
  }

  test('beams leave nothing behind that is wrong', async () => {
    const first = await turn('a', [user('Hello')]);
    await world.manager.generate({ chatId: 'a', message: 'Hello',
      settings: { ...SETTINGS, num_beams: 3 } });
    world.ort.takePasses();
    const second = await turn('a', [user('Hello')]);
    assert.equal(second.text, first.text);
  });

  test('several samples leave nothing behind that is wrong', async () => {
    await world.manager.generate({ chatId: 'a', message: 'Hello', settings: {
      ...SETTINGS, do_sample: true, seed: 1, num_return_sequences: 4,
    } });
    world.ort.takePasses();
    await turn('a', [user('Hello')]);
  });

  test('guidance leaves nothing behind that is wrong', async () => {
    await world.manager.generate({ chatId: 'a', message: 'Hello',
      settings: { ...SETTINGS, guidance_scale: 1.5 } });
    world.ort.takePasses();
    await turn('a', [user('Hello')]);
  });

  test('an answer that was stopped is reused', async () => {
    const controller = new AbortController();
    let parts = 0;
    const result = await world.manager.generate(
      { chatId: 'a', message: 'Stop?', settings: SETTINGS }, {
        signal: controller.signal,
        onToken: () => { if ((parts += 1) === 5) controller.abort(); },
      });
    assert.equal(result.stopReason, 'stopped');
    world.ort.takePasses();
    const chat = [user('Stop?'), assistant(result.text), user('Go on.')];
    const { reused } = await turn('a', chat);
    assert.ok(reused >= promptOf([user('Stop?')]).length + 4);
  });

  test('a prompt that was stopped half way is reused', async () => {
    const controller = new AbortController();
    world.ort.beforeRun = (pass) => { if (pass === 2) controller.abort(); };
    const messages = [user('z'.repeat(6 * PART))];
    const result = await world.manager.generate(
      { chatId: 'a', messages }, { signal: controller.signal });
    world.ort.beforeRun = () => {};
    assert.equal(result.stopReason, 'stopped');
    assert.equal(world.ort.takePasses().length, 3);
    const { reused } = await turn('a', messages);
    assert.equal(reused, 3 * PART);
  });

  test('reset forgets', async () => {
    await turn('a', [user('Hello')]);
    await world.manager.reset();
    await world.manager.load({ modelId: world.loaded.modelId });
    world.ort.takePasses();
    assert.equal((await turn('a', [user('Hello')])).reused, 0);
  });

  test('an answer that failed leaves nothing behind', async () => {
    await turn('a', [user('Hello')]);
    world.ort.beforeRun = () => { throw new Error('the device is tired'); };
    await assert.rejects(
      world.manager.generate({ chatId: 'a', message: 'Hello' }),
      { code: 'runtime_failed' });
    world.ort.beforeRun = () => {};
    assert.equal((await turn('a', [user('Hello')])).reused, 0);
  });
});

describe('states that cannot be cut', () => {
  /** @type {import('./world.js').Manager} */
  let manager;
  /** @type {PlainModel} */
  let plain;

  before(async () => {
    const model = makeLfm2();
    const [path] = model.files.keys();
    plain = await PlainModel.open({ model, path });
    ({ manager } = await chatManager(model));
    await manager.load({ modelId: MODEL });
  });

  after(async () => {
    await manager.dispose();
    await plain.release();
  });

  /** Not ASCII, so that it might not become the same tokens again. */
  const suppressed = Array.from({ length: 320 - 128 }, (_, i) => 128 + i);

  /** @param {{ role: string, content: string }[]} messages */
  async function reuse(messages) {
    const { result, tokens } = await generate(manager, {
      messages, chatId: 'a', settings: {
        max_new_tokens: 6, eos_token_id: [], suppress_tokens: suppressed,
      },
    });
    const prompt = promptOf(messages);
    assert.deepEqual(tokens,
      await plain.continue(prompt, 6, new Set(suppressed)));
    return { reused: result.reusedTokens, text: result.text, prompt };
  }

  test('are reused when they are the beginning as a whole', async () => {
    const { text, prompt } = await reuse([user('Hi')]);
    const next = [user('Hi'), assistant(text), user('And?')];
    assert.equal((await reuse(next)).reused, prompt.length + 5);
  });

  test('are made anew for anything else', async () => {
    await reuse([user('Hi')]);
    assert.equal((await reuse([user('Hi')])).reused, 0);
    assert.equal((await reuse([user('Ho')])).reused, 0);
    assert.equal((await reuse([user('Hi')])).reused, 0);
  });
});

test('an end token in the history is reused', async () => {
  const { manager, ort } = await scriptedManager(saying('Yes.'));
  const first = await generate(manager, { chatId: 'a', message: 'A?' });
  assert.deepEqual(first.tokens.at(-1), END);
  assert.equal(first.result.text, 'Yes.');
  ort.next = () => END;
  const second = await generate(manager, { chatId: 'a',
    messages: [user('A?'), assistant('Yes.'), user('B?')] });
  assert.equal(second.result.reusedTokens,
    promptOf([user('A?')]).length + 'Yes.'.length);
  assert.equal(second.result.text, '');
  await manager.dispose();
});
