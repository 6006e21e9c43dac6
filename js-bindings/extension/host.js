// SPDX-License-Identifier: Apache-2.0
// The entry of the host, which is three things: the page, the worker in which
// models run, and the threads that ONNX Runtime makes of itself there.

import { Host } from './hosting.js';
import { serveRuntime } from './ort-worker.js';
import { platformHere } from './platform.js';
import { WORKER_NAME, WorkerRuntime } from './worker-runtime.js';

const scope = /** @type {any} */ (globalThis);

/** What ONNX Runtime calls its threads. */
const THREAD_NAME = 'em-pthread';

if (scope.document) {
  startPage();
} else if (scope.name?.startsWith(WORKER_NAME)) {
  startWorker();
} else if (scope.name?.startsWith(THREAD_NAME)) {
  startThread();
}

function startPage() {
  const { navigator, location } = globalThis;
  new Host(platformHere(), {
    async createManager(options) {
      const { createModelManager } = await import('../index.js');
      /** @type {any} */
      let parts;
      const manager = await createModelManager({
        ...options, journal: true,
        [Symbol.for('tabagent-wasm.inside')]: {
          openRuntime,
          onMade: (/** @type {any} */ made) => { parts = made; },
        },
      });
      return { manager, ...parts };
    },
    locks: navigator.locks,
    openChannel: (name) => new BroadcastChannel(name),
    now: () => Date.now(),
    setTimeout: setTimeout.bind(globalThis),
    url: location.href,
    close: () => globalThis.close(),
    target: globalThis,
  });
}

/** @param {any} outside */
function openRuntime(outside) {
  return new WorkerRuntime(outside, {
    createWorker: (name) => new Worker(entry(), { type: 'module', name }),
    locks: navigator.locks,
  });
}

/**
 * This file, or the one that a bundler has put it into. Some write into
 * `import.meta.url` where the file was; the page knows better.
 */
function entry() {
  const script = /** @type {HTMLScriptElement | null} */ (
    document.querySelector('script[data-tabagent-host]'));
  return script?.src ?? import.meta.url;
}

function startWorker() {
  serveRuntime(scope, { ort: bringOrt, locks: navigator.locks });
}

/** The build of ONNX Runtime that suits the platform. */
function bringOrt() {
  const { WebAssembly, navigator } = scope;
  if ('Suspending' in WebAssembly) return import('onnxruntime-web/jspi');
  return navigator.gpu ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm');
}

/** ONNX Runtime begins to listen when it is loaded, and hears what was said. */
async function startThread() {
  /** @type {MessageEvent[]} */
  const early = [];
  const keep = (/** @type {MessageEvent} */ event) => {
    if (!scope.onmessage) early.push(event);
  };
  scope.addEventListener('message', keep);
  await bringOrt();
  scope.removeEventListener('message', keep);
  for (const event of early) scope.onmessage?.(event);
}
