// SPDX-License-Identifier: Apache-2.0
// Runs one listing against a simulated Hub on which things go wrong, in
// virtual time, and checks what must hold for every listing.

import assert from 'node:assert/strict';

import { generateCatalogue } from '../hub/catalogue.js';
import { createHub, createVirtualClock } from '../hub/index.js';
import { createModelManager, TabAgentError, wasm } from '../module-under-test.js';
import { checkMessages } from './message-rules.js';
import { Traffic } from './traffic.js';

/** Any moment will do, but not one at which a rate-limit window begins. */
export const START_MS = Date.UTC(2026, 0, 1, 0, 1, 40);

/** The catalogue of most tests: every oddity and enough for several pages. */
export const CATALOGUE = generateCatalogue({ models: 1200 }).models;

/** The rows that a listing asks for when nothing else is said. */
export const LISTED = CATALOGUE.filter(({ entry }) => (
  entry.tags?.includes('onnx') && !entry.private)).length;

/**
 * @typedef {object} Setting
 * @property {import('../hub/faults.js').Rule[]} [faults]
 * @property {object} [hub] options of the simulator
 * @property {object} [manager] options of the manager
 * @property {object} [params] of listChatModels
 * @property {(world: World) => void} [prepare] called before the listing
 * @property {(world: World, message: Record<string, any>) => void}
 *   [onProgress]
 * @property {(world: World) => void} [onEvent] called at every step that can
 *   be seen from outside: a request and all of its answer, a message, a timer
 * @property {AbortSignal} [signal]
 * @property {number} [maxMs] virtual time after which a test gives up
 *
 * @typedef {object} World
 * @property {import('../hub/index.js').VirtualClock} clock
 * @property {import('../hub/index.js').Hub} hub
 * @property {Traffic} traffic
 * @property {import('../../js-bindings/types/index.d.ts').ModelManager} manager
 * @property {import('./message-rules.js').Delivery[]} deliveries
 * @property {Record<string, any>[]} telemetry
 *
 * @typedef {World & { models: any[], meta: any, error?: any,
 *   progress: Record<string, any>[], wasmBytes: number }} Outcome
 */

/**
 * Makes a Hub, a manager that talks to it, and books about both.
 * @param {Setting} setting
 * @returns {Promise<World>}
 */
export async function createWorld({
  hub: hubOptions, faults = [], manager: options, onEvent,
}) {
  const clock = createVirtualClock(START_MS);
  const hub = createHub({ clock, catalogue: CATALOGUE, ...hubOptions });
  for (const fault of faults) hub.faults.add(fault);
  const step = () => onEvent?.(world);
  const traffic = new Traffic(hub.fetch, step);
  const world = /** @type {World} */ (/** @type {Partial<World>} */ ({
    clock, hub, traffic, deliveries: [], telemetry: [],
  }));
  world.manager = await createModelManager({
    wasm, fetch: traffic.fetch, seed: 1,
    clock: {
      now: clock.now,
      clearTimeout: clock.clearTimeout,
      setTimeout: (callback, ms) => clock.setTimeout(() => {
        step();
        callback();
      }, ms),
    },
    onMessage(message) {
      world.deliveries.push({ at: clock.now(), message });
      step();
    },
    telemetry: (entry) => world.telemetry.push(entry),
    ...options,
  });
  return world;
}

/**
 * Lists until the end, be it good or bad.
 * @param {Setting} [setting]
 * @returns {Promise<Outcome>}
 */
export async function list(setting = {}) {
  const world = await createWorld(setting);
  setting.prepare?.(world);
  const { clock, manager, deliveries } = world;
  const listing = manager.listChatModels(setting.params, {
    signal: setting.signal,
    onProgress: (message) => setting.onProgress?.(world, message),
  }).catch((error) => error);
  const result = await clock.run(listing, { maxMs: setting.maxMs });
  const end = checkMessages(deliveries);
  await checkNothingIsLeft(world);
  const { wasmBytes } = await manager.memory();
  await manager.dispose();
  const outcome = {
    ...world, wasmBytes, models: end.models, meta: end.meta,
    progress: deliveries.slice(0, -1).map(({ message }) => message),
  };
  if (!(result instanceof Error)) return outcome;
  assert.ok(result instanceof TabAgentError, String(result));
  assert.equal(result.code, end.code);
  return { ...outcome, error: result };
}

/**
 * What the digests in the listing say about the models that `params` keep:
 * without one a model is unknown.
 * @param {object} params
 * @returns {Promise<Map<string, string>>} class by id
 */
export async function classesByListing(params) {
  const { models } = await list({ params: { ...params, fetchConfigs: 'never' } });
  return new Map(models.map((model) => {
    const hasDigest = model.model_type !== null || model.architectures !== null;
    return [model.id, hasDigest ? model.classification : 'unknown'];
  }));
}

/**
 * Nothing runs on behind an operation that has ended.
 * @param {World} world
 */
export async function checkNothingIsLeft({ clock, traffic, manager }) {
  assert.deepEqual(traffic.open, [], 'requests run on');
  assert.equal(clock.pendingTimers, 0, 'timers run on');
  assert.deepEqual(await manager.jobs(), []);
}
