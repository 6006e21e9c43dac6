// SPDX-License-Identifier: Apache-2.0
// Loading a model and answering with it, in Node on onnxruntime-web. Tokens are
// compared with those of a plain loop over the same graph.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { makeLlama } from '../models/llama.js';
import { GraphRun, openGraph } from '../models/run-graph.js';
import { chatManager, END, MODEL, START, tokensOf } from './world.js';

const VOCAB = 320;

/** @param {Float32Array} row */
function argmax(row) {
  return row.reduce((best, x, i) => (x > row[best] ? i : best), 0);
}

/** What TEMPLATE makes of one question. */
function promptOf(/** @type {string} */ question) {
  return [START, ...tokensOf(`user\n${question}`), END, ...tokensOf('\n'),
    START, ...tokensOf('assistant\n')];
}

/**
 * Greedy tokens behind a prompt, the plainest way.
 * @param {import('../models/llama.js').TestModel} model
 * @param {number[]} prompt
 * @param {number} count
 */
async function plainTokens(model, prompt, count) {
  const [path] = model.files.keys();
  const session = await openGraph(model.files, path);
  const run = new GraphRun(session, model.config);
  let ids = prompt;
  const tokens = [];
  for (let i = 0; i < count; i += 1) {
    const logits = await run.step(ids);
    ids = [argmax(logits.subarray(-VOCAB))];
    tokens.push(ids[0]);
  }
  await session.release();
  return tokens;
}

describe('a small Llama', () => {
  const model = makeLlama({ vocab: VOCAB });
  /** @type {import('./world.js').Manager} */
  let manager;

  before(async () => {
    ({ manager } = await chatManager(model));
    await manager.load({ modelId: MODEL });
  });

  after(() => manager.dispose());

  test('answers with the tokens of a plain loop', async () => {
    /** @type {any[]} */
    const parts = [];
    const result = await manager.generate({
      message: 'Hello?', settings: { max_new_tokens: 24, eos_token_id: [] },
    }, { onToken: (part) => parts.push(part) });
    assert.equal(result.promptTokens, promptOf('Hello?').length);
    assert.deepEqual(parts.flatMap(({ tokenIds }) => tokenIds),
      await plainTokens(model, promptOf('Hello?'), 24));
    assert.equal(result.newTokens, 24);
    assert.equal(result.stopReason, 'length');
  });
});
