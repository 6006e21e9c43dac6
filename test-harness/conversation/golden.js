// SPDX-License-Identifier: Apache-2.0
// The conversations of this folder: what happens in them, as the native player
// records it, and what must be said to that.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFiles, ROOT } from '../paths.js';
import { buildPreset, output } from '../run.js';
import { matches, parseTrace, tidy } from '../trace/trace-file.js';

/** @typedef {import('./play.js').Recorded} Recorded */

const PLAYER = join(ROOT,
  'build/native/test-harness/conversation/conversation_player');

/** Paths of all conversations. */
export const CONVERSATIONS = findFiles(
  'test-harness/conversation', /(?<!README)\.md$/);

/** Builds the player. */
export function buildPlayer() {
  buildPreset('native', 'conversation_player');
}

/** @param {string} text */
const withoutBlanks = (text) => tidy(`message ${text}`);

/**
 * Reads a conversation, and has it played natively.
 * @param {string} file
 */
export function readConversation(file) {
  const steps = parseTrace(readFileSync(join(ROOT, file), 'utf8'));
  const events = output(PLAYER, ['--record', file]).trim().split('\n')
    .map((line) => /** @type {Recorded} */ (JSON.parse(line)));
  assert.ok(events.length > 0);
  return {
    events,
    count: steps.length,
    /** @param {string[][]} log the messages of each step */
    check(log) {
      steps.forEach(({ event, actions }, i) => {
        const expected = actions.map(({ line, body }) => (
          withoutBlanks([line, ...body].join(' '))));
        const said = log[i].map(withoutBlanks);
        const fits = expected.length === said.length
          && expected.every((pattern, k) => matches(pattern, said[k]));
        // A difference is shown as the texts themselves.
        if (!fits) assert.deepEqual(said, expected, `line ${event.number}`);
      });
    },
  };
}
