// SPDX-License-Identifier: Apache-2.0

/**
 * A stream that is opened when somebody begins to read it.
 * @param {() => Promise<ReadableStream<Uint8Array>>} open
 * @returns {ReadableStream<Uint8Array>}
 */
export function lazyStream(open) {
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  let reader;
  return new ReadableStream({
    async pull(controller) {
      reader ??= (await open()).getReader();
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader?.cancel(reason),
  }, { highWaterMark: 0 });
}
