// SPDX-License-Identifier: Apache-2.0
// An answer leaves room for everything else that wants to happen: with the real
// runtime, whose passes end in the turn of the event loop that began them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { makeLlama } from '../models/llama.js';
import { chatManager, MODEL } from './world.js';

const LONG = { max_new_tokens: 1500, eos_token_id: [] };

test('a timer can stop an answer', async () => {
  const { manager } = await chatManager(
    makeLlama({ vocab: 320, contextLength: 2048 }));
  await manager.load({ modelId: MODEL });
  const generation = manager.generate({ message: 'x', settings: LONG });
  // As soon as the loop turns once after a few tokens.
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
    if (turns === 3) manager.stop();
  }, 1);
  const { stopReason, newTokens } = await generation;
  clearInterval(timer);
  assert.equal(stopReason, 'stopped');
  assert.ok(newTokens < LONG.max_new_tokens, `${newTokens} tokens`);
  await manager.dispose();
});
