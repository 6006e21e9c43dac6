// SPDX-License-Identifier: Apache-2.0
// The side of the worker in which models run: orders come in, reports go out.

/**
 * @typedef {object} Scope what there is of the scope of a worker
 * @property {string} [name]
 * @property {(message: any, transfer?: any[]) => void} postMessage
 * @property {(name: 'message', listener: (event: any) => void) => void}
 *   addEventListener
 */

/**
 * Serves the orders of a WorkerRuntime.
 * @param {Scope} scope
 * @param {{ ort: unknown, ortWasmPaths?: unknown,
 *   locks?: { request: (name: string, granted: () => any) => any } }} options
 */
export function serveRuntime(scope, { ort, ortWasmPaths, locks }) {
  const loads = import('../chat/runtime.js').then(({ Runtime }) => new Runtime({
    ort, ortWasmPaths,
    // The page does all of these.
    ask: unused,
    download: unused,
    open: unused,
    report: (kind, { payload, ...event }) => {
      const bytes = movable(payload);
      scope.postMessage(
        { kind, event: { ...event, payload: bytes } }, [bytes.buffer]);
    },
  }));
  scope.addEventListener('message', async ({ data }) => {
    const { request } = data;
    const runtime = await loads;
    switch (data.do) {
      case 'start': runtime.start(request, data.order, data.bytes); break;
      case 'abort': runtime.abort(request); break;
      case 'put': runtime.put(request, data.file); break;
      case 'warm': runtime.warm(data.threads); break;
      case 'sessions':
        scope.postMessage({ sessions: await runtime.sessions() });
        break;
    }
  });
  // Nothing works without it, and somebody has to know.
  loads.catch((error) => queueMicrotask(() => { throw error; }));
  const isReady = () => scope.postMessage({ isReady: true });
  if (!locks) {
    isReady();
    return;
  }
  // Held until the platform takes it away, with the worker.
  locks.request(String(scope.name), () => {
    isReady();
    return new Promise(() => {});
  });
}

/** @returns {Promise<never>} */
async function unused() {
  throw new TypeError('the page does that');
}

/**
 * Bytes whose memory can go to another thread. What is all of its memory is not
 * copied; nobody needs it here any more.
 * @param {Uint8Array | undefined} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
function movable(bytes = new Uint8Array(0)) {
  const { buffer } = bytes;
  return buffer instanceof ArrayBuffer
    && buffer.byteLength === bytes.byteLength
    ? /** @type {Uint8Array<ArrayBuffer>} */ (bytes) : bytes.slice();
}
