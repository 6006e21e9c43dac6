// SPDX-License-Identifier: Apache-2.0
// Every trace against the module that ships: as it stands, then with its
// bodies cut at every byte and in pieces, which must change nothing.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { loadCore } from '../../js-bindings/core.js';
import { findFiles, ROOT } from '../paths.js';
import { replay } from './replay.js';
import { matches, parseTrace, textOf } from './trace-file.js';

const PIECE_SIZES = [1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64];

/** A fresh build, where there is one. */
const MODULE = ['build/wasm/tabagent.wasm', 'dist/tabagent.wasm']
  .map((path) => join(ROOT, path))
  .find(existsSync);

const exports = await loadCore(MODULE);

/**
 * Returns where a body is cut into pieces of |size| bytes.
 * @param {number} size
 */
const inPieces = (size) => (/** @type {number} */ length) =>
  Array.from({ length: Math.max(0, Math.ceil(length / size) - 1) },
    (_, i) => (i + 1) * size);

/**
 * Returns where a body is cut in two.
 * @param {number} at
 */
const inTwo = (at) => (/** @type {number} */ length) => (
  length > 1 ? [1 + ((at - 1) % (length - 1))] : []);

/**
 * Compares the actions of each step with what the trace expects.
 * @param {import('./trace-file.js').Step[]} steps
 * @param {string[][]} log
 */
function checkLog(steps, log) {
  steps.forEach(({ event, actions }, i) => {
    const expected = actions.map(textOf);
    const fits = expected.length === log[i].length &&
      expected.every((pattern, k) => matches(pattern, log[i][k]));
    // A difference is shown as the texts themselves.
    if (!fits) assert.deepEqual(log[i], expected, `line ${event.number}`);
  });
}

for (const file of findFiles('test-harness/trace', /(?<!README)\.md$/)) {
  const steps = parseTrace(readFileSync(join(ROOT, file), 'utf8'));
  const longest = Math.max(...steps.map(({ event }) => (
    /^(data|rows) /.test(event.line) ? event.body.join('\n').length : 0)));

  test(file, () => {
    const whole = replay(exports, steps, () => []);
    checkLog(steps, whole);
    for (const size of PIECE_SIZES) {
      assert.deepEqual(replay(exports, steps, inPieces(size)), whole);
    }
    for (let at = 1; at < longest; at += 1) {
      assert.deepEqual(replay(exports, steps, inTwo(at)), whole);
    }
  });
}
