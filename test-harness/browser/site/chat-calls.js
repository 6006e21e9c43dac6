// SPDX-License-Identifier: Apache-2.0
// What tests ask of a manager that chats, in a page or a worker.

// @ts-expect-error the server puts the package there
import { createModelManager } from '/dist/index.js';

/** @type {any} */
let manager;

/** How often the collector runs when it is forced to. */
const COLLECT_EVERY_MS = 2;

/**
 * onnxruntime-web whose sessions on WebGPU fail: as they are made, as they run,
 * or with nothing in their logits.
 * @param {any} ort
 * @param {'create' | 'run' | 'nan'} how
 */
function withoutWebgpu(ort, how) {
  const create = async (/** @type {Uint8Array} */ graph,
    /** @type {any} */ options) => {
    if (!options.executionProviders.includes('webgpu')) {
      return ort.InferenceSession.create(graph, options);
    }
    if (how === 'create') throw new Error('the device is out of order');
    const session = await ort.InferenceSession.create(
      graph, { ...options, executionProviders: ['wasm'] });
    const run = session.run.bind(session);
    session.run = async (/** @type {any[]} */ ...args) => {
      if (how === 'run') throw new Error('the device was lost');
      const outputs = await run(...args);
      outputs.logits?.data.fill(NaN);
      return outputs;
    };
    return session;
  };
  return { ...ort, InferenceSession: { create } };
}

/**
 * @param {{ hubUrl: string, bundle: string, ortWasmPaths?: any,
 *   failing?: 'create' | 'run' | 'nan' }} options bundle: a file of
 *   onnxruntime-web
 */
export async function openManager({ bundle, failing, ...options }) {
  manager = await createModelManager({
    ...options,
    ort: async () => {
      const ort = await import(`/ort/${bundle}`);
      return failing ? withoutWebgpu(ort, failing) : ort;
    },
  });
}

/**
 * Calls a method; an error comes as an object that says what it says.
 * @param {{ name: string, args: any[] }} call
 */
export async function callManager({ name, args }) {
  try {
    return await manager[name](...args);
  } catch (error) {
    const { code, message, stage } = /** @type {any} */ (error);
    return { failure: { code, message, stage } };
  }
}

/**
 * Generates, and stops after so many parts.
 * @param {{ request: object, stopAfter?: number }} order
 */
export async function generate({ request, stopAfter = Infinity }) {
  /** @type {any[]} */
  const parts = [];
  const result = await callManager({
    name: 'generate',
    args: [request, {
      onToken(/** @type {any} */ part) {
        parts.push(part);
        if (parts.length === stopAfter) manager.stop();
      },
    }],
  });
  return {
    ...result,
    tokens: parts.flatMap(({ tokenIds }) => tokenIds),
    streamed: parts.map(({ text }) => text).join(''),
  };
}

/**
 * Loads with the percents that are said on the way.
 * @param {object} request
 */
export async function load(request) {
  /** @type {number[]} */
  const percents = [];
  const result = await callManager({
    name: 'load',
    args: [request, {
      onProgress: (/** @type {any} */ { progress }) => percents.push(progress),
    }],
  });
  return { ...result, percents };
}

/** Forces garbage collections until the page goes. */
export function keepCollecting() {
  setInterval(() => /** @type {any} */ (globalThis).gc(), COLLECT_EVERY_MS);
}

/** Has the store forget which devices failed. */
export async function forgetDevices() {
  await new Promise((resolve, reject) => {
    const opening = indexedDB.open('TabAgentModels');
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(
        'inferenceSettings', 'readwrite');
      transaction.objectStore('inferenceSettings').delete('tabagent:devices');
      transaction.onerror = () => reject(transaction.error);
      transaction.oncomplete = () => {
        opening.result.close();
        resolve(undefined);
      };
    };
  });
}

/** Whether sessions could run on WebGPU here. */
export async function hasAdapter() {
  return Boolean(
    await /** @type {any} */ (navigator).gpu?.requestAdapter());
}
