// SPDX-License-Identifier: Apache-2.0
// The generated repositories are what the Hub's are: transformers.js loads each
// whose conventions it knows, and continues a prompt with the same tokens as a
// plain run on onnxruntime-web.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { GRAPHS, SOURCE } from './graphs.js';
import { PeerFolder, UNKNOWN_TO_PEER } from './peer.js';
import { GraphRun, openGraph } from './run-graph.js';

const NEW_TOKENS = 12;

/** @type {PeerFolder} */
let folder;

before(async () => { folder = await PeerFolder.make(); });
after(() => folder.remove());

/** @param {Float32Array} row */
function argmax(row) {
  return row.reduce((best, x, i) => x > row[best] ? i : best, 0);
}

/** @param {import('./graphs.js').NamedGraph} graph */
async function plainTokens({ model, path, inputs }) {
  const { config } = model;
  const session = await openGraph(model.files, path);
  const run = new GraphRun(session, config);
  const given = await inputs?.(model) ?? {};
  let ids = config.is_encoder_decoder ? [config.decoder_start_token_id] :
    SOURCE;
  const tokens = [...ids];
  for (let i = 0; i < NEW_TOKENS; i += 1) {
    const logits = await run.step(ids, given);
    ids = [argmax(logits.subarray(-config.vocab_size))];
    tokens.push(...ids);
  }
  await session.release();
  return tokens;
}

for (const { name, make } of GRAPHS) {
  if (UNKNOWN_TO_PEER.has(name)) continue;
  test(`${name}: transformers.js continues in the same way`, async () => {
    const graph = make();
    const peer = await folder.open(graph.model);
    const theirs = await peer.continue(SOURCE, NEW_TOKENS);
    await peer.dispose();
    assert.ok(new Set(theirs).size > 3, 'the same token again and again');
    assert.deepEqual(await plainTokens(graph), theirs);
  });
}
