// SPDX-License-Identifier: Apache-2.0
// The manager says what transformers.js says, token for token, on every graph
// that it can run: on the first turn, on the next one, and after a stop.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { GRAPHS } from '../models/graphs.js';
import { PeerFolder, UNKNOWN_TO_PEER } from '../models/peer.js';
import { assistant, generate, promptOf, user } from './script.js';
import { chatManager, MODEL } from './world.js';

const NEW_TOKENS = 12;
const SETTINGS = { max_new_tokens: NEW_TOKENS, eos_token_id: [] };

const QUESTIONS = ['Hello?', 'What is 9 plus 4?', '', 'Zoë 👋 你好',
  'line\n\nline', 'A longer question, about this and that. '.repeat(8)];

/** @type {PeerFolder} */
let folder;
before(async () => { folder = await PeerFolder.make(); });
after(() => folder.remove());

for (const { name, make } of GRAPHS) {
  if (UNKNOWN_TO_PEER.has(name)) continue;
  describe(name, () => {
    /** @type {import('./world.js').Manager} */
    let manager;
    /** @type {import('../models/peer.js').PeerModel} */
    let peer;
    let skipped = 0;

    before(async () => {
      const { model } = make();
      peer = await folder.open(model);
      ({ manager } = await chatManager(model));
      await manager.load({ modelId: MODEL });
      // An encoder-decoder's tokens begin with the decoder's first one.
      skipped = model.config.is_encoder_decoder ? 1 : -1;
    });

    after(async () => {
      await manager.dispose();
      await peer.dispose();
    });

    /**
     * @param {{ role: string, content: string }[]} messages
     * @param {string} chatId
     */
    async function check(messages, chatId) {
      const prompt = promptOf(messages);
      const { result, tokens } = await generate(
        manager, { messages, chatId, settings: SETTINGS });
      const theirs = await peer.continue(prompt, NEW_TOKENS);
      assert.deepEqual(tokens,
        theirs.slice(skipped < 0 ? prompt.length : skipped));
      return result;
    }

    for (const question of QUESTIONS) {
      test(`${JSON.stringify(question).slice(0, 40)}, and on`, async () => {
        const messages = [user(question)];
        const { text } = await check(messages, question);
        await check([...messages, assistant(text), user('And?')], question);
      });
    }

    test('after a stop', async () => {
      const controller = new AbortController();
      const messages = [user('Stop!')];
      await manager.generate({ messages, settings: SETTINGS, chatId: 's' }, {
        signal: controller.signal, onToken: () => controller.abort(),
      });
      await check(messages, 's');
    });
  });
}
