// SPDX-License-Identifier: Apache-2.0
// Lets others have their turn: sessions that run in WebAssembly resolve in the
// turn of the event loop in which they were started, and so would an answer of
// a thousand tokens.

/** So long nobody waits for a frame, or for a click to be heard. */
const TURN_MS = 8;

/** @type {((value: void) => void)[]} */
const waiting = [];

/** @type {MessageChannel | undefined} made when it is first needed */
let channel;

let lastTurnMs = 0;

/**
 * Waits for another turn of the event loop, without the pause that timers make.
 * @returns {Promise<void>}
 */
function nextTurn() {
  return new Promise((resolve) => {
    const { setImmediate } = /** @type {any} */ (globalThis);
    if (setImmediate) { // of Node, which handles many messages in one turn
      setImmediate(resolve);
      return;
    }
    if (!channel) {
      channel = new MessageChannel();
      channel.port1.onmessage = () => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

/**
 * Resolves at once while this turn is young, else in another one.
 * @returns {Promise<void> | undefined}
 */
export function yieldTurn() {
  if (performance.now() - lastTurnMs < TURN_MS) return undefined;
  return nextTurn().then(() => {
    lastTurnMs = performance.now();
  });
}
