// SPDX-License-Identifier: Apache-2.0
// Cancelling at every step of a listing: whatever happens first, everything
// stops in the same turn, once, and the caller gets what was counted so far.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  CATALOGUE, checkNothingIsLeft, createWorld, list,
} from './listing.js';
import { checkMessages } from './message-rules.js';

/** Two pages and some files, with every kind of wait on the way. */
const params = /** @type {const} */ ({
  pageSize: 25, maxListing: 50, maxCandidates: 12, concurrency: 4,
  fetchConfigs: 'all', timeoutMs: 5000,
});

/** @type {import('../hub/faults.js').Rule[]} */
const faults = [
  { bucket: 'api', skip: 1, times: 1, status: 504 },
  { bucket: 'resolvers', skip: 3, times: 2, status: 429 },
  { bucket: 'resolvers', skip: 6, times: 1, status: 503 },
  { match: 'resolve-cache', skip: 4, times: 1, stallAfter: 10 },
];

/** A small catalogue: the test runs hundreds of listings. */
const hub = {
  catalogue: CATALOGUE.filter(({ entry }) => entry.tags?.includes('onnx'))
    .slice(-80),
};

/** What a manager calls its first listing. */
const id = 'listChatModels-1';

/**
 * Calls `strike` at the k-th event of a listing, and checks the end.
 * @param {number} k
 * @param {(world: import('./listing.js').World,
 *   controller: AbortController) => void} strike
 * @returns {Promise<number>} events until the end
 */
async function cancelAt(k, strike) {
  const controller = new AbortController();
  let events = 0;
  let started = 0;
  let openAfterwards = -1;
  let isOver = false; // the end came in the turn of the strike
  const world = await createWorld({
    hub, faults,
    onEvent(world) {
      events += 1;
      if (events !== k) return;
      strike(world, controller);
      started = world.traffic.exchanges.length;
      // All that runs before the event loop goes on belongs to this turn.
      queueMicrotask(() => {
        openAfterwards = world.traffic.open.length;
        isOver = world.deliveries.some(({ message }) => (
          message.action === 'listChatModels:done'));
      });
    },
  });
  const { clock, traffic, manager, deliveries } = world;
  const error = await clock.run(
    manager.listChatModels(params, { signal: controller.signal })
      .then(() => undefined, (reason) => reason));
  const end = checkMessages(deliveries.filter(({ message }) => (
    message.action.startsWith('listChatModels:'))));
  assert.equal(error?.code, end.code);
  if (k <= events && !isOver) {
    assert.equal(end.code, 'cancelled', `at event ${k}`);
    assert.equal(end.meta.partial, true);
    assert.equal(openAfterwards, 0, `requests run on after event ${k}`);
    assert.equal(traffic.exchanges.length, started, 'a request was started');
  }
  const said = deliveries.length;
  await checkNothingIsLeft(world);
  await clock.advance(3_600_000);
  assert.equal(deliveries.length, said, 'a message after the last');
  await checkNothingIsLeft(world);
  await manager.dispose();
  return events;
}

const EVENTS = await cancelAt(Infinity, () => {});

describe('cancelling', () => {
  test(`by signal at each of ${EVENTS} events`, async () => {
    assert.ok(EVENTS > 100, 'there is too little to cancel');
    for (let k = 1; k <= EVENTS; k += 1) {
      await cancelAt(k, (_, controller) => controller.abort());
    }
  });

  for (const action of [
    'cancelLoad', 'cancelLoadChatModels', 'cancelListChatModels',
  ]) {
    test(`by the message ${action}`, async () => {
      for (let k = 1; k <= EVENTS; k += 11) {
        await cancelAt(k, ({ manager }) => {
          manager.handleMessage({ action, id });
        });
      }
    });
  }

  test('twice is as good as once', async () => {
    await cancelAt(40, ({ manager }, controller) => {
      controller.abort();
      controller.abort();
      manager.handleMessage({ action: 'cancelLoad', id });
    });
  });

  test('after the end changes nothing', async () => {
    const controller = new AbortController();
    const { models } = await list({ params, signal: controller.signal });
    controller.abort();
    assert.ok(models.length > 0);
  });

  test('at a deadline tells the reason and what was done', async () => {
    const controller = new AbortController();
    const late = new DOMException('too late', 'TimeoutError');
    const { error, meta, traffic } = await list({
      params: { pageSize: 250 },
      faults: [{ bucket: 'resolvers', stallHead: true }],
      signal: controller.signal,
      prepare({ clock }) {
        clock.setTimeout(() => controller.abort(late), 4_000);
      },
    });
    assert.equal(error.code, 'cancelled');
    assert.equal(error.cause, late);
    assert.equal(error.meta.filtered, 250);
    assert.ok(meta.classified.gen > 100, 'those whose rows said enough');
    assert.ok(meta.durationMs >= 4_000 && meta.durationMs < 4_100);
    assert.ok(traffic.files.length > 0);
  });
});
