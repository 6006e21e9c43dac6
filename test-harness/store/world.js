// SPDX-License-Identifier: Apache-2.0
// A Hub with one model, and managers whose stores tests hold in their hands.

import assert from 'node:assert/strict';

import { Core, loadCore } from '../../js-bindings/core.js';
import { Loop } from '../../js-bindings/loop.js';
import { ModelManager } from '../../js-bindings/model-manager.js';
import { readOptions } from '../../js-bindings/options.js';
import { uploadedContent } from '../hub/content.js';
import { createHub, createVirtualClock } from '../hub/index.js';
import { wasm } from '../module-under-test.js';
import { MemoryStore } from './memory-store.js';

/**
 * @typedef {import('../../js-bindings/store/index.js').Store} Store
 * @typedef {import('../hub/content.js').Upload} Upload
 * @typedef {import('../hub/hub.js').Hub} Hub
 * @typedef {import('../hub/hub.js').LogEntry} LogEntry
 * @typedef {import('../../js-bindings/types/index.d.ts').Clock} Clock
 * @typedef {import('../../js-bindings/types/index.d.ts').ModelManager} Manager
 * @typedef {Record<string, Upload>} Files
 */

export const MODEL = 'acme/tiny';
export const HUB_URL = 'https://huggingface.co';

/** As the core stores files. */
export const CHUNK = 16 << 20;

/**
 * Chunks that are fetched at a time, and where a browser keeps them outside of
 * the page; see wasm/store/transfers.h.
 */
export const SLOTS = 3;
export const SLOTS_OUTSIDE = 6;

/** Small files of a model: as git keeps them, one of them empty. */
export const SMALL_FILES = {
  'config.json': '{"model_type":"llama","architectures":["LlamaForCausalLM"]}',
  'tokenizer.json': '{"version":"1.0"}',
  'vocab.txt': '',
};

/** With a file of two chunks: a full one, and one of a few bytes. */
export const FILES = {
  ...SMALL_FILES,
  'onnx/model.onnx': { size: CHUNK + 5, seed: 'weights' },
};

/**
 * @param {Files} files
 * @returns {number} their bytes
 */
export function sizeOf(files) {
  return Object.values(files)
    .reduce((sum, file) => sum + uploadedContent(file).size, 0);
}

/**
 * @param {Files} files
 * @param {import('../hub/hub.js').HubOptions & { entry?: object }} [options]
 * @returns {import('../hub/hub.js').HubOptions} of a Hub that has them
 */
export function hubOptions(files, { entry, ...options } = {}) {
  return {
    catalogue: [], rateLimits: false, latency: false, ...options,
    repositories: [{ id: MODEL, files: new Map(Object.entries(files)), entry }],
  };
}

/**
 * @param {Files} [files]
 * @param {import('../hub/hub.js').HubOptions & { entry?: object }} [options]
 */
export function createModelHub(files = FILES, options) {
  return createHub(hubOptions(files, options));
}

/**
 * @typedef {{ fetch?: typeof fetch, clock?: Clock, hubUrl?: string,
 *   mirrors?: string[],
 *   onMessage?: (message: any, isForChannel: boolean) => void,
 *   telemetry?: (entry: any) => void, ort?: unknown,
 *   openStore?: () => Promise<Store>, isOutside?: boolean, journal?: boolean,
 *   seed?: number,
 *   openRuntime?: import('../../js-bindings/loop.js').Outside['openRuntime']
 *   }} WorldOptions without a fetch it is offline
 */

/**
 * Makes a manager of a store.
 * @param {Store} store
 * @param {WorldOptions} [options]
 * @returns {Promise<Manager>}
 */
export async function managerOf(store, options) {
  const { loop, hubUrl, fetch } = await partsOf(store, options);
  return new ModelManager(loop, hubUrl, fetch);
}

/**
 * Makes what is inside a manager.
 * @param {Store} store
 * @param {WorldOptions} [options]
 */
export async function loopOf(store, options) {
  return (await partsOf(store, options)).loop;
}

/**
 * @param {Store} store
 * @param {WorldOptions} [options]
 */
async function partsOf(store, {
  openStore = async () => store, isOutside = false, openRuntime, ...options
} = {}) {
  const { hubUrl, mirrors, seed, ...outside } = readOptions({
    ...(options.fetch ? {} : { fetch: offline, clock: hastyClock() }),
    seed: 1, ...options,
  });
  const core = new Core(await loadCore(wasm), {
    hubUrl, mirrors, seed, now: () => outside.clock.now(),
  });
  const loop = new Loop(
    core, { ...outside, openStore, isOutside, openRuntime });
  return { loop, hubUrl, fetch: outside.fetch };
}

/** @returns {Promise<Response>} */
export async function offline() {
  throw new TypeError('there is no network');
}

/**
 * A clock for which every wait is over at once: nobody answers anyway.
 * @returns {Clock}
 */
function hastyClock() {
  let now = Date.UTC(2026, 0, 1);
  return {
    now: () => now,
    setTimeout: (callback, ms = 0) => setImmediate(() => {
      now += ms;
      callback();
    }),
    clearTimeout: (timer) => clearImmediate(timer),
  };
}

/** @param {string} path */
export function urlOf(path, revision = 'main') {
  return `${HUB_URL}/${MODEL}/resolve/${revision}/${path}`;
}

/**
 * Fails when |bytes| are not those of the file.
 * @param {Uint8Array | ArrayBuffer} bytes
 * @param {Upload} file
 * @param {string} [what]
 */
export function assertBytes(bytes, file, what = 'the file') {
  const content = uploadedContent(file);
  const wanted = content.read(0, content.size);
  assert.equal(bytes.byteLength, content.size, `size of ${what}`);
  assert.ok(Buffer.from(/** @type {ArrayBuffer} */ (bytes)).equals(wanted),
    `${what} has wrong bytes`);
}

/**
 * Reads a file through the manager; wrong bytes are never right.
 * @param {Manager} manager
 * @param {string} path
 * @param {Upload} file
 * @returns {Promise<string>} 'right', or the code or name of the error
 */
export async function readFile(manager, path, file, url = urlOf(path)) {
  let bytes;
  try {
    const response = await manager.fetch(url);
    if (response.status !== 200) return `status ${response.status}`;
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const { code, name } = /** @type {any} */ (error);
    return code ?? name;
  }
  assertBytes(bytes, file, path);
  return 'right';
}

/**
 * Every file of the model is there and right, without a network.
 * @param {import('./memory-store.js').Data} data
 * @param {Files} [files]
 */
export async function assertStored(data, files = FILES) {
  const manager = await managerOf(new MemoryStore(data));
  for (const [path, file] of Object.entries(files)) {
    assert.equal(await readFile(manager, path, file), 'right', path);
  }
  await manager.dispose();
}

/**
 * How many bytes of files the Hub has sent.
 * @param {Hub} hub
 * @param {number} [from] place in the log
 */
export function contentBytes(hub, from = 0) {
  return hub.requests.slice(from).filter(isContent)
    .reduce((sum, { bytesSent }) => sum + bytesSent, 0);
}

/** @param {LogEntry} entry */
export function isContent({ url, status }) {
  const { pathname } = new URL(url);
  return (status === 200 || status === 206)
    && (pathname.startsWith('/xet-bridge-us/')
      || pathname.startsWith('/api/resolve-cache/'));
}

/** Time passes in steps, between which everything that can happen happens. */
const STEP_MS = 50;
const ROUNDS = 12;

/** @param {number} [rounds] */
export async function quiet(rounds = ROUNDS) {
  for (let i = 0; i < rounds; i += 1) {
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

/**
 * Lets virtual time pass until |promise| is settled.
 * @template T
 * @param {import('../hub/index.js').VirtualClock} clock
 * @param {Promise<T>} promise
 * @param {number} [maxMs] of virtual time
 * @returns {Promise<T>}
 */
export async function pass(clock, promise, maxMs = 600_000) {
  let isOver = false;
  promise.then(() => { isOver = true; }, () => { isOver = true; });
  const end = clock.now() + maxMs;
  for (;;) {
    await quiet();
    if (isOver) return promise;
    assert.ok(clock.now() < end, `it goes on after ${maxMs} ms`);
    await clock.advance(STEP_MS);
  }
}

/**
 * A Hub and a manager in virtual time.
 * @param {Store} store
 * @param {{ files?: Files, hub?: object,
 *   faults?: import('../hub/faults.js').Rule[] }} [options]
 */
export async function virtualWorld(store, {
  files = FILES, hub: more, faults = [],
} = {}) {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1));
  const hub = createModelHub(files, { clock, ...more });
  for (const fault of faults) hub.faults.add(fault);
  const manager = await managerOf(store, { fetch: hub.fetch, clock });
  return {
    clock, hub, manager,
    /** @param {object} [options] of the download */
    download: (options) => pass(clock, manager.download(MODEL, options)),
  };
}
