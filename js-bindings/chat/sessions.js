// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime: sessions and what runs in them. Which output becomes which
// input is the core's business.

import { TabAgentError } from '../errors.js';
import { holdReaders } from './held-readers.js';
import {
  cut, discard, gather, lastPositions, tensorOf,
} from './tensors.js';

/** @typedef {import('./tensors.js').Tensor} Tensor */
/** @typedef {Map<string, Tensor>} Cache tensors by the input that takes them */

/** The smallest graph that there is: its only value goes in and out. */
const SMALLEST_GRAPH = Uint8Array.of(8, 8, 58, 25, 18, 1, 103, 90, 9, 10, 1,
  120, 18, 4, 10, 2, 8, 1, 98, 9, 10, 1, 120, 18, 4, 10, 2, 8, 1, 66, 4, 10, 0,
  16, 17);

/**
 * Takes the module as it was given: itself, or a function that brings it.
 * @param {any} given
 * @param {any} wasmPaths
 * @param {number} threads
 */
export async function loadOrt(given, wasmPaths, threads) {
  const loaded = typeof given === 'function' ? await given()
    : given ?? await import('onnxruntime-web');
  const ort = loaded?.InferenceSession ? loaded : loaded?.default;
  if (!ort?.InferenceSession || !ort.env?.wasm) {
    throw new TabAgentError('invalid_argument',
      'option ort: what it is, or brings, is not onnxruntime-web');
  }
  ort.env.logLevel = 'error';
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  ort.env.wasm.numThreads = threads;
  await warmUp(ort);
  return ort;
}

/**
 * Has ONNX Runtime compile itself, which can take as long as all the rest of a
 * load. When that fails, so will the sessions, with somebody to tell it to.
 * @param {any} ort
 */
async function warmUp(ort) {
  if (!ort.env.versions?.web) return; // there is nothing to compile
  try {
    const session = await ort.InferenceSession.create(
      SMALLEST_GRAPH, { executionProviders: ['wasm'] });
    await session.release();
  } catch {
    // See above.
  }
}

/**
 * @param {any} ort
 * @param {Blob} graph
 * @param {{ path: string, data: Blob }[]} externalData
 * @param {{ providers: string[], outputs?: string }} order
 * @param {() => void} onRead called when weights are read
 */
export async function createSession(ort, graph, externalData, order, onRead) {
  const session = await ort.InferenceSession.create(
    new Uint8Array(await graph.arrayBuffer()), {
      externalData: externalData.map(
        ({ path, data }) => ({ path, data: holdReaders(data, onRead) })),
      executionProviders: order.providers,
      ...order.outputs && { preferredOutputLocation: order.outputs },
      graphOptimizationLevel: 'all',
      extra: {
        session: {
          // Weights would be held twice.
          disable_prepacking: '1',
          // An arena takes room in advance.
          use_device_allocator_for_initializers: '1',
        },
      },
    });
  return session;
}

/**
 * What the core has to know of a session.
 * @param {any} session
 */
export function describeSession(session) {
  const describe = (/** @type {any} */ { name, type, shape }) => (
    { name, type: String(type), shape: [...shape ?? []] });
  return {
    inputs: session.inputMetadata.map(describe),
    outputs: session.outputMetadata.map(describe),
  };
}

/**
 * @param {any} ort
 * @param {{ name: string, type: string, dims: number[] }[]} tensors
 * @returns {Cache}
 */
export function createCache(ort, tensors) {
  return new Map(tensors.map(({ name, type, dims }) => (
    [name, tensorOf(ort, type, dims)])));
}

/**
 * @param {any} ort
 * @param {any} session
 * @param {Cache | undefined} cache
 * @param {{ feeds: { name: string, type: string, dims: number[], at: number,
 *   bytes: number }[], keep: Record<string, string>, take?: string | null }}
 *   order
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array[]>} the rows of the output that is taken
 */
export async function runSession(ort, session, cache, order, bytes) {
  /** @type {Record<string, Tensor>} */
  const inputs = {};
  for (const name of session.inputNames) {
    const kept = cache?.get(name);
    if (kept) inputs[name] = kept;
  }
  for (const { name, type, dims, at, bytes: length } of order.feeds) {
    inputs[name] = tensorOf(ort, type, dims, bytes.subarray(at, at + length));
  }
  const keep = Object.entries(order.keep ?? {});
  const wanted = keep.map(([output]) => output);
  if (order.take) wanted.push(order.take);
  const outputs = await session.run(inputs, wanted);
  for (const [output, input] of keep) {
    const replaced = cache?.get(input);
    if (replaced) discard(replaced);
    cache?.set(input, outputs[output]);
  }
  if (!order.take) return [];
  const taken = outputs[order.take];
  try {
    return await lastPositions(taken);
  } finally {
    taken.dispose(); // it may be a device's
  }
}

/**
 * Replaces tensors of the cache.
 * @param {Cache} cache
 * @param {Record<string, number>} axes by inputs
 * @param {(tensor: Tensor, axis: number) => Promise<Tensor>} change
 */
async function changeCache(cache, axes, change) {
  for (const [input, axis] of Object.entries(axes)) {
    const tensor = cache.get(input);
    const changed = tensor && await change(tensor, axis);
    if (changed && changed !== tensor) {
      discard(tensor);
      cache.set(input, changed);
    }
  }
}

/**
 * @param {any} ort
 * @param {Cache} cache
 * @param {{ to: number, axes: Record<string, number> }} order
 */
export function cutCache(ort, cache, { to, axes }) {
  return changeCache(cache, axes,
    (tensor, axis) => cut(ort, tensor, axis, to));
}

/**
 * @param {any} ort
 * @param {Cache} cache
 * @param {{ rows: number[], axes: Record<string, number> }} order
 */
export function gatherCache(ort, cache, { rows, axes }) {
  return changeCache(cache, axes,
    (tensor, axis) => gather(ort, tensor, axis, rows));
}

/** @param {Cache} cache */
export function releaseCache(cache) {
  for (const tensor of cache.values()) discard(tensor);
  cache.clear();
}
