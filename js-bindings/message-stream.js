// SPDX-License-Identifier: Apache-2.0
// The messages of one operation as an async iterator.

/**
 * Starts an operation and yields its messages, the terminal one last. A
 * failed operation throws; leaving the loop early cancels it.
 * @template Message
 * @param {(options: { signal: AbortSignal,
 *   onProgress: (message: Message) => void }) => Promise<Message>} start
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Message, void, void>}
 */
export async function* messageStream(start, signal) {
  yield yield* partStream(start, signal);
}

/**
 * The same, but what it resolves with is returned and not yielded.
 * @template Part
 * @template Result
 * @param {(options: { signal: AbortSignal,
 *   onProgress: (part: Part) => void }) => Promise<Result>} start
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<Part, Result, void>}
 */
export async function* partStream(start, signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted) abort();
  /** @type {Part[]} */
  const messages = [];
  let wake = () => {};
  let isRunning = true;
  const end = start({
    signal: controller.signal,
    onProgress(message) {
      messages.push(message);
      wake();
    },
  });
  const stop = () => {
    isRunning = false;
    wake();
  };
  end.then(stop, stop);
  try {
    while (isRunning || messages.length > 0) {
      if (messages.length === 0) {
        await new Promise((/** @type {(value: void) => void} */ resolve) => {
          wake = resolve;
        });
      }
      yield* messages.splice(0);
    }
    return await end;
  } finally {
    signal?.removeEventListener('abort', abort);
    controller.abort();
  }
}
