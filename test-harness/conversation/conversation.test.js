// SPDX-License-Identifier: Apache-2.0
// The conversations of this folder, played with the module that ships. The
// made-up model is written in C: the native player records the events that it
// feeds, and the module must say to them what is written down.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';

import { ACTION, ERRORS, EVENT, MESSAGE_FLAG } from '../../js-bindings/abi.js';
import { Core, loadCore } from '../../js-bindings/core.js';
import { findFiles, ROOT } from '../paths.js';
import { buildPreset, output } from '../run.js';
import { matches, parseTrace, tidy } from '../trace/trace-file.js';

/**
 * An event as the player records it; the payload in hexadecimal digits.
 * @typedef {{ step: number, now: number, kind: number, op: number,
 *   request: number, status: number, flags: number, payload: string }} Recorded
 */

const PLAYER = join(ROOT,
  'build/native/test-harness/conversation/conversation_player');

/** As in fake_host.c; the C string ends in a zero. */
const SEED = new TextEncoder().encode('a fixed seed...\0');

/** A fresh build, where there is one. */
const MODULE = ['build/wasm/tabagent.wasm', 'dist/tabagent.wasm']
  .map((path) => join(ROOT, path))
  .find(existsSync);

const exports = await loadCore(MODULE);
const decoder = new TextDecoder();

before(() => {
  buildPreset('native', 'conversation_player');
});

/** @param {import('../../js-bindings/core.js').Action} action */
function textOf({ op, flags, first }) {
  const kind = flags & MESSAGE_FLAG.TERMINAL ? 'terminal'
    : flags & MESSAGE_FLAG.CHANNEL ? 'channel' : 'message';
  return `${kind} ${op} ${decoder.decode(first)}`;
}

/**
 * Feeds what was recorded.
 * @param {Recorded[]} events
 * @param {number} steps how many there are
 * @returns {string[][]} the messages of each step
 */
function play(events, steps) {
  let now = 0;
  const core = new Core(
    exports, { hubUrl: 'https://hub.test', seed: SEED, now: () => now });
  const log = Array.from({ length: steps }, () => /** @type {string[]} */ ([]));
  for (const { step, now: at, kind, payload, ...event } of events) {
    now = at;
    if (kind === EVENT.TIMER) {
      assert.equal(core.deadline(), 0, `the timer of step ${step} is due`);
    }
    const result = core.feed(
      kind, { ...event, payload: Buffer.from(payload, 'hex') });
    for (let action = core.next(); action; action = core.next()) {
      if (action.kind === ACTION.MESSAGE) log[step].push(textOf(action));
    }
    if (result !== 0) {
      const error = ERRORS.find(({ number }) => number === result);
      log[step].push(`returns ${error?.code}`);
    }
  }
  assert.equal(core.busy, 0);
  core.delete();
  return log;
}

/** @param {string} text */
const withoutBlanks = (text) => tidy(`message ${text}`);

for (const file of findFiles(
  'test-harness/conversation', /(?<!README)\.md$/)) {
  test(file, () => {
    const steps = parseTrace(readFileSync(join(ROOT, file), 'utf8'));
    const recorded = output(PLAYER, ['--record', file]).trim().split('\n')
      .map((line) => /** @type {Recorded} */ (JSON.parse(line)));
    assert.ok(recorded.length > 0);
    const log = play(recorded, steps.length);
    steps.forEach(({ event, actions }, i) => {
      const expected = actions.map(({ line, body }) => (
        withoutBlanks([line, ...body].join(' '))));
      const said = log[i].map(withoutBlanks);
      const fits = expected.length === said.length
        && expected.every((pattern, k) => matches(pattern, said[k]));
      // A difference is shown as the texts themselves.
      if (!fits) assert.deepEqual(said, expected, `line ${event.number}`);
    });
  });
}
