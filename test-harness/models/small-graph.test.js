// SPDX-License-Identifier: Apache-2.0
// The small graph that C makes of a file, with that very file as external data,
// computes the same logits on onnxruntime-web, bit by bit.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { InferenceSession } from 'onnxruntime-web';

import { runDriver } from '../differential/driver.js';
import { GRAPHS } from './graphs.js';
import { GraphRun, openGraph } from './run-graph.js';

const IDS = [1, 17, 250, 3, 99];

/**
 * Asks C for the small graph of |file|, which will be found as |name|.
 * @param {string} name
 * @param {Uint8Array} file
 */
function makeSmall(name, file) {
  const [error, pieces, hex, files] = runDriver('onnx_graph_driver', 'native',
    Buffer.concat([Buffer.from(`${name}\n`), file]));
  assert.equal(error, '0');
  const inserted = Buffer.from(hex, 'hex');
  /** @type {number[]} */
  const recipe = JSON.parse(pieces);
  const parts = [];
  for (let i = 0, used = 0; i < recipe.length; i += 3) {
    const [from, to, count] = recipe.slice(i, i + 3);
    parts.push(file.subarray(from, to), inserted.subarray(used, used + count));
    used += count;
  }
  return { small: Buffer.concat(parts), files: files.split('\n').slice(0, -1) };
}

/**
 * Logits of two steps on |session|.
 * @param {InferenceSession} session
 * @param {import('./graphs.js').NamedGraph} graph
 */
async function logitsOf(session, { model, inputs }) {
  const given = await inputs?.(model) ?? {};
  const run = new GraphRun(session, model.config);
  const logits = [...await run.step(IDS, given), ...await run.step([7], given)];
  await session.release();
  return logits;
}

for (const { name, make } of GRAPHS) {
  test(`${name}: the small graph computes the same`, async () => {
    const graph = make();
    const { model: { files }, path } = graph;
    const file = /** @type {Uint8Array} */ (files.get(path));
    // Of subgraphs, ONNX wants to see the file, unless its name begins so.
    const name = `#${path.replace(/.*\//, '')}`;
    const before = [...files.keys()].filter((other) => other !== path &&
      other.startsWith(path)).map((other) => other.replace(/.*\//, ''));
    const { small, files: named } = makeSmall(name, file);
    assert.deepEqual(named, before);
    const expected = await logitsOf(await openGraph(files, path), graph);
    if (before.length > 0) {
      assert.ok(small.equals(file), 'there was nothing to be done');
      return;
    }
    assert.ok(small.length < file.length / 2,
      `${small.length} of ${file.length} bytes are left`);
    // Without the file there are no weights.
    await assert.rejects(InferenceSession.create(new Uint8Array(small)));
    const session = await InferenceSession.create(new Uint8Array(small),
      { externalData: [{ path: name, data: file }] });
    assert.deepEqual(await logitsOf(session, graph), expected);
  });
}
