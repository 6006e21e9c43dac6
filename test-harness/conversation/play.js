// SPDX-License-Identifier: Apache-2.0
// Feeds a recorded conversation to the module that ships; in Node and in pages.

import { ACTION, ERRORS, EVENT, MESSAGE_FLAG } from '../../js-bindings/abi.js';
import { Core } from '../../js-bindings/core.js';

/**
 * An event as the player records it; the payload in hexadecimal digits.
 * @typedef {{ step: number, now: number, kind: number, op: number,
 *   request: number, status: number, flags: number, payload: string }} Recorded
 */

/** As in fake_host.c; the C string ends in a zero. */
const SEED = new TextEncoder().encode('a fixed seed...\0');

const decoder = new TextDecoder();

/** @param {import('../../js-bindings/core.js').Action} action */
function textOf({ kind: action, op, flags, first }) {
  const kind = action === ACTION.REQUEST ? 'request'
    : flags & MESSAGE_FLAG.TERMINAL ? 'terminal'
      : flags & MESSAGE_FLAG.CHANNEL ? 'channel' : 'message';
  return `${kind} ${op} ${decoder.decode(first)}`;
}

/** @param {string} digits */
function bytesOf(digits) {
  return Uint8Array.from(digits.match(/../g) ?? [], (two) => parseInt(two, 16));
}

/**
 * Feeds what was recorded. Throws when a timer was not wanted, or something is
 * left to do.
 * @param {Awaited<ReturnType<import('../../js-bindings/core.js').loadCore>>}
 *   exports
 * @param {Recorded[]} events
 * @param {number} steps how many there are
 * @returns {string[][]} the messages of each step
 */
export function play(exports, events, steps) {
  let now = 0;
  const core = new Core(
    exports, { hubUrl: 'https://hub.test', seed: SEED, now: () => now });
  const log = Array.from({ length: steps }, () => /** @type {string[]} */ ([]));
  for (const { step, now: at, kind, payload, ...event } of events) {
    now = at;
    if (kind === EVENT.TIMER && core.deadline() !== 0) {
      throw new Error(`the timer of step ${step} is not due`);
    }
    const result = core.feed(kind, { ...event, payload: bytesOf(payload) });
    for (let action = core.next(); action; action = core.next()) {
      if (action.kind === ACTION.MESSAGE || action.kind === ACTION.REQUEST) {
        log[step].push(textOf(action));
      }
    }
    if (result !== 0) {
      const error = ERRORS.find(({ number }) => number === result);
      log[step].push(`returns ${error?.code}`);
    }
  }
  if (core.busy !== 0) throw new Error('something has not ended');
  core.delete();
  return log;
}
